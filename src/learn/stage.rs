//! The stages of a round, and its progress.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The stages of a round, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LearnStage {
    /// Reading the log, scoring the serving generation, making examples, then learning the fusion weight. Counted in
    /// judged queries.
    Collect,
    /// Training. Counted in batches. Measurements of hard negatives are not counted.
    Train,
    /// Encoding all chunks with a new encoder. Counted in chunks.
    Reindex,
    /// Comparing old and new, first on a pool and then on the whole corpus. Counted in searches.
    Gate,
    /// Encoding what was added meanwhile, and publishing. Counted in chunks.
    Publish,
}

impl fmt::Display for LearnStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LearnStage::Collect => "collecting",
            LearnStage::Train => "training",
            LearnStage::Reindex => "reindexing",
            LearnStage::Gate => "comparing",
            LearnStage::Publish => "publishing",
        })
    }
}

/// Progress of a round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LearnProgress {
    /// The current stage. All but the first are repeated for every proposal that is tried.
    pub stage: LearnStage,
    /// Finished units of the stage.
    pub done: usize,
    /// All units of the stage.
    pub total: usize,
    /// The share of the round that is done, 0 to 1: an estimate that never falls. A round that is skipped or rejected
    /// ends before 1.
    pub fraction: f32,
    /// The loss of the last batch, while training.
    pub loss: Option<f32>,
}

impl LearnProgress {
    /// [`Overall`] sets [`fraction`](LearnProgress::fraction).
    pub(crate) fn of(stage: LearnStage, done: usize, total: usize) -> LearnProgress {
        LearnProgress { stage, done, total, fraction: 0.0, loss: None }
    }
}

/// Estimates the share of a round that is done.
#[derive(Debug, Default)]
pub(crate) struct Overall {
    stage: Option<LearnStage>,
    /// When the stage began.
    before: f32,
    fraction: f32,
}

impl Overall {
    /// Sets the fraction. Every stage counts as a fixed part of the remaining work, because the number of proposals to
    /// try is not known in advance.
    pub(crate) fn estimate(&mut self, progress: LearnProgress) -> LearnProgress {
        if self.stage != Some(progress.stage) {
            (self.stage, self.before) = (Some(progress.stage), self.fraction);
        }
        let part = match progress.stage {
            LearnStage::Collect => 0.1,
            LearnStage::Train | LearnStage::Gate => 0.5,
            LearnStage::Reindex => 0.8,
            LearnStage::Publish => 1.0,
        };
        let done = (progress.done as f32 / progress.total.max(1) as f32).min(1.0);
        // Counting may restart within a stage: several things are searched or encoded.
        self.fraction = self.fraction.max(self.before + (1.0 - self.before) * part * done);
        LearnProgress { fraction: self.fraction, ..progress }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_never_falls_and_ends_at_one() {
        let mut overall = Overall::default();
        let told = [
            (LearnStage::Collect, 5, 10),
            (LearnStage::Collect, 10, 10),
            (LearnStage::Gate, 3, 3),
            (LearnStage::Gate, 0, 3),
            (LearnStage::Train, 4, 4),
            (LearnStage::Reindex, 9, 10),
            (LearnStage::Gate, 0, 0),
            (LearnStage::Publish, 7, 8),
            (LearnStage::Publish, 0, 1),
            (LearnStage::Publish, 1, 1),
        ];
        let fractions: Vec<f32> = told
            .into_iter()
            .map(|(stage, done, total)| overall.estimate(LearnProgress::of(stage, done, total)).fraction)
            .collect();
        assert!(fractions.is_sorted(), "{fractions:?}");
        assert_eq!((fractions[0], fractions[9]), (0.05, 1.0));
        assert!(fractions[5] < 1.0 && fractions[2] > fractions[1], "{fractions:?}");
    }
}
