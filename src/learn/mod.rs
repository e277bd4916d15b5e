//! One round: collect examples → train → reindex → gate → (publish).
//!
//! The gate judges what users would get: it searches the whole corpus with the old generation and with the new one,
//! which therefore is indexed before it is judged, in a folder that a rejection throws away. Publishing needs the
//! writer and is done by the engine.

mod examples;
mod gate;
mod history;
mod options;
mod report;
mod round;

pub(crate) use history::{History, Running};
pub use options::LearnOptions;
pub use report::{
    Decision, Gate, GateScores, LearnProgress, LearnStage, RankingScores, RoundReport, RoundSeconds,
};
pub(crate) use round::{RoundInput, prepare_round};
