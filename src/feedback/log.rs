//! The handle of the log.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};

use super::forget::Forget;
use super::options::FeedbackOptions;
use super::record::{Impression, Judgement};
use super::replay::{Replay, find, replay};
use super::segment;
use super::stats::{Counters, FeedbackStats};
use super::writer::{Command, Disk, Reply, Writer};
use crate::error::{Error, Result};
use crate::ids::QueryId;
use crate::storage::sync_folder;

const THREAD: &str = "retune-feedback";
/// How often a caller who finds the queue full looks whether the thread is still there.
const LOOK: Duration = Duration::from_millis(50);

/// An opened log with its writing thread. The caller holds the writer's lock of the index.
#[derive(Debug)]
pub(crate) struct FeedbackLog {
    folder: PathBuf,
    commands: Sender<Command>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    counters: Arc<Counters>,
    /// The thread's own end of the queue; whoever finds that the thread has ended empties it.
    queue: Receiver<Command>,
    ended: OnceLock<Ended>,
}

/// Why there is no thread any more.
#[derive(Debug)]
enum Ended {
    Closed,
    Panicked(String),
}

impl FeedbackLog {
    /// Opens the log in `folder`; creates it if there is none. A torn tail is cut.
    ///
    /// # Errors
    /// [`Error::Version`] for a log of a newer format, [`Error::Invalid`] for unusable options.
    pub(crate) fn open(folder: &Path, options: FeedbackOptions) -> Result<FeedbackLog> {
        FeedbackLog::open_with(folder, options, Disk::default())
    }

    pub(super) fn open_with(folder: &Path, options: FeedbackOptions, disk: Disk) -> Result<FeedbackLog> {
        options.validate()?;
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
            folder.parent().map_or(Ok(()), sync_folder)?;
        }
        segment::remove_strays(folder)?;
        let segments = segment::list(folder)?;
        segments.iter().try_for_each(|(_, path)| segment::check_version(path))?;
        let cut = segments.last().map_or(Ok(0), |(_, last)| segment::cut_torn_tail(last))?;
        if cut > 0 {
            tracing::warn!(bytes = cut, folder = %folder.display(), "cut a torn tail off the feedback log");
        }
        let counters = Arc::new(Counters::new(folder, cut)?);
        let (commands, queue) = bounded(options.queue);
        let number = segments.last().map_or(1, |(number, _)| *number);
        let writer = Writer::new(folder.to_path_buf(), options, Arc::clone(&counters), disk, number);
        let shared = Arc::new(Shared { counters, queue, ended: OnceLock::new() });
        let thread = spawn(writer, Arc::clone(&shared))?;
        Ok(FeedbackLog { folder: folder.to_path_buf(), commands, shared, thread: Mutex::new(Some(thread)) })
    }

    /// Hands an impression to the thread. Never waits and never fails: what finds the queue full is counted as lost.
    pub(crate) fn log_impression(&self, impression: Impression) {
        match self.commands.try_send(Command::Impression(Box::new(impression))) {
            Ok(()) => self.shared.settle(),
            Err(_) => self.shared.counters.lost(1),
        }
    }

    /// Records a judgement. Returns when it is durable. After an error it may have reached the log or not.
    pub(crate) fn append_judgement(&self, judgement: Judgement) -> Result<()> {
        self.ask("record a judgement", |reply| Command::Judgement(judgement, reply))
    }

    /// Returns when everything handed over so far is durable, or counted as lost.
    ///
    /// # Errors
    /// If the disk can't be written now.
    pub(crate) fn flush(&self) -> Result<()> {
        self.ask("flush the feedback log", Command::Flush)
    }

    /// Removes every impression of this query text, compared after [`normalise_query`](super::normalise_query), and
    /// what was said of them. Returns how many records went.
    pub(crate) fn forget_query(&self, text: &str) -> Result<usize> {
        self.forget(Forget::Query(text.to_string()))
    }

    /// Removes one impression and what was said of it. Returns how many records went.
    pub(crate) fn forget_query_id(&self, query_id: QueryId) -> Result<usize> {
        self.forget(Forget::QueryId(query_id))
    }

    /// Removes a document from the hits of every impression, and what was said of it. Returns how many records went
    /// or changed.
    pub(crate) fn forget_document(&self, document: &str) -> Result<usize> {
        self.forget(Forget::Document(document.to_string()))
    }

    /// When it returns, no file of the log holds what was forgotten; damaged bytes, which might, are gone too. Killed
    /// or failed on the way, some segments still hold it: ask again.
    fn forget(&self, what: Forget) -> Result<usize> {
        self.ask("forget", |reply| Command::Forget(what, reply))
    }

    /// Everything that has been written; what still waits in the queue is not in it: see [`flush`](Self::flush).
    pub(crate) fn replay(&self) -> Result<Replay> {
        replay(&self.folder)
    }

    /// The impression with this id, whichever process logged it and when.
    pub(crate) fn find_impression(&self, query_id: QueryId) -> Result<Option<Impression>> {
        // A log that is closed or failing is searched as it stands.
        let _ = self.ask("find a query", Command::Settle);
        find(&self.folder, query_id)
    }

    /// What the log holds and has lost.
    pub(crate) fn stats(&self) -> FeedbackStats {
        let mut stats = self.shared.counters.read(&self.folder);
        if let Some(Ended::Panicked(message)) = self.shared.ended.get() {
            stats.last_error = Some(panicked(message).to_string());
        }
        stats
    }

    /// Writes what waits, makes it durable and ends the thread. Closing twice is fine.
    ///
    /// # Errors
    /// If the disk can't be written, or with [`Error::Panicked`] if the thread had panicked.
    pub(crate) fn close(&self) -> Result<()> {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let closed = self.ask("close the feedback log", Command::Close);
        // The thread catches its panics; a failed join would be one in the catching itself.
        thread.join().map_err(|panic| panicked(&message_of(panic.as_ref())))?;
        closed
    }

    /// Waits for a place in the queue and for the answer.
    fn ask<T>(&self, doing: &'static str, command: impl FnOnce(Reply<T>) -> Command) -> Result<T> {
        let (reply, answer) = bounded(1);
        let mut command = command(reply);
        loop {
            if let Some(ended) = self.shared.ended.get() {
                return Err(ended.error(doing));
            }
            match self.commands.send_timeout(command, LOOK) {
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(again) | SendTimeoutError::Disconnected(again)) => {
                    command = again
                }
            }
        }
        self.shared.settle();
        // Unanswered commands are dropped only by a thread that ends, or after it.
        answer.recv().unwrap_or_else(|_| Err(self.shared.ended.wait().error(doing)))
    }
}

impl Drop for FeedbackLog {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the feedback log was not closed cleanly");
        }
    }
}

impl Shared {
    /// Empties the queue if nobody serves it any more: impressions are lost, who waits is told.
    ///
    /// Whoever puts something in calls this afterwards, and the thread does after it has said that it ended: between
    /// them nothing stays behind.
    fn settle(&self) {
        // Either the thread's end is seen here, or what was put in is seen by the thread that ends.
        fence(Ordering::SeqCst);
        if self.ended.get().is_none() {
            return;
        }
        for command in self.queue.try_iter() {
            if matches!(command, Command::Impression(_)) {
                self.counters.lost(1);
            }
        }
    }
}

impl Ended {
    fn error(&self, doing: &'static str) -> Error {
        match self {
            Ended::Closed => Error::Closed { doing },
            Ended::Panicked(message) => panicked(message),
        }
    }
}

fn spawn(mut writer: Writer, shared: Arc<Shared>) -> Result<JoinHandle<()>> {
    let body = move || {
        let ended = match catch_unwind(AssertUnwindSafe(|| writer.run(&shared.queue))) {
            Ok(()) => Ended::Closed,
            Err(panic) => {
                shared.counters.lost(writer.in_hand());
                Ended::Panicked(message_of(panic.as_ref()))
            }
        };
        let _ = shared.ended.set(ended);
        shared.settle();
    };
    let thread = std::thread::Builder::new().name(THREAD.into());
    thread.spawn(body).map_err(Error::io("start the thread", Path::new(THREAD)))
}

fn panicked(message: &str) -> Error {
    Error::Panicked { thread: THREAD, message: message.to_string() }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
