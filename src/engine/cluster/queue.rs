//! The queue of answers to log, and the thread that sends them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::feedback::Impression;

const THREAD: &str = "retune-feedback";
/// Answers of one request at most.
const MOST: usize = 500;
/// How long an answer waits for others to go with it.
const TOGETHER: Duration = Duration::from_millis(200);
/// How long closing waits for what is queued. Longer than a client tries to reach a cluster that is not there.
const CLOSING: Duration = Duration::from_secs(15);

/// What became of the answers that one open index on a cluster has logged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FeedbackCounts {
    /// Answers that the cluster has.
    pub written: u64,
    /// Answers that are on their way.
    pub waiting: u64,
    /// Answers that were lost: the queue was full, or the cluster could not be asked or refused them.
    pub dropped: u64,
    /// Why the last of those was that did not find the queue full.
    pub last_error: Option<String>,
}

/// Sends answers. Returns how many the cluster has refused, and why the last of these.
pub(super) type Sink = dyn FnMut(Vec<Impression>) -> Result<(u64, Option<String>)> + Send;

enum Command {
    Log(Box<Impression>),
    /// Reply when everything sent before is written or counted as lost.
    Flush(Sender<()>),
}

/// A bounded queue with one thread. Full or failing, it costs answers, and each is counted.
#[derive(Debug)]
pub(super) struct Queue {
    /// Taken away by closing, which ends the thread.
    commands: RwLock<Option<Sender<Command>>>,
    counters: Arc<Counters>,
    /// Held while it is closed.
    thread: Mutex<Option<JoinHandle<()>>>,
    ended: Receiver<()>,
}

#[derive(Debug, Default)]
struct Counters {
    queued: AtomicU64,
    written: AtomicU64,
    /// Of those that were queued.
    lost: AtomicU64,
    full: AtomicU64,
    last_error: Mutex<Option<String>>,
    /// Closing has waited for long enough.
    late: AtomicBool,
}

impl Queue {
    /// With room for so many answers.
    pub(super) fn new(room: usize, mut sink: Box<Sink>) -> Result<Queue> {
        let (commands, waiting) = bounded(room);
        let (ending, ended) = bounded::<()>(0);
        let counters = Arc::new(Counters::default());
        let counted = Arc::clone(&counters);
        let thread = thread::Builder::new().name(THREAD.into()).spawn(move || {
            // Dropped when the thread ends, however it does.
            let _ending = ending;
            while !counted.late.load(Ordering::Acquire)
                && let Some((batch, flushed)) = next(&waiting)
            {
                counted.send(batch, &mut *sink);
                drop(flushed);
            }
        });
        let path = std::path::PathBuf::from(THREAD);
        let thread = Mutex::new(Some(thread.map_err(Error::io("start the thread", &path))?));
        Ok(Queue { commands: RwLock::new(Some(commands)), counters, thread, ended })
    }

    /// Queues an answer, if there is room. Never waits. Returns whether it did.
    pub(super) fn log(&self, answer: Impression) -> bool {
        // Before it can be written.
        self.counters.queued.fetch_add(1, Ordering::Relaxed);
        let sent = self.commands().map(|commands| commands.try_send(Command::Log(Box::new(answer))));
        let queued = matches!(sent, Some(Ok(())));
        if !queued {
            self.counters.queued.fetch_sub(1, Ordering::Relaxed);
            self.counters.full.fetch_add(1, Ordering::Relaxed);
        }
        queued
    }

    /// Waits until everything queued before is written or counted as lost.
    pub(super) fn flush(&self) {
        let (done, flushed) = bounded(0);
        let Some(commands) = self.commands() else { return };
        // If the thread has ended there is nobody to wait for.
        if commands.send(Command::Flush(done)).is_ok() {
            let _ = flushed.recv();
        }
    }

    pub(super) fn counts(&self) -> FeedbackCounts {
        let Counters { queued, written, lost, full, last_error, .. } = &*self.counters;
        // What was queued last, so that nothing is counted as written that was not queued.
        let [written, lost, full] = [written, lost, full].map(|count| count.load(Ordering::Acquire));
        FeedbackCounts {
            written,
            waiting: queued.load(Ordering::Acquire).saturating_sub(written + lost),
            dropped: lost + full,
            last_error: last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// What is sent to, until it is closed.
    fn commands(&self) -> Option<Sender<Command>> {
        self.commands.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes out what is queued and ends the thread, or leaves it to its last request after a while. Returns what
    /// became of all answers. Then nothing can be queued any more.
    pub(super) fn close(&self) -> FeedbackCounts {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        *self.commands.write().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(thread) = thread.take() {
            match self.ended.recv_timeout(CLOSING) {
                Err(RecvTimeoutError::Disconnected) if thread.join().is_ok() => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.counters.failed("the thread that logs answers has panicked".into());
                }
                _ => self.counters.late.store(true, Ordering::Release),
            }
        }
        self.counts()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        if self.commands().is_none() {
            return;
        }
        let FeedbackCounts { waiting, last_error, .. } = self.close();
        if waiting > 0 {
            tracing::warn!(waiting, last_error, "answers were not logged: the cluster took too long");
        }
    }
}

impl Counters {
    fn send(&self, batch: Vec<Impression>, sink: &mut Sink) {
        let all = batch.len() as u64;
        if all == 0 {
            return;
        }
        let (lost, why) = match sink(batch) {
            Ok(refused) => refused,
            Err(error) => (all, Some(error.to_string())),
        };
        self.lost.fetch_add(lost, Ordering::Release);
        self.written.fetch_add(all - lost, Ordering::Release);
        if let Some(why) = why {
            self.failed(why);
        }
    }

    /// Says so where it has not been the same reason before.
    fn failed(&self, why: String) {
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() != Some(&why) {
            tracing::warn!(why, "answers were not logged");
        }
        *last = Some(why);
    }
}

/// The answers that go with the next request, and who waits for them. `None` once the queue is closed and empty.
fn next(waiting: &Receiver<Command>) -> Option<(Vec<Impression>, Vec<Sender<()>>)> {
    let (mut batch, mut flushed) = (Vec::new(), Vec::new());
    let mut command = waiting.recv().ok()?;
    let deadline = Instant::now() + TOGETHER;
    loop {
        match command {
            Command::Log(answer) => batch.push(*answer),
            Command::Flush(done) => flushed.push(done),
        }
        if batch.len() >= MOST || !flushed.is_empty() {
            return Some((batch, flushed));
        }
        match waiting.recv_deadline(deadline) {
            Ok(next) => command = next,
            // Closed or late: what there is goes.
            Err(_) => return Some((batch, flushed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{GenerationId, QueryId};

    fn answer(id: u64) -> Impression {
        Impression {
            query_id: QueryId(id),
            time_ms: 7,
            generation: GenerationId(1),
            query: "q".into(),
            words: None,
            session: None,
            trial: None,
            hits: Vec::new(),
        }
    }

    #[test]
    fn a_full_queue_costs_answers_and_no_search_waits() {
        let (taken, go_on) = (bounded(1), bounded::<()>(0));
        let (began, may) = (taken.0, go_on.1);
        let sink = move |batch: Vec<Impression>| {
            let _ = began.send(batch.len());
            let _ = may.recv();
            Ok((0, None))
        };
        let queue = Queue::new(2, Box::new(sink)).unwrap();
        assert!(queue.log(answer(0)));
        assert_eq!(taken.1.recv().unwrap(), 1);
        let logged = (1..=5).filter(|&id| queue.log(answer(id))).count();
        assert_eq!(logged, 2);
        let counts = queue.counts();
        assert_eq!((counts.written, counts.waiting, counts.dropped), (0, 3, 3));
        drop(go_on.0);
        let counts = queue.close();
        assert_eq!(counts, FeedbackCounts { written: 3, dropped: 3, ..FeedbackCounts::default() });
        assert!(!queue.log(answer(9)));
    }

    #[test]
    fn what_a_cluster_refuses_is_counted_with_the_reason() {
        let mut left = vec![Ok((1, Some("too long".to_string())))];
        let sink = move |_: Vec<Impression>| {
            left.pop().unwrap_or_else(|| Err(Error::invalid("the cluster", "nobody", "an answer")))
        };
        let queue = Queue::new(8, Box::new(sink)).unwrap();
        (0..3).for_each(|id| assert!(queue.log(answer(id))));
        queue.flush();
        let FeedbackCounts { written, waiting, dropped, last_error } = queue.counts();
        assert_eq!((written, waiting, dropped, last_error.as_deref()), (2, 0, 1, Some("too long")));
        assert!(queue.log(answer(3)));
        let counts = queue.close();
        assert_eq!((counts.written, counts.dropped), (2, 2));
        assert!(counts.last_error.unwrap().contains("nobody"));
    }

    #[test]
    fn a_thread_that_panics_costs_its_answers() {
        let queue = Queue::new(8, Box::new(|_| panic!("in the sink"))).unwrap();
        assert!(queue.log(answer(0)));
        queue.flush();
        // It may be ending still.
        queue.log(answer(1));
        let FeedbackCounts { written, waiting, dropped, last_error } = queue.close();
        assert_eq!((written, waiting + dropped), (0, 2));
        assert!(last_error.unwrap().contains("panicked"));
    }
}
