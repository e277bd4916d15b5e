//! The thread that runs rounds in the background, and the handles to it. What it does is
//! [`background`](super::background)'s.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::error::{Error, Result};
use crate::feedback::JudgementCount;
use crate::learn::{LearnOptions, LearnProgress, RoundReport};

pub(super) const THREAD: &str = "retune-learn";
/// Rounds that may wait; a further request is refused.
pub(super) const QUEUE: usize = 4;

/// A round that the worker was asked for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) options: LearnOptions,
    pub(super) control: Arc<Control>,
    pub(super) reply: Sender<Result<RoundReport>>,
}

/// What the application has asked of a round, and what the round tells it.
#[derive(Debug, Default)]
pub(super) struct Control {
    pub(super) cancel: AtomicBool,
    pub(super) pause: AtomicBool,
    pub(super) progress: Mutex<Option<LearnProgress>>,
}

/// A round that runs in the background. Dropping it leaves the round running.
///
/// ```no_run
/// # use std::time::Duration;
/// # fn round(engine: &retune::Engine) -> retune::Result<()> {
/// let mut task = engine.learn_in_background(retune::LearnOptions::default())?;
/// let report = loop {
///     match task.wait_timeout(Duration::from_millis(200)) {
///         Some(report) => break report?,
///         None => println!("{:?}", task.progress()),
///     }
/// };
/// println!("{}", report.gate.reason);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LearnTask {
    control: Arc<Control>,
    /// None once the result was given out.
    reply: Option<Receiver<Result<RoundReport>>>,
}

impl LearnTask {
    /// Asks the round to stop at its next batch, paused or not. [`wait`](LearnTask::wait) then returns
    /// [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.control.cancel.store(true, Ordering::Release);
    }

    /// Asks the round to wait at its next batch until it is told to [`resume`](LearnTask::resume). It keeps its memory,
    /// and other rounds have to wait with it; searches and changes don't. One that is being published already is
    /// finished first.
    pub fn pause(&self) {
        self.control.pause.store(true, Ordering::Release);
    }

    /// Lets a paused round go on.
    pub fn resume(&self) {
        self.control.pause.store(false, Ordering::Release);
    }

    /// How far the round is; `None` while it waits for its turn.
    pub fn progress(&self) -> Option<LearnProgress> {
        *self.control.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the round's end.
    ///
    /// # Errors
    /// As [`Engine::learn`](crate::Engine::learn); [`Error::Closed`] if the engine was closed before the round began,
    /// or if the result was taken already.
    pub fn wait(self) -> Result<RoundReport> {
        self.reply.and_then(|reply| reply.recv().ok()).unwrap_or_else(|| Err(ended()))
    }

    /// The result, if the round has ended. It is given out once.
    pub fn poll(&mut self) -> Option<Result<RoundReport>> {
        self.wait_timeout(Duration::ZERO)
    }

    /// Waits for the round's end for at most `timeout`. The result is given out once.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<Result<RoundReport>> {
        let result = match self.reply.as_ref().map(|reply| reply.recv_timeout(timeout)) {
            Some(Err(RecvTimeoutError::Timeout)) => return None,
            Some(Ok(result)) => result,
            Some(Err(RecvTimeoutError::Disconnected)) | None => Err(ended()),
        };
        self.reply = None;
        Some(result)
    }
}

fn ended() -> Error {
    Error::Closed { doing: "finish the round" }
}

/// Handle of the worker's thread.
#[derive(Debug)]
pub(super) struct Worker {
    requests: Sender<Request>,
    /// A judgement was recorded: look at the policy.
    wake: Sender<()>,
    stop: Arc<AtomicBool>,
    /// Judgements that no round has learned from yet.
    judged: Arc<AtomicUsize>,
    /// Rounds that were asked for and have not ended.
    unfinished: Arc<AtomicUsize>,
    /// All judgements in the log when it was looked at last.
    logged: Mutex<JudgementCount>,
    thread: JoinHandle<()>,
    failure: Receiver<Error>,
}

/// The thread's side of the handle.
pub(super) struct Inbox {
    pub(super) requests: Receiver<Request>,
    pub(super) wake: Receiver<()>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) judged: Arc<AtomicUsize>,
    pub(super) unfinished: Arc<AtomicUsize>,
    pub(super) failure: Sender<Error>,
}

impl Worker {
    /// Starts the thread, which does `work` until it is stopped. Of the `logged` judgements in the log `judged` are
    /// waiting already.
    pub(super) fn start(
        judged: usize,
        logged: JudgementCount,
        work: impl FnOnce(Inbox) + Send + 'static,
    ) -> Result<Worker> {
        let (requests, requested) = bounded(QUEUE);
        let (wake, woken) = bounded(1);
        // The judgements that are waiting may be enough already: look at once.
        let _ = wake.try_send(());
        let (failed, failure) = bounded(1);
        let (stop, judged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(judged)));
        let unfinished = Arc::new(AtomicUsize::new(0));
        let inbox = Inbox {
            requests: requested,
            wake: woken,
            stop: Arc::clone(&stop),
            judged: Arc::clone(&judged),
            unfinished: Arc::clone(&unfinished),
            failure: failed,
        };
        let thread = std::thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || work(inbox))
            .map_err(|source| Error::Io { doing: "start the thread", path: THREAD.into(), source })?;
        let logged = Mutex::new(logged);
        Ok(Worker { requests, wake, stop, judged, unfinished, logged, thread, failure })
    }

    /// Hands a round to the thread.
    ///
    /// # Errors
    /// [`Error::Invalid`] when too many rounds are waiting already.
    pub(super) fn request(&self, options: LearnOptions) -> Result<LearnTask> {
        let (reply, receiver) = bounded(1);
        let control = Arc::new(Control::default());
        let request = Request { options, control: Arc::clone(&control), reply };
        self.unfinished.fetch_add(1, Ordering::AcqRel);
        self.requests.try_send(request).map_err(|_| {
            self.unfinished.fetch_sub(1, Ordering::AcqRel);
            let found = format!("{QUEUE} rounds waiting");
            Error::invalid("the queue of rounds", found, "fewer: wait for one of them")
        })?;
        Ok(LearnTask { control, reply: Some(receiver) })
    }

    /// Whether a round that was asked for has not ended.
    pub(super) fn is_asked(&self) -> bool {
        self.unfinished.load(Ordering::Acquire) > 0
    }

    /// Counts what is new of the judgements in the log, and off what was withdrawn, and has the thread look at the
    /// policy.
    pub(super) fn count(&self, in_log: impl FnOnce() -> Result<JudgementCount>) -> Result<()> {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let now = in_log()?;
        // The log shrinks when something is forgotten.
        let new = |now: u64, before| usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX);
        let (said, withdrawn) = (new(now.said, logged.said), new(now.withdrawn, logged.withdrawn));
        *logged = now;
        if withdrawn > said {
            self.discount(withdrawn - said);
        } else if said > withdrawn {
            self.judged.fetch_add(said - withdrawn, Ordering::AcqRel);
            // Full: the thread has been woken and has not looked yet.
            let _ = self.wake.try_send(());
        }
        Ok(())
    }

    /// Judgements that no round has learned from yet.
    pub(super) fn judged(&self) -> usize {
        self.judged.load(Ordering::Acquire)
    }

    /// Counts off judgements that a round has learned from.
    pub(super) fn discount(&self, judged: usize) {
        discount(&self.judged, judged);
    }

    /// Cancels the running round, joins the thread and returns what failed in the background since the last time.
    pub(super) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Release);
        drop((self.requests, self.wake));
        if std::thread::current().id() == self.thread.thread().id() {
            // The last handle was dropped by a round itself.
            return Ok(());
        }
        let joined = self.thread.join();
        match (joined, self.failure.try_recv()) {
            (Err(panic), _) => Err(Error::Panicked { thread: THREAD, message: panic_message(&*panic) }),
            (Ok(()), Ok(error)) => Err(error),
            (Ok(()), Err(_)) => Ok(()),
        }
    }
}

/// Saturates at 0: a round of the application may have discounted some of them already.
pub(super) fn discount(counter: &AtomicUsize, judged: usize) {
    let _ =
        counter.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| Some(count.saturating_sub(judged)));
}

pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_withdrawn_counts_no_longer_and_what_is_forgotten_takes_nothing_off() {
        let count = |said, withdrawn| JudgementCount { said, withdrawn };
        let worker = Worker::start(2, count(10, 1), |_| {}).unwrap();
        let after = |said, withdrawn| {
            worker.count(|| Ok(count(said, withdrawn))).unwrap();
            worker.judged()
        };
        assert_eq!(after(13, 1), 5);
        assert_eq!(after(14, 2), 5, "one said, one withdrawn");
        assert_eq!(after(14, 3), 4);
        assert_eq!(after(4, 1), 4, "forgotten");
        assert_eq!(after(5, 1), 5);
        assert_eq!(after(5, 9), 0, "more was withdrawn than was waiting");
        worker.stop().unwrap();
    }
}
