//! Threads that ask the index, so that keys never wait for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};
use lru::LruCache;

use super::event::{Effect, Event, Judgement};
use super::source::Source;
use crate::access::api::{JudgeRequest, ReadRequest, SearchRequest};
use crate::error::{Error, Result};
use crate::ids::QueryId;
use crate::search::Mode;

/// Answers whose ids are remembered: what is said of an earlier one is still on its way.
const REMEMBERED: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(15);

/// A query.
struct Search {
    number: u64,
    request: Box<SearchRequest>,
}

/// What is done in the order given.
enum Noting {
    Log(Search),
    More(Search),
    Judge(Judgement),
}

/// The threads, while they are needed.
pub(super) struct Asking {
    searches: Sender<Search>,
    reads: Sender<Box<ReadRequest>>,
    notings: Sender<Noting>,
    noting: JoinHandle<()>,
    source: Arc<Source>,
}

impl Asking {
    /// Starts the threads. What they find comes as events.
    pub(super) fn start(source: Source, events: &Sender<Event>) -> Result<Asking> {
        let source = Arc::new(source);
        let (searches, for_search) = unbounded();
        let (reads, for_read) = unbounded();
        let (notings, for_noting) = unbounded();
        thread("find-search", &source, events, move |source, events| search(source, events, &for_search))?;
        thread("find-read", &source, events, move |source, events| read(source, events, &for_read))?;
        if !source.is_served() {
            thread("find-load", &source, events, load)?;
        }
        let noting =
            thread("find-note", &source, events, move |source, events| note(source, events, &for_noting))?;
        Ok(Asking { searches, reads, notings, noting, source })
    }

    /// Whether this is an effect that a thread takes; it is returned if not.
    pub(super) fn take(&self, effect: Effect) -> Option<Effect> {
        // A thread that has ended has said so.
        match effect {
            Effect::Search { number, request } => drop(self.searches.send(Search { number, request })),
            Effect::Read(request) => drop(self.reads.send(request)),
            Effect::Log { number, request } => {
                drop(self.notings.send(Noting::Log(Search { number, request })));
            }
            Effect::More { number, request } => {
                drop(self.notings.send(Noting::More(Search { number, request })));
            }
            Effect::Judge(judgement) => drop(self.notings.send(Noting::Judge(judgement))),
            other => return Some(other),
        }
        None
    }

    /// Waits until everything is noted, and writes out the log.
    pub(super) fn finish(self) -> Result<()> {
        let Asking { searches, reads, notings, noting, source } = self;
        drop((searches, reads, notings));
        // Its panics are errors of what it was asked.
        let _ = noting.join();
        source.close()
    }
}

fn thread(
    name: &'static str,
    source: &Arc<Source>,
    events: &Sender<Event>,
    run: impl FnOnce(&Source, &Sender<Event>) + Send + 'static,
) -> Result<JoinHandle<()>> {
    let (source, events) = (Arc::clone(source), events.clone());
    let thread = Builder::new().name(name.into()).spawn(move || run(&source, &events));
    thread.map_err(|source| Error::Io { doing: "start the thread", path: name.into(), source })
}

/// Asks. A panic is an error.
fn guarded<T>(thread: &'static str, question: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(question)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let message = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
        Err(Error::Panicked { thread, message: message.to_string() })
    })
}

/// The latest of what waits: nobody wants the others any more.
fn latest<T>(first: T, waiting: &Receiver<T>) -> T {
    waiting.try_iter().last().unwrap_or(first)
}

fn search(source: &Source, events: &Sender<Event>, asked: &Receiver<Search>) {
    for first in asked {
        let Search { number, request } = latest(first, asked);
        let result = guarded("find-search", || source.ask(|access| access.search(&request)));
        if events.send(Event::Found { number, result }).is_err() {
            return;
        }
    }
}

fn read(source: &Source, events: &Sender<Event>, asked: &Receiver<Box<ReadRequest>>) {
    if let Ok(status) = guarded("find-read", || source.ask(|access| access.status())) {
        let _ = events.send(Event::Status(status.into()));
    }
    for first in asked {
        let request = latest(first, asked);
        let Some(passage) = request.passage else { continue };
        let result = guarded("find-read", || source.ask(|access| access.read(&request))).into();
        if events.send(Event::Read { passage, result }).is_err() {
            return;
        }
    }
}

/// Whatever is asked by its meaning loads the model.
fn load(source: &Source, events: &Sender<Event>) {
    let mut request = SearchRequest::new("model");
    (request.mode, request.log, request.limit) = (Mode::Dense, false, 1);
    let result = guarded("find-load", || source.ask(|access| access.search(&request)));
    let _ = events.send(Event::Model(result.map(drop)));
}

fn note(source: &Source, events: &Sender<Event>, asked: &Receiver<Noting>) {
    let mut ids: LruCache<u64, QueryId> = LruCache::new(REMEMBERED);
    for noting in asked {
        let event = match noting {
            Noting::Log(Search { number, request }) => {
                let result = guarded("find-note", || source.ask(|access| access.search(&request)));
                if let Ok(Some(id)) = result.as_ref().map(|answer| answer.query_id) {
                    ids.put(number, id);
                }
                Event::Logged { number, result }
            }
            Noting::More(Search { number, mut request }) => {
                request.page_of = ids.get(&number).copied();
                request.log = request.page_of.is_some();
                let result = guarded("find-note", || source.ask(|access| access.search(&request)));
                Event::More { number, result }
            }
            Noting::Judge(judgement) => {
                let result = guarded("find-note", || judge(source, &judgement, ids.get(&judgement.number)));
                Event::Judged { judgement, result }
            }
        };
        // What waits is noted all the same.
        let _ = events.send(event);
    }
}

fn judge(source: &Source, judgement: &Judgement, id: Option<&QueryId>) -> Result<()> {
    let &query_id = id.ok_or_else(|| Error::NotFound {
        what: "record in the log of",
        id: "this query".into(),
        remedy: "a query without words is not logged, nor is any in an index that can't be written",
    })?;
    let Judgement { document, verdict, .. } = judgement;
    let request = JudgeRequest { query_id, document: document.clone(), verdict: *verdict };
    source.ask(|access| access.judge(&request))
}
