//! One query over one pinned generation and the lexical index.
//!
//! Both indexes give candidates; each candidate is then scored by both, so that a chunk which one side did not find
//! among its best isn't punished for the depth of that list. The fused order is grouped by document, the best chunk
//! standing for its document.

mod answer;
mod profile;
mod query;
mod run;

pub use answer::{Answer, Hit, Took};
pub(crate) use profile::profile;
pub use query::{Mode, Query};
pub(crate) use run::{Snapshot, rank, scored_candidates};
