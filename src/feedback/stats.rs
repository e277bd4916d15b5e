//! Statistics of the log.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::damage::LogDamage;
use super::replay::{Tally, tally};
use super::segment;
use crate::error::Result;

/// Statistics of the feedback log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FeedbackStats {
    /// Impressions in the log.
    pub impressions: u64,
    /// Judgements in the log.
    pub judgements: u64,
    /// Impressions lost since the log was created: the queue was full, the disk failed, or they may not have reached
    /// the disk.
    pub dropped: u64,
    /// Skipped records of a newer version.
    pub unknown_records: u64,
    /// Unreadable bytes in the middle of segments.
    pub damaged_bytes: u64,
    /// Bytes of interrupted writes: at the ends of segments, and those removed when this log was opened.
    pub torn_bytes: u64,
    /// The damaged and torn bytes that are still in the log.
    pub damage: Vec<LogDamage>,
    /// Number of segment files.
    pub segments: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The last error of this log since it was opened.
    pub last_error: Option<String>,
}

/// The segments that are no longer written to.
#[derive(Debug)]
enum Closed {
    /// Not counted yet. They are counted when the statistics are first requested, so that opening is fast.
    Uncounted(Vec<PathBuf>),
    Counted(Tally),
}

/// Numbers of written records.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    pub(super) impressions: u64,
    pub(super) judgements: u64,
    /// Earlier losses that were recorded.
    pub(super) losses: u64,
}

impl Written {
    pub(super) fn add(&mut self, other: Written) {
        self.impressions += other.impressions;
        self.judgements += other.judgements;
        self.losses += other.losses;
    }
}

/// Counters shared between the log and its thread.
#[derive(Debug)]
pub(super) struct Counters {
    /// All segments but the last one at the time when this log was opened.
    closed: Mutex<Closed>,
    /// The last segment at that time, and everything written since.
    open: Mutex<Tally>,
    /// Losses that are not in the log yet.
    lost: AtomicU64,
    /// Torn bytes that were cut off when the log was opened.
    cut: u64,
    last_error: Mutex<Option<String>>,
}

impl Counters {
    /// Counts the last segment of the log in `folder`. Nothing may be written meanwhile.
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

    /// Counts again after segments have changed. Nothing may be written meanwhile.
    pub(super) fn recount(&self, folder: &Path) -> Result<()> {
        let mut closed = lock(&self.closed);
        (*closed, *lock(&self.open)) = count_last(folder)?;
        Ok(())
    }

    /// Adds lost impressions. Never waits.
    pub(super) fn lost(&self, impressions: u64) {
        self.lost.fetch_add(impressions, Ordering::Relaxed);
    }

    /// Losses that are not in the log yet.
    pub(super) fn unrecorded_losses(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Adds written records.
    pub(super) fn add_written(&self, written: Written) {
        let mut open = lock(&self.open);
        open.impressions += written.impressions;
        open.judgements += written.judgements;
        open.lost += written.losses;
        self.lost.fetch_sub(written.losses, Ordering::Relaxed);
    }

    /// Takes back written records that may not be on the disk, and counts their impressions as lost.
    pub(super) fn take_back(&self, written: Written) {
        let mut open = lock(&self.open);
        open.impressions -= written.impressions;
        open.judgements -= written.judgements;
        open.lost -= written.losses;
        self.lost(written.impressions + written.losses);
    }

    pub(super) fn set_last_error(&self, message: String) {
        *lock(&self.last_error) = Some(message);
    }

    pub(super) fn read(&self, folder: &Path) -> FeedbackStats {
        let mut stats = FeedbackStats::default();
        {
            let mut closed = lock(&self.closed);
            if let Closed::Uncounted(paths) = &*closed {
                match tally(paths) {
                    Ok(counted) => *closed = Closed::Counted(counted),
                    Err(error) => self.set_last_error(error.to_string()),
                }
            }
            if let Closed::Counted(counted) = &*closed {
                stats.add(counted);
            }
            let open = lock(&self.open);
            stats.add(&open);
            // Under the lock, so that a loss is counted once while the thread records it.
            stats.dropped += self.unrecorded_losses();
        }
        stats.torn_bytes += self.cut;
        stats.last_error = lock(&self.last_error).clone();
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

/// The statistics of a log that another process may be writing to.
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Code under these locks only assigns: a panic leaves no change half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
