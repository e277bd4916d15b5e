//! The append-only log of what was shown and what was said of it.
//!
//! Records are checksummed frames in segment files ([`segment`]), mapped for reading. Impressions are written off the
//! search path by a thread of the log's own and may be lost when it can't keep up or the disk fails; every loss is
//! counted, and the count itself is logged as soon as the disk takes it. A judgement is what the user tells us on
//! purpose: recording one returns when it is durable.
//!
//! | what happens | what becomes of the log |
//! |---|---|
//! | the process is killed | what the thread had written stays; what waited in the queue is lost |
//! | the power fails | judgements stay; impressions of the last [`FeedbackOptions::sync_interval_ms`] may be lost |
//! | a write is cut short | the next writer cuts the torn tail; readers step over it |
//! | bytes rot | the frames they hit are lost, listed and counted; the others stay |
//! | the disk is full | impressions are lost and counted, judgements fail, a new segment is tried again later |
//! | a segment of a newer format | opening fails with [`Error::Version`](crate::Error::Version) |
//! | a record of a newer kind | it is stepped over and counted; only forgetting refuses to go on, as it can't look inside |
//!
//! A mapped file never shrinks: what shortens a segment (cutting a tail, forgetting) puts another file in its place.

mod forget;
mod log;
mod options;
mod record;
mod replay;
mod segment;
mod stats;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use log::FeedbackLog;
pub use options::FeedbackOptions;
pub use record::normalise_query;
pub use record::{Impression, Judgement, ShownHit, Verdict};
pub(crate) use replay::Replay;
pub(crate) use stats::read_stats;
pub use stats::{FeedbackStats, LogDamage};
