//! Whether a new generation answers better than the serving one.
//!
//! Both rank the held-out queries over the whole corpus, and the guard: what they already do well. In doubt the old one
//! stays: the users' most common report on fine-tuning is that it made things worse.

mod decide;
mod guard;
mod options;
mod score;

pub(super) use decide::{Evidence, Ruling, clusters, decide};
pub(super) use guard::{Guarded, guard_queries};
pub use options::{GateOptions, GoldenQuery};
pub(super) use score::{DEPTH, QueryScores, mean, ranking_scores, score};
