//! What the log holds and has lost.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::replay::{Tally, tally};
use super::segment;
use crate::error::Result;

/// Figures of the feedback log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FeedbackStats {
    /// Answered queries in the log.
    pub impressions: u64,
    /// Judgements in the log.
    pub judgements: u64,
    /// Answered queries that were lost since the log exists: the queue was full, the disk failed, or it is not known
    /// whether they reached the disk.
    pub dropped: u64,
    /// Whole records of a newer version, which this one steps over.
    pub unknown_records: u64,
    /// Bytes that could not be read, in the middle of segments.
    pub damaged_bytes: u64,
    /// Bytes of writes that were cut short: at the ends of segments, and those removed when this log was opened.
    pub torn_bytes: u64,
    /// Where the damaged and torn bytes stand that are still there.
    pub damage: Vec<LogDamage>,
    /// Segment files.
    pub segments: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The last thing that went wrong in this log since it was opened, if anything did.
    pub last_error: Option<String>,
}

/// Bytes of a segment that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogDamage {
    /// The segment's file name.
    pub segment: String,
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
    /// Whether it is the end of a write that was cut short, rather than bytes that changed.
    pub torn: bool,
}

impl LogDamage {
    pub(super) fn new(path: &Path, range: &Range<usize>, torn: bool) -> LogDamage {
        let segment = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        LogDamage { segment, start: range.start as u64, end: range.end as u64, torn }
    }
}

/// The segments that no writer appends to any more.
#[derive(Debug)]
enum Closed {
    /// Not counted yet: a search that never asks shall not wait for it.
    Uncounted(Vec<PathBuf>),
    Counted(Tally),
}

/// Records that were written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wrote {
    pub(super) impressions: u64,
    pub(super) judgements: u64,
    /// Earlier losses that were written down.
    pub(super) losses: u64,
}

impl Wrote {
    pub(super) fn add(&mut self, other: Wrote) {
        self.impressions += other.impressions;
        self.judgements += other.judgements;
        self.losses += other.losses;
    }
}

/// Shared between the log and its thread.
#[derive(Debug)]
pub(super) struct Counters {
    /// All segments but the last, when this log was opened.
    closed: Mutex<Closed>,
    /// The last segment at that time, and what was written since.
    open: Mutex<Tally>,
    /// Losses that are not in the log yet.
    lost: AtomicU64,
    /// Torn bytes that were cut when the log was opened.
    cut: u64,
    last_error: Mutex<Option<String>>,
}

impl Counters {
    /// Counts the last segment of the log in `folder`; the others when they are asked for. Nothing is being written.
    pub(super) fn new(folder: &Path, cut: u64) -> Result<Counters> {
        let (closed, open) = count_last(folder)?;
        Ok(Counters {
            closed: Mutex::new(closed),
            open: Mutex::new(open),
            lost: AtomicU64::new(0),
            cut,
            last_error: Mutex::default(),
        })
    }

    /// Counts anew, after the segments were changed. Nothing is being written.
    pub(super) fn recount(&self, folder: &Path) -> Result<()> {
        let mut closed = hold(&self.closed);
        (*closed, *hold(&self.open)) = count_last(folder)?;
        Ok(())
    }

    /// Impressions were lost. Never waits.
    pub(super) fn lost(&self, impressions: u64) {
        self.lost.fetch_add(impressions, Ordering::Relaxed);
    }

    /// Losses that the log does not know of yet.
    pub(super) fn unrecorded_losses(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(super) fn wrote(&self, wrote: Wrote) {
        let mut open = hold(&self.open);
        open.impressions += wrote.impressions;
        open.judgements += wrote.judgements;
        open.lost += wrote.losses;
        self.lost.fetch_sub(wrote.losses, Ordering::Relaxed);
    }

    /// What was counted as written may not be on the disk after all.
    pub(super) fn unwrote(&self, wrote: Wrote) {
        let mut open = hold(&self.open);
        open.impressions -= wrote.impressions;
        open.judgements -= wrote.judgements;
        open.lost -= wrote.losses;
        self.lost(wrote.impressions + wrote.losses);
    }

    pub(super) fn failed(&self, message: String) {
        *hold(&self.last_error) = Some(message);
    }

    pub(super) fn read(&self, folder: &Path) -> FeedbackStats {
        let mut stats = FeedbackStats::default();
        {
            let mut closed = hold(&self.closed);
            if let Closed::Uncounted(paths) = &*closed {
                match tally(paths) {
                    Ok(counted) => *closed = Closed::Counted(counted),
                    Err(error) => self.failed(error.to_string()),
                }
            }
            if let Closed::Counted(counted) = &*closed {
                stats.add(counted);
            }
            let open = hold(&self.open);
            stats.add(&open);
            // Under the lock, so that a loss that is being recorded is counted once.
            stats.dropped += self.unrecorded_losses();
        }
        stats.torn_bytes += self.cut;
        stats.last_error = hold(&self.last_error).clone();
        for (_, path) in segment::list(folder).unwrap_or_default() {
            stats.segments += 1;
            stats.bytes += path.metadata().map_or(0, |found| found.len());
        }
        stats
    }
}

fn count_last(folder: &Path) -> Result<(Closed, Tally)> {
    let mut paths: Vec<PathBuf> = segment::list(folder)?.into_iter().map(|(_, path)| path).collect();
    let last = tally(paths.pop().as_ref())?;
    Ok((Closed::Uncounted(paths), last))
}

/// The figures of a log that another process may be writing.
pub(crate) fn read_stats(folder: &Path) -> Result<FeedbackStats> {
    Ok(Counters::new(folder, 0)?.read(folder))
}

impl FeedbackStats {
    fn add(&mut self, tally: &Tally) {
        self.impressions += tally.impressions;
        self.judgements += tally.judgements;
        self.dropped += tally.lost;
        self.unknown_records += tally.unknown_records;
        for damage in &tally.damage {
            let bytes = damage.end - damage.start;
            *if damage.torn { &mut self.torn_bytes } else { &mut self.damaged_bytes } += bytes;
        }
        self.damage.extend_from_slice(&tally.damage);
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is a few assignments: a panic leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
