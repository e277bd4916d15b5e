//! What is told of a trial.

use super::stored::StoredTrial;
use crate::clock::now_ms;
use crate::engine::{Access, Engine, Reader};
use crate::error::Result;
use crate::learn::TrialReport;

/// So many judgements decide most trials.
const LEAST_MORE: u64 = 1500;
/// After so long, 30 days, there is no use in waiting for more votes.
const LONGEST_MS: u64 = 30 * 24 * 3600 * 1000;

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
    /// Whether a round has to wait for the trial that goes on. It gives way once the log has twice the judgements that
    /// the candidate was made from, and [`LEAST_MORE`] more, and after [`LONGEST_MS`]: another one would know more.
    pub(in crate::engine) fn waits_for_trial(&self) -> bool {
        let Some(trial) = self.inner.trials.current() else { return false };
        let judged = self.inner.feedback.as_ref().and_then(|log| log.judgements().ok());
        let StoredTrial { judged: before, report, .. } = trial.stored().clone();
        let is_young = now_ms().saturating_sub(report.started_ms) < LONGEST_MS;
        is_young
            && judged.is_none_or(|count| count.standing() < before.saturating_add(before.max(LEAST_MORE)))
    }
}
