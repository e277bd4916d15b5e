//! Rounds in the background: on request, and by policy; encoding while nothing else is to be done. The worker's thread
//! only schedules [`Engine::learn`] and [`Engine::encode_pending`].

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{after, never, select};

use super::encode_idle::EncodeIdle;
use super::idle::{IdleOptions, IdleWatch};
use super::options::LearnPolicy;
use super::worker::{Control, Inbox, LearnTask, THREAD, Worker, discount, panic_message};
use super::{Engine, Inner, Reader};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::feedback::JudgementCount;
use crate::learn::{LearnOptions, LearnProgress, LearnStage, RoundReport};

/// How often a waiting round checks whether it may go on.
const LOOK: Duration = Duration::from_millis(50);
/// How often the worker checks whether the machine is idle enough for a round that is due.
const IDLE_LOOK: Duration = Duration::from_secs(1);
/// How often the worker looks for judgements of other processes.
const LOG_LOOK: Duration = Duration::from_secs(2);

impl Engine {
    /// Starts a round on the background worker and returns at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] when too many rounds are waiting already.
    pub fn learn_in_background(&self, options: LearnOptions) -> Result<LearnTask> {
        self.log_to_learn("learn")?;
        options.validate()?;
        self.start_worker()?;
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(worker) = worker.as_ref() else { return Err(Error::Closed { doing: "learn" }) };
        worker.request(options)
    }

    pub(super) fn start_worker(&self) -> Result<()> {
        let mut slot = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let policy = self.inner.options.policy.clone();
            let encode = self.inner.options.encode_when_idle;
            // Without a policy nobody needs the count: the log is not read.
            let backlog = if policy.is_active() { self.backlog()? } else { Backlog::default() };
            let engine = Arc::downgrade(&self.inner);
            *slot = Some(Worker::start(backlog.judged, backlog.logged, move |inbox| {
                Schedule { engine, policy, encode, inbox }.run(backlog.waited);
            })?);
        }
        Ok(())
    }
}

impl Reader {
    /// Tells the policy what is new in the log, from any process.
    pub(super) fn count_judgements(&self) {
        let (Some(log), true) = (&self.inner.feedback, self.inner.options.policy.is_active()) else { return };
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = worker.as_ref().map_or(Ok(()), |worker| worker.count(|| log.judgements()));
        if let Err(error) = counted {
            tracing::warn!(%error, "new judgements are not counted");
        }
    }

    /// Whether a round that was asked for in the background has not ended.
    pub(super) fn is_asked_to_learn(&self) -> bool {
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        worker.as_ref().is_some_and(Worker::is_asked)
    }

    /// Judgements that no round has learned from yet, as far as the policy counts them.
    pub(super) fn judged(&self) -> usize {
        self.count_judgements();
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        worker.as_ref().map_or(0, Worker::judged)
    }

    /// Tells the policy that a round has ended, before which `judged` judgements had been counted.
    pub(super) fn discount_judgements(&self, judged: usize) {
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = worker.as_ref() {
            worker.discount(judged);
        }
    }

    /// What earlier runs of the application have left to learn from, by the log and the last report.
    fn backlog(&self) -> Result<Backlog> {
        let judgements = self.log_to_learn("learn")?.replay()?.judgements;
        let last = self.inner.history.last()?;
        let since = last.as_ref().map_or(0, |round| round.started_ms);
        let waiting = || judgements.iter().filter(|judgement| judgement.time_ms >= since);
        let waited_from = match &last {
            Some(round) => round.started_ms + (round.seconds.total * 1000.0) as u64,
            // No round yet: the oldest judgement has waited longest.
            None => waiting().map(|judgement| judgement.time_ms).min().unwrap_or_else(now_ms),
        };
        let waited = Duration::from_millis(now_ms().saturating_sub(waited_from));
        let judged = JudgementCount::of(waiting()).standing();
        let judged = usize::try_from(judged).unwrap_or(usize::MAX);
        Ok(Backlog { judged, logged: JudgementCount::of(&judgements), waited })
    }
}

/// What the policy starts from.
#[derive(Debug, Default)]
struct Backlog {
    /// Judgements since the last round.
    judged: usize,
    /// All judgements.
    logged: JudgementCount,
    /// How long ago the last round ended.
    waited: Duration,
}

/// The state of the worker's thread.
struct Schedule {
    /// Weak: a forgotten engine must not be kept open by its own worker.
    engine: Weak<Inner>,
    policy: LearnPolicy,
    encode: Option<IdleOptions>,
    inbox: Inbox,
}

impl Schedule {
    /// `before` is how long ago the last round ended when the thread began.
    fn run(&self, mut before: Duration) {
        let (requested, woken) = (&self.inbox.requests, &self.inbox.wake);
        let mut from = Instant::now();
        let mut idle = self.policy.idle.map(IdleWatch::new);
        let mut waits = false;
        let mut encode = self.encode.map(EncodeIdle::new);
        while !self.inbox.stop.load(Ordering::Acquire) {
            let tick = match self.policy.interval {
                _ if waits => after(IDLE_LOOK),
                // Late and nothing judged: look again after a whole interval, not at once.
                Some(interval) => after(interval.checked_sub(before + from.elapsed()).unwrap_or(interval)),
                None => never(),
            };
            let others = if self.policy.is_active() { after(LOG_LOOK) } else { never() };
            let pending = if encode.is_some() { after(IDLE_LOOK) } else { never() };
            select! {
                recv(requested) -> request => match request {
                    Ok(request) => {
                        let result = self.round(&request.options, &request.control, None);
                        (before, from) = (Duration::ZERO, Instant::now());
                        self.inbox.unfinished.fetch_sub(1, Ordering::AcqRel);
                        // The caller may have dropped its handle.
                        let _ = request.reply.send(result);
                        continue;
                    }
                    Err(_) => return,
                },
                recv(woken) -> _ => {}
                recv(tick) -> _ => {}
                recv(pending) -> _ => {
                    if let Some(encode) = &mut encode {
                        self.encode(encode);
                    }
                }
                recv(others) -> _ => {
                    if let Some(inner) = self.engine.upgrade() {
                        Reader { inner }.count_judgements();
                    }
                }
            }
            let due = !self.inbox.stop.load(Ordering::Acquire)
                && self.is_due(before + from.elapsed())
                && !self.waits_for_trial();
            waits = due && idle.as_mut().is_some_and(|idle| !self.is_idle(idle));
            if due && !waits {
                self.round_of_policy(idle.as_mut());
                (before, from) = (Duration::ZERO, Instant::now());
            }
        }
    }

    fn encode(&self, encode: &mut EncodeIdle) {
        let Some(inner) = self.engine.upgrade() else { return };
        let Inbox { requests, wake, stop, .. } = &self.inbox;
        let wanted = || stop.load(Ordering::Acquire) || !requests.is_empty() || !wake.is_empty();
        encode.run(&Engine { reader: Reader { inner } }, &wanted);
    }

    fn waits_for_trial(&self) -> bool {
        let engine = self.engine.upgrade().map(|inner| Engine { reader: Reader { inner } });
        engine.is_some_and(|engine| engine.waits_for_trial())
    }

    fn round_of_policy(&self, idle: Option<&mut IdleWatch>) {
        let judged = self.inbox.judged.load(Ordering::Acquire);
        match self.round(&self.policy.options, &Control::default(), idle) {
            // The application's own round learns from what was judged, and counts it off.
            Ok(_) | Err(Error::RoundRunning { .. }) => {}
            Err(error) => {
                // Not again at the very next judgement: what made it fail may last.
                discount(&self.inbox.judged, judged);
                self.report(error);
            }
        }
    }

    fn is_idle(&self, idle: &mut IdleWatch) -> bool {
        let searched = self.engine.upgrade().and_then(|inner| inner.last_search.ago());
        idle.is_idle(Instant::now(), searched)
    }

    fn is_due(&self, waited: Duration) -> bool {
        let judged = self.inbox.judged.load(Ordering::Acquire);
        let enough = self.policy.new_judgements.is_some_and(|least| judged >= least);
        let late = self.policy.interval.is_some_and(|interval| waited >= interval);
        enough || (late && judged > 0)
    }

    /// Runs one round. It waits while it is paused and while the machine is not `idle`.
    fn round(
        &self,
        options: &LearnOptions,
        control: &Control,
        mut idle: Option<&mut IdleWatch>,
    ) -> Result<RoundReport> {
        let Some(inner) = self.engine.upgrade() else { return Err(Error::Closed { doing: "learn" }) };
        let engine = Engine { reader: Reader { inner } };
        let mut progress = |progress: LearnProgress| loop {
            *control.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
            let history = &engine.inner.history;
            let cancelled = control.cancel.load(Ordering::Acquire) || history.is_cancelled();
            if cancelled || self.inbox.stop.load(Ordering::Acquire) {
                return ControlFlow::Break(());
            }
            // A round that is being published holds the writer: it must not wait.
            let paused = progress.stage != LearnStage::Publish
                && (control.pause.load(Ordering::Acquire)
                    || idle.as_mut().is_some_and(|idle| !self.is_idle(idle)));
            history.pause(paused);
            if !paused {
                return ControlFlow::Continue(());
            }
            std::thread::sleep(LOOK);
        };
        catch_unwind(AssertUnwindSafe(|| engine.learn_aside(options, &self.inbox.stop, &mut progress)))
            .unwrap_or_else(|panic| Err(Error::Panicked { thread: THREAD, message: panic_message(&*panic) }))
    }

    fn report(&self, error: Error) {
        if matches!(error, Error::Cancelled { .. } | Error::Closed { .. }) {
            return;
        }
        tracing::error!(%error, "a background round failed");
        // The first failure is the one that `close` returns.
        let _ = self.inbox.failure.try_send(error);
    }
}
