//! Options of the feedback log.

use crate::error::{Error, Result};

/// Options of the feedback log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedbackOptions {
    /// Length of the queue of records to write. If it is full, impressions are lost and counted. Default 1024.
    pub queue: usize,
    /// Maximum size of a segment: records that exceed it start a new one. Default 16 MiB. Those that are being written
    /// to have at most 256 KiB.
    pub segment_bytes: u64,
    /// The longest time until an impression is durable. Judgements are synced at once. Default 1,000 ms; 0 syncs after
    /// every batch.
    pub sync_interval_ms: u64,
}

impl Default for FeedbackOptions {
    fn default() -> Self {
        FeedbackOptions { queue: 1024, segment_bytes: 16 << 20, sync_interval_ms: 1000 }
    }
}

impl FeedbackOptions {
    /// Sets [`queue`](FeedbackOptions::queue).
    pub fn with_queue(mut self, records: usize) -> Self {
        self.queue = records;
        self
    }

    /// Sets [`segment_bytes`](FeedbackOptions::segment_bytes).
    pub fn with_segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// Sets [`sync_interval_ms`](FeedbackOptions::sync_interval_ms).
    pub fn with_sync_interval_ms(mut self, ms: u64) -> Self {
        self.sync_interval_ms = ms;
        self
    }

    /// Checks the options.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a queue of 0 or above 2²⁰, segments below 1 KiB or above 1 GiB, or an interval above a
    /// minute.
    pub fn validate(&self) -> Result<()> {
        if !(1..=1 << 20).contains(&self.queue) {
            return Err(Error::invalid(
                "the queue of the feedback log",
                self.queue,
                "1 to 1,048,576 records",
            ));
        }
        if !(1 << 10..=1 << 30).contains(&self.segment_bytes) {
            return Err(Error::invalid(
                "the feedback log's segment size",
                self.segment_bytes,
                "1 KiB to 1 GiB",
            ));
        }
        if self.sync_interval_ms > 60_000 {
            let found = self.sync_interval_ms;
            return Err(Error::invalid("the feedback log's sync interval", found, "at most 60,000 ms"));
        }
        Ok(())
    }
}
