//! Where the time of a round went.

use serde::{Deserialize, Serialize};

use super::stage::LearnStage;

/// Seconds of each stage, pauses included. For a resumed round, since it was resumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoundSeconds {
    /// Reading the log, scoring the serving generation, making examples, learning the fusion weight.
    pub collect: f64,
    /// Training.
    pub train: f64,
    /// Encoding all chunks with a new encoder.
    pub reindex: f64,
    /// Comparing old and new.
    pub gate: f64,
    /// Encoding what was added meanwhile, and swapping.
    pub publish: f64,
    /// The whole round.
    pub total: f64,
}

impl RoundSeconds {
    pub(super) fn of(&mut self, stage: LearnStage) -> &mut f64 {
        match stage {
            LearnStage::Collect => &mut self.collect,
            LearnStage::Train => &mut self.train,
            LearnStage::Reindex => &mut self.reindex,
            LearnStage::Gate => &mut self.gate,
            LearnStage::Publish => &mut self.publish,
        }
    }
}
