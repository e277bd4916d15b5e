//! Answers one query from a snapshot of both indexes.
//!
//! Both indexes propose candidates. Each candidate is then scored by both, so that a chunk missing from one candidate
//! list does not lose that side's score. The fused ranking is grouped by document: each document appears with its best
//! chunk, and the same passage in several documents appears once.

mod answer;
mod places;
mod query;
mod run;

pub use answer::{Answer, Hit, Took};
pub use query::{Mode, Query};
pub(crate) use run::{Fusible, Snapshot, fusible, rank};
