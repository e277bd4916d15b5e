//! Rounds of learning, and publishing what they have made.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use super::Engine;
use super::threads::{all_but_one, on_threads};
use super::trial::begin::Origin;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::feedback::JudgementCount;
use crate::generation::{Building, Candidate, Pinned, Published, publish};
use crate::ids::GenerationId;
use crate::learn::{
    Decision, Helpers, LearnOptions, LearnProgress, LearnStage, Overall, Progress, RoundInput, RoundReport,
    Running, Unfinished, prepare_round,
};
use crate::search::Snapshot;

/// While fewer chunks than this were added during a reindex, they are encoded with the writer held.
const FEW_CHUNKS: usize = 64;

/// What a round is for.
#[derive(Clone, Copy)]
enum Purpose<'a> {
    /// To publish what it learns. If it is cancelled while `closing` is set, the next round may resume it. With `trial`
    /// what can't be proved may go on trial. `helpers` encode passages beside this machine.
    Publish { closing: Option<&'a AtomicBool>, trial: bool, helpers: Option<&'a dyn Helpers> },
    /// To see what it would come to.
    Look,
}

/// A running round. The mark is dropped before the lock, so that it never belongs to another round.
pub(super) struct Round<'a> {
    _running: Running<'a>,
    _lock: MutexGuard<'a, ()>,
}

impl Engine {
    /// Runs one round: collect → mine → train → gate → publish. Searches and additions go on meanwhile. `progress` is
    /// called at every batch and stops the round by breaking.
    ///
    /// A rejected, skipped, cancelled or failed round leaves everything as it was; the report of a rejected or skipped
    /// one says why. A published one returns its report even if that could not be kept; then it is missing from
    /// [`rounds`](super::Reader::rounds). If the process dies while a long one trains, the next round with the same
    /// options goes on from its last checkpoint.
    ///
    /// # Errors
    /// [`Error::Invalid`] for unusable options; [`Error::RoundRunning`]; [`Error::Cancelled`].
    pub fn learn(&self, options: &LearnOptions, progress: &mut Progress<'_>) -> Result<RoundReport> {
        let purpose = Purpose::Publish { closing: None, trial: self.has_trials(), helpers: None };
        self.run_round(options, purpose, progress)
    }

    /// As [`learn`](Engine::learn), with others that encode passages. Nothing goes on trial.
    #[cfg(feature = "opensearch")]
    pub(super) fn learn_with(
        &self,
        helpers: &dyn Helpers,
        options: &LearnOptions,
        progress: &mut Progress<'_>,
    ) -> Result<RoundReport> {
        let purpose = Purpose::Publish { closing: None, trial: false, helpers: Some(helpers) };
        self.run_round(options, purpose, progress)
    }

    /// Runs a round as [`learn`](Engine::learn) would now, and publishes nothing. It takes as long, and meanwhile needs
    /// as much memory and disk space. The report says what the round would learn from
    /// ([`evidence`](RoundReport::evidence)), what the gate would decide, and which held-out queries would win and
    /// lose.
    ///
    /// Nothing is changed, except that the log's waiting records are written: the report is not kept, the judgements
    /// stay new to the policy, and no attempt of the alpha budget is spent. So the budget holds for the same round run
    /// afterwards, but not for the best of several that were tried in this way.
    ///
    /// # Errors
    /// As [`learn`](Engine::learn).
    pub fn dry_run(&self, options: &LearnOptions, progress: &mut Progress<'_>) -> Result<RoundReport> {
        self.run_round(options, Purpose::Look, progress)
    }

    fn run_round(
        &self,
        options: &LearnOptions,
        purpose: Purpose<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<RoundReport> {
        options.validate()?;
        match options.threads {
            None => self.round(options, purpose, progress),
            Some(threads) => {
                on_threads(threads, false, progress, |progress| self.round(options, purpose, progress))
            }
        }
    }

    /// A round that gives way to everything else. Where it is cancelled and `closing` says that the engine is being
    /// closed, the next round may go on from its checkpoint.
    pub(super) fn learn_aside(
        &self,
        options: &LearnOptions,
        closing: &AtomicBool,
        progress: &mut Progress<'_>,
    ) -> Result<RoundReport> {
        options.validate()?;
        let threads = options.threads.unwrap_or_else(all_but_one);
        let purpose = Purpose::Publish { closing: Some(closing), trial: self.has_trials(), helpers: None };
        on_threads(threads, true, progress, |progress| self.round(options, purpose, progress))
    }

    fn round(
        &self,
        options: &LearnOptions,
        purpose: Purpose<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<RoundReport> {
        let (doing, trial, helpers) = match purpose {
            Purpose::Publish { trial, helpers, .. } => ("learn", trial, helpers),
            Purpose::Look => ("try a round of learning", self.has_trials(), None),
        };
        let log = self.log_to_learn(doing)?;
        let _round = self.begin_round(doing)?;
        // Before the log is read: what is judged from here on is the next round's.
        let (started_ms, judged) = (now_ms(), self.judged());
        if matches!(purpose, Purpose::Publish { .. }) && self.waits_for_trial() {
            return self.skip_for_trial(started_ms);
        }
        log.flush()?;
        let mut replay = log.replay()?;
        let snapshot = self.inner.snapshot.load_full();
        let (path, all) = (self.inner.layout.checkpoint(), JudgementCount::of(&replay.judgements).standing());
        let begin = match purpose {
            Purpose::Publish { .. } => Unfinished::begin,
            Purpose::Look => Unfinished::look,
        };
        let unfinished = begin(&path, options, &snapshot.pinned.generation, started_ms, &mut replay)?;
        let input = RoundInput {
            round: self.inner.history.next_round()?,
            started_ms: unfinished.started_ms(),
            attempts: self.inner.history.attempts()?,
            trial: trial && options.significance.is_some(),
            root: &self.inner.layout.generations(),
            snapshot: &snapshot,
            replay: &replay,
            options,
            dense: &self.inner.settings.dense,
            checkpoints: unfinished.checkpoints(options),
            helpers,
        };
        let closing = match purpose {
            Purpose::Publish { closing, .. } => closing,
            Purpose::Look => return self.only_prepare(&input, progress),
        };
        let report = self.prepare_and_publish(&input, all, progress);
        if closing.is_some_and(|closing| closing.load(Ordering::Acquire))
            && matches!(report, Err(Error::Cancelled { .. }))
        {
            unfinished.keep();
        }
        let mut report = report?;
        let kept = self.inner.history.write(&mut report);
        match report.gate.decision {
            // The new generation answers already: the caller must get the report.
            Decision::Published => kept.unwrap_or_else(|error| {
                tracing::error!(%error, "what is known of a round that was published could not be kept");
            }),
            _ => kept?,
        }
        // A resumed round has not read what was judged since it was interrupted.
        let left = all.saturating_sub(JudgementCount::of(&replay.judgements).standing());
        self.discount_judgements(judged.saturating_sub(usize::try_from(left).unwrap_or(usize::MAX)));
        if report.gate.decision != Decision::Published {
            tracing::info!(reason = report.gate.reason, "the round changed nothing");
        }
        Ok(report)
    }

    /// The report of a round that waits for a trial. It is not kept: nothing was tried.
    fn skip_for_trial(&self, started_ms: u64) -> Result<RoundReport> {
        let trial = self.trial()?.map(|trial| trial.verdict()).unwrap_or_default();
        let reason = format!(
            "the generation of an earlier round is on trial ({trial}); the next round can begin when users have \
             decided, or, unless their votes speak for that generation, when the log has half as many judgements again \
             (100 more at least); to learn at once, end the trial with Engine::end_trial or `retune trial --end`"
        );
        let serving = &self.inner.snapshot.load().pinned.generation.meta;
        Ok(RoundReport::skipped(self.inner.history.next_round()?, started_ms, serving, reason))
    }

    fn prepare_and_publish(
        &self,
        input: &RoundInput<'_>,
        judged: u64,
        progress: &mut Progress<'_>,
    ) -> Result<RoundReport> {
        let started = Instant::now();
        let progress = &mut self.told(progress);
        let mut round = prepare_round(input, progress)?;
        let serving = &input.snapshot.pinned.generation.meta;
        // What they have proved is published as soon as no round runs.
        if self.is_proved()? {
            (round.accepted, round.on_trial) = (None, None);
            round.report.give_way(serving);
        }
        if let Some(building) = round.accepted {
            let publishing = Instant::now();
            round.report.generation = self.publish(building, progress)?;
            round.report.seconds.publish = publishing.elapsed().as_secs_f64();
        }
        if let Some(candidate) = round.on_trial {
            let origin = Origin { round: round.report.round, judged };
            match self.begin_trial(candidate, origin, progress) {
                Ok(Some(trial)) => round.report.trial = Some(trial),
                Ok(None) => round.report.give_way(serving),
                // What was published answers already: the caller must get the report.
                Err(error) if round.report.gate.decision == Decision::Published => {
                    tracing::error!(%error, "a trial could not begin");
                }
                Err(error) => return Err(error),
            }
        }
        self.know_judgements(JudgementCount::of(&input.replay.judgements).standing());
        round.report.seconds.total = started.elapsed().as_secs_f64();
        Ok(round.report)
    }

    /// Runs a round up to publishing, and throws away what it has made.
    fn only_prepare(&self, input: &RoundInput<'_>, progress: &mut Progress<'_>) -> Result<RoundReport> {
        let started = Instant::now();
        let round = prepare_round(input, &mut self.told(progress))?;
        drop((round.accepted, round.on_trial));
        let mut report = round.report;
        (report.dry_run, report.evidence) = (true, Some(round.evidence));
        self.inner.history.forget_in(&mut report);
        report.seconds.total = started.elapsed().as_secs_f64();
        Ok(report)
    }

    /// A round's progress with its share of the whole, which the status shows too.
    fn told<'a>(
        &'a self,
        progress: &'a mut Progress<'_>,
    ) -> impl FnMut(LearnProgress) -> ControlFlow<()> + 'a {
        let (history, mut overall) = (&self.inner.history, Overall::default());
        move |at| {
            let at = overall.estimate(at);
            history.tell(at);
            if history.is_cancelled() { ControlFlow::Break(()) } else { progress(at) }
        }
    }

    /// Publishes a generation that turns queries into vectors as `other`'s does, which must have the same encoder of
    /// documents: what a round there has learnt of queries alone. Documents, their vectors and the fusion stay.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the encoders differ; [`Error::RoundRunning`]; [`Error::ReadOnly`].
    pub fn adopt_query_side(&self, other: &Engine) -> Result<GenerationId> {
        let _round = self.begin_round("adopt how queries are encoded")?;
        let snapshot = self.inner.snapshot.load_full();
        let (serving, root) = (&snapshot.pinned.generation, self.inner.layout.generations());
        let from = Arc::clone(&other.inner.snapshot.load().pinned.generation);
        let candidate = Candidate::of(&root, serving, &from)?;
        let (fusion, dense) = (serving.meta.fusion, &self.inner.settings.dense);
        let building = Building::sibling(&root, &snapshot.pinned, fusion, Some(candidate), dense)?;
        self.publish(building, &mut |_| ControlFlow::Continue(()))
    }

    pub(super) fn begin_round(&self, doing: &'static str) -> Result<Round<'_>> {
        let _ending = self.inner.trials.ending();
        let lock = self.lock_rounds(doing)?;
        Ok(Round { _running: self.inner.history.running(), _lock: lock })
    }

    /// Keeps rounds from beginning. The caller has passed [`ending`](super::trial::state::Trials::ending).
    pub(super) fn lock_rounds(&self, doing: &'static str) -> Result<MutexGuard<'_, ()>> {
        match self.inner.round.try_lock() {
            Ok(guard) => Ok(guard),
            // A panicked round leaves nothing half done: what it had built was thrown away.
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Error::RoundRunning { doing }),
        }
    }

    /// Encodes what was added since the generation was built, until few chunks are left, without holding the writer.
    pub(super) fn follow(&self, building: &mut Building, progress: &mut Progress<'_>) -> Result<()> {
        let mut told = |done, total| progress(LearnProgress::of(LearnStage::Publish, done, total));
        // Documents may be added faster than they are encoded here: don't chase them for ever.
        for _ in 0..3 {
            let serving = self.inner.snapshot.load_full();
            let (lexical, dense) = (&serving.lexical, &serving.pinned.dense);
            if building.missing(lexical, dense)?.len() <= FEW_CHUNKS {
                break;
            }
            building.catch_up(lexical, dense, &mut told)?;
        }
        Ok(())
    }

    /// Brings the new generation up to date, publishes it and lets every later search see it.
    fn publish(&self, mut building: Building, progress: &mut Progress<'_>) -> Result<GenerationId> {
        self.follow(&mut building, progress)?;
        let mut told = |done, total| progress(LearnProgress::of(LearnStage::Publish, done, total));
        let mut guard = self.lock_writer("publish a generation")?;
        let writer = guard.get()?;
        let lexical = self.inner.lexical.snapshot()?;
        building.catch_up(&lexical, &writer.dense.view(&lexical.live_chunks())?, &mut told)?;
        let root = self.inner.layout.generations();
        let keep = self.inner.options.keep_generations;
        let Published { generation, prepared: (dense, view), dropped } =
            publish(&root, building, keep, |generation| {
                let dense = generation.open_dense(&self.inner.settings.dense)?;
                let view = dense.view(&lexical.live_chunks())?;
                Ok((dense, view))
            })?;
        let id = generation.meta.id;
        writer.dense = dense;
        self.wake_upkeep(&writer.dense, &view);
        self.swap(Snapshot { lexical, pinned: Pinned { dense: view, generation } }, &dropped);
        Ok(id)
    }

    /// Puts a snapshot of another generation in place and removes the generations that nothing names any more; what
    /// can't be removed is left to the next start. The caller holds the writer.
    pub(super) fn swap(&self, snapshot: Snapshot, dropped: &[GenerationId]) {
        let mut generations = self.inner.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.add(&snapshot.pinned.generation);
        let serving = snapshot.pinned.generation.meta.id;
        let before = self.inner.snapshot.swap(Arc::new(snapshot));
        let root = self.inner.layout.generations();
        for &id in dropped {
            if let Err(error) = generations.remove(&root, id) {
                tracing::warn!(%error, generation = %id, "a generation that is not in use can't be removed");
            }
        }
        drop((before, generations));
        self.supersede(serving);
    }
}
