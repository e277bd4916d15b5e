//! The background worker: it only schedules [`Engine::learn`].

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};

use super::idle::IdleWatch;
use super::options::LearnPolicy;
use super::{Engine, Inner};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::learn::{LearnOptions, LearnProgress, LearnStage, RoundReport};

const THREAD: &str = "retune-learn";
/// Rounds that may wait; a further request is refused.
const QUEUE: usize = 4;
/// How often a round that waits looks whether it may go on.
const LOOK: Duration = Duration::from_millis(50);
/// How often the worker looks whether the machine is idle enough for a round that is due.
const IDLE_LOOK: Duration = Duration::from_secs(1);

/// A round that the worker was asked for.
#[derive(Debug)]
struct Request {
    options: LearnOptions,
    wish: Arc<Wish>,
    reply: Sender<Result<RoundReport>>,
}

/// What the application wishes of a round.
#[derive(Debug, Default)]
struct Wish {
    cancel: AtomicBool,
    pause: AtomicBool,
}

/// A round that runs in the background.
#[derive(Debug)]
pub struct LearnTask {
    wish: Arc<Wish>,
    reply: Receiver<Result<RoundReport>>,
}

impl LearnTask {
    /// Asks the round to stop at its next batch, paused or not. [`wait`](LearnTask::wait) then returns [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.wish.cancel.store(true, Ordering::Release);
    }

    /// Asks the round to wait at its next batch until it is told to [`resume`](LearnTask::resume). It keeps its memory, and other
    /// rounds have to wait with it; searches and changes don't. One that is being published already is finished first.
    pub fn pause(&self) {
        self.wish.pause.store(true, Ordering::Release);
    }

    /// Lets a paused round go on.
    pub fn resume(&self) {
        self.wish.pause.store(false, Ordering::Release);
    }

    /// Waits for the round's end.
    pub fn wait(self) -> Result<RoundReport> {
        self.reply.recv().unwrap_or(Err(Error::Closed { doing: "finish the round" }))
    }
}

/// Handle of the worker's thread.
#[derive(Debug)]
pub(super) struct Worker {
    requests: Sender<Request>,
    /// A judgement was recorded: look at the policy.
    wake: Sender<()>,
    stop: Arc<AtomicBool>,
    judged: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
    failure: Receiver<Error>,
}

impl Engine {
    /// Starts a round on the background worker and returns at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] when too many rounds are waiting already.
    pub fn learn_in_background(&self, options: LearnOptions) -> Result<LearnTask> {
        self.log("learn")?;
        options.validate()?;
        self.start_worker()?;
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(worker) = worker.as_ref() else { return Err(Error::Closed { doing: "learn" }) };
        let (reply, receiver) = bounded(1);
        let wish = Arc::new(Wish::default());
        let request = Request { options, wish: Arc::clone(&wish), reply };
        worker.requests.try_send(request).map_err(|_| {
            Error::invalid(
                "starting a round",
                format!("{QUEUE} rounds waiting"),
                "fewer: wait for one of them",
            )
        })?;
        Ok(LearnTask { wish, reply: receiver })
    }

    pub(super) fn start_worker(&self) -> Result<()> {
        let mut slot = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let policy = self.inner.options.policy.clone();
            // Reading the log is left out where nobody asks.
            let backlog = if policy.is_active() { self.backlog()? } else { Backlog::default() };
            *slot = Some(Worker::start(Arc::downgrade(&self.inner), policy, backlog)?);
        }
        Ok(())
    }

    /// Tells the policy that there is something new to learn from.
    pub(super) fn count_judgement(&self) {
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = worker.as_ref() {
            worker.judged.fetch_add(1, Ordering::AcqRel);
            // Full: it has been woken and not looked yet.
            let _ = worker.wake.try_send(());
        }
    }

    /// Judgements that no round has learned from yet, as far as the policy counts them.
    pub(super) fn judged(&self) -> usize {
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        worker.as_ref().map_or(0, |worker| worker.judged.load(Ordering::Acquire))
    }

    /// Tells the policy that a round has come to its end which `judged` of the judgements were counted before.
    pub(super) fn discount_judgements(&self, judged: usize) {
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = worker.as_ref() {
            discount(&worker.judged, judged);
        }
    }

    /// What earlier runs of the application have left to learn, by the log and the last report.
    fn backlog(&self) -> Result<Backlog> {
        let judgements = self.log("learn")?.replay()?.judgements;
        let last = self.inner.history.last()?;
        let since = last.as_ref().map_or(0, |round| round.started_ms);
        let waiting = || judgements.iter().filter(|judgement| judgement.time_ms >= since);
        let waited_from = match &last {
            Some(round) => round.started_ms + (round.seconds.total * 1000.0) as u64,
            // No round yet: the oldest judgement has waited longest.
            None => waiting().map(|judgement| judgement.time_ms).min().unwrap_or_else(now_ms),
        };
        let waited = Duration::from_millis(now_ms().saturating_sub(waited_from));
        Ok(Backlog { judged: waiting().count(), waited })
    }
}

/// What the policy starts from.
#[derive(Debug, Default)]
struct Backlog {
    /// Judgements since the last round.
    judged: usize,
    /// How long ago the last round ended.
    waited: Duration,
}

impl Worker {
    fn start(engine: Weak<Inner>, policy: LearnPolicy, backlog: Backlog) -> Result<Worker> {
        let (requests, requested) = bounded(QUEUE);
        let (wake, woken) = bounded(1);
        // The backlog may be enough already: look at once.
        let _ = wake.try_send(());
        let (failed, failure) = bounded(1);
        let stop = Arc::new(AtomicBool::new(false));
        let judged = Arc::new(AtomicUsize::new(backlog.judged));
        let shared =
            Schedule { engine, policy, stop: Arc::clone(&stop), judged: Arc::clone(&judged), failed };
        let thread = std::thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || shared.run(&requested, &woken, backlog.waited))
            .map_err(|source| Error::Io { doing: "start the thread", path: THREAD.into(), source })?;
        Ok(Worker { requests, wake, stop, judged, thread, failure })
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

/// What the worker's thread knows.
struct Schedule {
    /// Weak: a forgotten engine must not be kept open by its own worker.
    engine: Weak<Inner>,
    policy: LearnPolicy,
    stop: Arc<AtomicBool>,
    judged: Arc<AtomicUsize>,
    failed: Sender<Error>,
}

impl Schedule {
    /// `before` is how long the last round lay back when the thread began.
    fn run(&self, requested: &Receiver<Request>, woken: &Receiver<()>, mut before: Duration) {
        let mut from = Instant::now();
        let mut idle = self.policy.idle.map(IdleWatch::new);
        let mut waits = false;
        while !self.stop.load(Ordering::Acquire) {
            let tick = match self.policy.interval {
                _ if waits => after(IDLE_LOOK),
                // Late and nothing judged: look again after a whole interval, not at once.
                Some(interval) => after(interval.checked_sub(before + from.elapsed()).unwrap_or(interval)),
                None => never(),
            };
            select! {
                recv(requested) -> request => match request {
                    Ok(request) => {
                        let result = self.round(&request.options, &request.wish, None);
                        (before, from) = (Duration::ZERO, Instant::now());
                        // Whoever asked may have lost interest.
                        let _ = request.reply.send(result);
                        continue;
                    }
                    Err(_) => return,
                },
                recv(woken) -> _ => {}
                recv(tick) -> _ => {}
            }
            let due = !self.stop.load(Ordering::Acquire) && self.is_due(before + from.elapsed());
            waits = due && idle.as_mut().is_some_and(|idle| !self.is_idle(idle));
            if due && !waits {
                self.round_of_policy(idle.as_mut());
                (before, from) = (Duration::ZERO, Instant::now());
            }
        }
    }

    fn round_of_policy(&self, idle: Option<&mut IdleWatch>) {
        let judged = self.judged.load(Ordering::Acquire);
        match self.round(&self.policy.options, &Wish::default(), idle) {
            // The application's own round learns from what was judged, and counts it off.
            Ok(_) | Err(Error::RoundRunning { .. }) => {}
            Err(error) => {
                // Not again at the very next judgement: what made it fail may last.
                discount(&self.judged, judged);
                self.report(error);
            }
        }
    }

    fn is_idle(&self, idle: &mut IdleWatch) -> bool {
        let searched = self.engine.upgrade().and_then(|inner| inner.last_search.ago());
        idle.is_idle(Instant::now(), searched)
    }

    fn is_due(&self, waited: Duration) -> bool {
        let judged = self.judged.load(Ordering::Acquire);
        let enough = self.policy.new_judgements.is_some_and(|least| judged >= least);
        let late = self.policy.interval.is_some_and(|interval| waited >= interval);
        enough || (late && judged > 0)
    }

    /// One round, which waits when that is wished, and while the machine is not `idle`.
    fn round(
        &self,
        options: &LearnOptions,
        wish: &Wish,
        mut idle: Option<&mut IdleWatch>,
    ) -> Result<RoundReport> {
        let Some(inner) = self.engine.upgrade() else { return Err(Error::Closed { doing: "learn" }) };
        let engine = Engine { inner };
        let mut progress = |progress: LearnProgress| loop {
            if wish.cancel.load(Ordering::Acquire) || self.stop.load(Ordering::Acquire) {
                return ControlFlow::Break(());
            }
            // A round that is being published holds the writer: it must not wait.
            let paused = progress.stage != LearnStage::Publish
                && (wish.pause.load(Ordering::Acquire)
                    || idle.as_mut().is_some_and(|idle| !self.is_idle(idle)));
            engine.inner.history.pause(paused);
            if !paused {
                return ControlFlow::Continue(());
            }
            std::thread::sleep(LOOK);
        };
        catch_unwind(AssertUnwindSafe(|| engine.learn_aside(options, &self.stop, &mut progress)))
            .unwrap_or_else(|panic| Err(Error::Panicked { thread: THREAD, message: panic_message(&*panic) }))
    }

    fn report(&self, error: Error) {
        if matches!(error, Error::Cancelled { .. } | Error::Closed { .. }) {
            return;
        }
        tracing::error!(%error, "a background round failed");
        // The first failure is the one that `close` returns.
        let _ = self.failed.try_send(error);
    }
}

/// A round of the application may have discounted some of them already.
fn discount(counter: &AtomicUsize, judged: usize) {
    let _ =
        counter.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| Some(count.saturating_sub(judged)));
}

pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
