//! One round: collect examples → fusion weight → train → pool gate → reindex → gate → (publish).
//!
//! The gate judges what users would get: it searches the whole corpus with the old generation and with the new one,
//! which therefore is indexed before it is judged, in a folder that a rejection throws away. A pool of the corpus tells
//! beforehand whether that is worth while. Publishing needs the writer and is done by the engine.

mod adapter_tier;
mod choose;
mod encoder_tier;
mod examples;
mod gate;
mod history;
mod ledger;
mod nudge_tier;
mod options;
mod pool;
mod query_tier;
mod report;
mod round;
mod suspects;
mod tier_options;
mod tiers;
mod unfinished;
mod weights;

pub use gate::{GateOptions, GoldenQuery};
pub(crate) use history::{History, Running};
pub use ledger::{FollowOptions, FollowReport};
pub(crate) use ledger::{Ledger, LedgerFile};
pub use nudge_tier::NudgeReport;
pub use options::LearnOptions;
pub use report::{
    Decision, EvidenceReport, Gate, GateScores, GuardScores, LearnProgress, LearnStage, RankingScores,
    RoundReport, RoundSeconds, Tier, TierReport, TrainingReport,
};
pub(crate) use round::{RoundInput, prepare_round};
pub use tier_options::{AdapterOptions, QuerySideOptions};
pub(crate) use unfinished::Unfinished;
