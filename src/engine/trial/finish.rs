//! The end of a trial.

use std::sync::{Arc, PoisonError};

use super::catch_up::lacking;
use super::state::OnTrial;
use super::stored::StoredTrial;
use crate::clock::now_ms;
use crate::engine::Engine;
use crate::engine::open::read_manifest;
use crate::error::Result;
use crate::generation::{Generation, Pinned, end_trial, promote};
use crate::ids::GenerationId;
use crate::learn::{Decision, RoundReport, TrialReport};
use crate::search::Snapshot;
use crate::trial::Outcome;

impl Engine {
    /// Ends the trial without a decision. The candidate is removed, and the serving generation goes on alone. Returns
    /// what users had said so far; `None` if there is no trial.
    ///
    /// # Errors
    /// [`Error::RoundRunning`](crate::Error::RoundRunning); [`Error::Io`](crate::Error::Io).
    pub fn end_trial(&self) -> Result<Option<TrialReport>> {
        let _round = self.begin_round("end a trial")?;
        let Some(trial) = self.inner.trials.current.swap(None) else { return Ok(None) };
        self.drop_candidate(&trial, "it was ended by hand")?;
        let stored = trial.stored().clone();
        Ok(Some(stored.report))
    }

    /// Closes the books of a trial, now that `serving` is another generation.
    pub(in crate::engine) fn supersede(&self, serving: GenerationId) {
        let Some(trial) = self.inner.trials.current.swap(None) else { return };
        let stored = trial.stored().clone();
        let reason = (stored.report.candidate != serving).then_some("another generation serves");
        if let Err(error) = self.close_trial(stored, reason) {
            tracing::warn!(%error, "the report of a trial could not be kept");
        }
    }

    /// Publishes or removes the candidate, as the votes have decided. One that lacks vectors goes on until it has
    /// caught up.
    pub(super) fn finish_trial(&self, trial: &Arc<OnTrial>) -> Result<()> {
        // Who wants to begin a round meanwhile waits.
        let _ending = self.inner.trials.ending();
        let _rounds = self.lock_rounds("end a trial")?;
        // Somebody else may have ended it meanwhile.
        if self.inner.trials.current().is_none_or(|current| current.id() != trial.id()) {
            return Ok(());
        }
        let outcome = trial.stored().trial.outcome();
        match outcome {
            Some(Outcome::Better) => self.publish_candidate(trial),
            _ => {
                self.inner.trials.current.store(None);
                self.end_in_manifest(trial.id())?;
                self.close_trial(trial.stored().clone(), None)
            }
        }
    }

    /// Makes the candidate the serving generation if it has all vectors. It does not get them here: additions would
    /// wait.
    fn publish_candidate(&self, trial: &OnTrial) -> Result<()> {
        let mut guard = self.lock_writer("publish a generation")?;
        let writer = guard.get()?;
        let lexical = self.inner.lexical.snapshot()?;
        let live = lexical.live_chunks();
        let mut slot = trial.dense.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(dense) = slot.take() else { return Ok(()) };
        let promoted = dense.view(&live).and_then(|view| {
            if !lacking(&view, &writer.dense.view(&live)?).is_empty() {
                return Ok(None);
            }
            let dropped = promote(&self.inner.layout.generations(), self.inner.options.keep_generations)?;
            Ok(Some((view, dropped.unwrap_or_default())))
        });
        let (view, dropped) = match promoted {
            Ok(Some(promoted)) => promoted,
            other => {
                *slot = Some(dense);
                return other.map(drop);
            }
        };
        writer.dense = dense;
        self.wake_upkeep(&writer.dense, &view);
        let pinned = Pinned { dense: view, generation: Arc::clone(&trial.generation) };
        // This closes the books too.
        self.swap(Snapshot { lexical, pinned }, &dropped);
        Ok(())
    }

    /// Ends the trial of a candidate that can't be used.
    pub(super) fn discard(&self, trial: &Arc<OnTrial>, reason: &str) -> Result<()> {
        let before = self.inner.trials.current.compare_and_swap(trial, None);
        match &*before {
            Some(current) if Arc::ptr_eq(current, trial) => self.drop_candidate(trial, reason),
            // Somebody else has ended it.
            _ => Ok(()),
        }
    }

    fn drop_candidate(&self, trial: &OnTrial, reason: &str) -> Result<()> {
        self.end_in_manifest(trial.id())?;
        trial.stored().report.end(now_ms(), Some(reason.into()));
        let stored = trial.stored().clone();
        self.close_trial(stored, Some(reason))
    }

    pub(super) fn end_in_manifest(&self, id: GenerationId) -> Result<()> {
        let _writer = self.lock_writer("end a trial")?;
        // Another one may have taken its place.
        if read_manifest(&self.inner.layout)?.candidate == Some(id) {
            end_trial(&self.inner.layout.generations())?;
        }
        self.remove_generation(id);
        Ok(())
    }

    /// Removes what is on trial without votes.
    pub(super) fn abandon_candidate(&self) -> Result<()> {
        if let Some(id) = end_trial(&self.inner.layout.generations())? {
            self.remove_generation(id);
        }
        Ok(())
    }

    pub(super) fn remove_generation(&self, id: GenerationId) {
        let mut generations = self.inner.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = generations.remove(&self.inner.layout.generations(), id) {
            tracing::warn!(%error, generation = %id, "a generation that is not in use can't be removed");
        }
    }

    /// Writes into the round's report how its trial has ended, by its votes or for another reason, and forgets the
    /// trial.
    pub(super) fn close_trial(&self, stored: StoredTrial, reason: Option<&str>) -> Result<()> {
        let candidate = stored.report.candidate;
        self.note_end(stored, reason)?;
        let _file = self.inner.trials.file();
        match StoredTrial::read(&self.inner.layout) {
            // Another one has taken its place.
            Ok(Some(kept)) if kept.report.candidate != candidate => Ok(()),
            _ => StoredTrial::remove(&self.inner.layout),
        }
    }

    /// Writes into the round's report how its trial has ended.
    pub(super) fn note_end(&self, stored: StoredTrial, reason: Option<&str>) -> Result<()> {
        let mut trial = stored.report;
        trial.end(now_ms(), reason.map(Into::into));
        let published = reason.is_none() && trial.outcome == Some(Outcome::Better);
        let fusion = match published {
            true => self.fusion_of(trial.candidate),
            false => None,
        };
        self.inner.history.amend(trial.round, |report| {
            record(report, &trial, published);
            report.fusion = fusion.unwrap_or(report.fusion);
        })?;
        match published {
            true => {
                tracing::info!(generation = %trial.candidate, votes = trial.votes, "a trial ended: published")
            }
            false => {
                tracing::info!(generation = %trial.candidate, votes = trial.votes, "a trial ended: removed")
            }
        }
        Ok(())
    }

    fn fusion_of(&self, id: GenerationId) -> Option<crate::Fusion> {
        let source = self.inner.options.model_source();
        let generation = Generation::open_unloaded(&self.inner.layout.generations(), id, &source);
        generation.ok().map(|generation| generation.meta.fusion)
    }
}

/// A round that had published something else stays published. A process that ended before it could remove the file of
/// the trial has written this already.
pub(super) fn record(report: &mut RoundReport, trial: &TrialReport, published: bool) {
    if report.trial.as_ref().is_some_and(|before| before.candidate == trial.candidate && !before.is_running())
    {
        return;
    }
    let gate = &mut report.gate;
    if published {
        gate.decision = Decision::Published;
        gate.reason = format!("published by users: {}; {}", trial.verdict(), gate.reason);
        (report.tier, report.generation) = (Some(trial.tier), trial.candidate);
    } else if gate.decision == Decision::OnTrial {
        gate.decision = Decision::Rejected;
        gate.reason = format!("{}; {}", trial.verdict(), gate.reason);
    }
    report.trial = Some(trial.clone());
}
