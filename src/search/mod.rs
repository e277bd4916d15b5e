//! Answers one query from a pinned state of a [store](crate::store).
//!
//! Both indexes propose candidates. Each candidate is then scored by both, so that a chunk missing from one candidate
//! list does not lose that side's score. The fused ranking is grouped by document: each document appears with its best
//! chunk, and the same passage in several documents appears once.
//!
//! A query finds the documents that contain one of its words, and those of the nearest chunks. Pages of one query show
//! each of them once: a later page goes on where the earlier ones ended, with more candidates of the words.

mod answer;
mod mode;
mod places;
mod pool;
mod query;
mod run;
mod typed;

pub use answer::{Answer, Hit, Took};
pub use mode::Mode;
pub(crate) use pool::{Fusible, fusible};
#[cfg(feature = "serve")]
pub(crate) use query::AGENT;
pub use query::Query;
pub(crate) use run::{Ranked, rank, rank_with_words};

pub use crate::store::Coverage;
pub(crate) use crate::store::Snapshot;
