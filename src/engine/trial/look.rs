//! What is told of a trial.

use std::sync::atomic::Ordering;

use super::stored::StoredTrial;
use crate::clock::now_ms;
use crate::engine::{Access, Engine, Reader};
use crate::error::Result;
use crate::learn::TrialReport;
use crate::trial::Outcome;

/// A log that is larger by a half, and by so many judgements, is worth another round.
const LEAST_MORE: u64 = 100;

impl Reader {
    /// The trial that goes on: a trained generation that answers beside the serving one until picks have decided which
    /// of them is better. `None` if there is none. See `docs/trial.md`.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if its file can't be read.
    pub fn trial(&self) -> Result<Option<TrialReport>> {
        self.check_open("tell the trial")?;
        match (self.inner.trials.current(), &self.inner.access) {
            (Some(trial), _) => Ok(Some(trial.report())),
            (None, Access::Writing(_)) if self.inner.options.trial_share > 0.0 => Ok(None),
            (None, _) => Ok(StoredTrial::read(&self.inner.layout)?.map(|stored| stored.report)),
        }
    }
}

impl Engine {
    /// Whether a round must wait for the trial that goes on. It must where users have decided, for they come first. For
    /// 30 days it must while the candidate [stands](StoredTrial::stands), and until the log has half as many judgements
    /// again, and at least [`LEAST_MORE`] more: than the last round of this process has read, or else the one that has
    /// made the candidate.
    pub(in crate::engine) fn waits_for_trial(&self) -> bool {
        let Some(trial) = self.inner.trials.current() else { return false };
        let judged = self.inner.feedback.as_ref().and_then(|log| log.judgements().ok());
        let known = trial.known.load(Ordering::Relaxed);
        let enough = known.saturating_add(LEAST_MORE.max(known / 2));
        let (stored, now_ms) = (trial.stored(), now_ms());
        let has_grown = judged.is_some_and(|count| count.standing() >= enough);
        let waits = !has_grown || stored.stands(now_ms);
        stored.trial.outcome().is_some() || waits && stored.is_young(now_ms)
    }

    /// Whether users have found the candidate on trial better by now. It is published once no round runs.
    pub(in crate::engine) fn is_proved(&self) -> Result<bool> {
        self.count_now()?;
        let trial = self.inner.trials.current();
        Ok(trial.is_some_and(|trial| trial.stored().trial.outcome() == Some(Outcome::Better)))
    }

    /// Takes note that a round has read so many judgements.
    pub(in crate::engine) fn know_judgements(&self, judged: u64) {
        if let Some(trial) = self.inner.trials.current() {
            trial.known.store(judged, Ordering::Relaxed);
        }
    }
}
