//! The feedback log: an append-only log of impressions and judgements, of any number of processes.
//!
//! Records are checksummed frames in segment files (`segment`), which are memory-mapped for reading. Each handle
//! appends to a segment of its own, by a background thread, so that searches don't wait. Readers merge the segments in
//! the order of time. `seal` turns many small ones into few large ones, with lists of their query ids (`ids`).
//!
//! Impressions are lost if the thread can't keep up or the disk fails. Every loss is counted, and the count is logged
//! once the disk accepts it. Judgements are never lost silently: recording one returns when it is durable.
//!
//! | event | effect on the log |
//! |---|---|
//! | the process is killed | written records stay; queued ones are lost |
//! | the power fails | judgements stay; impressions of the last [`FeedbackOptions::sync_interval_ms`] may be lost |
//! | a write is interrupted | readers skip the torn tail of that segment; sealing cuts it off |
//! | sealing is interrupted | readers skip the segments that were replaced; the next maintenance removes them |
//! | bytes are corrupted | the affected frames are lost, listed and counted; the others stay |
//! | the disk is full | impressions are lost and counted, judgements fail, a new segment is tried later |
//! | a segment has a newer format | opening fails with [`Error::Version`](crate::Error::Version) |
//! | a record has a newer kind | it is skipped and counted; forgetting fails, as it can't search the record |
//!
//! A mapped file never shrinks. Cutting a tail and forgetting replace the file by another one.

mod append;
mod damage;
mod find;
mod forget;
mod headings;
mod ids;
mod log;
mod options;
mod record;
mod replay;
mod seal;
mod segment;
mod stats;
#[cfg(test)]
mod tests;
mod writer;

pub use damage::LogDamage;
pub(crate) use headings::{Heading, Headings};
pub(crate) use log::{FeedbackLog, Role};
pub use options::FeedbackOptions;
pub use record::normalise_query;
pub use record::{Impression, Judgement, ShownHit, Standing, Verdict};
pub(crate) use replay::Replay;
pub use stats::FeedbackStats;
pub(crate) use stats::{JudgementCount, read_stats};

/// Reads bytes as the frames of a segment, and as one record.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_frames(bytes: &[u8]) {
    let frames = crate::storage::scan_frames(bytes).filter_map(|part| match part {
        crate::storage::Scanned::Frame { payload, .. } => Some(payload),
        _ => None,
    });
    for payload in frames.chain([bytes]) {
        record::Record::decode(payload);
    }
}
