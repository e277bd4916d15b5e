//! Statistics of the log.

use std::collections::HashMap;
use std::ops::AddAssign;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::damage::LogDamage;
use super::record::{Decoded, Judgement, Kind, Record, Verdict, peek};
use super::segment::{self, Edition, Opened, Part};
use crate::error::Result;

/// Statistics of the feedback log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeedbackStats {
    /// Impressions in the log.
    pub impressions: u64,
    /// Judgements in the log, less those that were withdrawn.
    pub judgements: u64,
    /// Impressions lost since the log was created: the queue was full, the disk failed, or they may not have reached
    /// the disk. Those of other processes count once the disk accepts records again.
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
    /// Segments that this user may not read. Their records are not counted.
    pub unreadable_segments: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The last error of this log since it was opened.
    pub last_error: Option<String>,
}

/// How often something was said of a document, and how often that was withdrawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct JudgementCount {
    pub(crate) said: u64,
    pub(crate) withdrawn: u64,
}

impl JudgementCount {
    pub(crate) fn of<'a>(judgements: impl IntoIterator<Item = &'a Judgement>) -> JudgementCount {
        let mut count = JudgementCount::default();
        for judgement in judgements {
            match judgement.verdict {
                Verdict::Withdrawn => count.withdrawn += 1,
                _ => count.said += 1,
            }
        }
        count
    }

    /// How many stand. Withdrawing what was never said counts too, as telling the two apart takes reading all of the
    /// log: so it may be too few.
    pub(crate) fn standing(self) -> u64 {
        self.said.saturating_sub(self.withdrawn)
    }
}

impl AddAssign for JudgementCount {
    fn add_assign(&mut self, other: JudgementCount) {
        self.said += other.said;
        self.withdrawn += other.withdrawn;
    }
}

/// The counts of a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tally {
    impressions: u64,
    judgements: JudgementCount,
    /// Impressions that the log records as lost.
    lost: u64,
    unknown_records: u64,
    damage: Vec<LogDamage>,
}

impl Tally {
    /// Counts the records without parsing the JSON of impressions and judgements.
    fn of(opened: &Opened) -> Result<Tally> {
        let (path, mut tally) = (&opened.segment.path, Tally::default());
        opened.walk(&mut |part| {
            match part {
                Part::Frame { range, payload } => match peek(payload).0 {
                    Kind::Impression => tally.impressions += 1,
                    Kind::Judgement => tally.judgements.said += 1,
                    Kind::Withdrawal => tally.judgements.withdrawn += 1,
                    Kind::Loss => match Record::decode(payload) {
                        Decoded::Known(Record::Loss(loss)) => tally.lost += loss.impressions,
                        _ => tally.damage.push(LogDamage::new(path, &range, false)),
                    },
                    Kind::Replaced => {}
                    Kind::Newer => tally.unknown_records += 1,
                    Kind::Garbage => tally.damage.push(LogDamage::new(path, &range, false)),
                },
                Part::Damaged(range) => tally.damage.push(LogDamage::new(path, &range, false)),
                Part::Torn(range) => tally.damage.push(LogDamage::new(path, &range, true)),
            }
            Ok(())
        })?;
        Ok(tally)
    }
}

/// The identity of a segment's content: its name, its edition and its length.
type Content = (String, Edition, usize);

/// The counts of the log's segments. Each is counted again only when it has changed.
#[derive(Debug, Default)]
struct Tallies {
    counted: HashMap<Content, Tally>,
    /// Segments that this user may not read.
    unreadable: u64,
}

impl Tallies {
    fn update(&mut self, folder: &Path) -> Result<impl Iterator<Item = (&Content, &Tally)>> {
        let mut counted = HashMap::new();
        let segments = segment::open_all(folder)?;
        self.unreadable = segments.unreadable.len() as u64;
        for opened in segments.opened {
            let content = (opened.segment.name(), opened.edition, opened.bytes().len());
            let tally = match self.counted.remove(&content) {
                Some(tally) => tally,
                None => Tally::of(&opened)?,
            };
            counted.insert(content, tally);
        }
        self.counted = counted;
        Ok(self.counted.iter())
    }
}

/// Counters of one handle to the log, shared between it and its thread.
#[derive(Debug, Default)]
pub(super) struct Counters {
    tallies: Mutex<Tallies>,
    /// Losses of this handle that are not in the log yet.
    lost: AtomicU64,
    /// Torn bytes that were cut off when the log was opened.
    cut: u64,
    last_error: Mutex<Option<String>>,
}

impl Counters {
    pub(super) fn new(cut: u64) -> Counters {
        Counters { cut, ..Counters::default() }
    }

    /// Adds lost impressions. Never waits.
    pub(super) fn lost(&self, impressions: u64) {
        self.lost.fetch_add(impressions, Ordering::Relaxed);
    }

    /// Losses that are not in the log yet.
    pub(super) fn unrecorded_losses(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Counts off losses that were written to the log.
    pub(super) fn recorded(&self, losses: u64) {
        self.lost.fetch_sub(losses, Ordering::Relaxed);
    }

    pub(super) fn set_last_error(&self, message: String) {
        *lock(&self.last_error) = Some(message);
    }

    /// Judgements in the log, from all processes.
    pub(super) fn judgements(&self, folder: &Path) -> Result<JudgementCount> {
        let mut count = JudgementCount::default();
        lock(&self.tallies).update(folder)?.for_each(|(_, tally)| count += tally.judgements);
        Ok(count)
    }

    pub(super) fn read(&self, folder: &Path) -> FeedbackStats {
        let mut stats = FeedbackStats::default();
        let mut judgements = JudgementCount::default();
        match lock(&self.tallies).update(folder) {
            Ok(tallies) => tallies.for_each(|(content, tally)| {
                stats.add(content.2, tally);
                judgements += tally.judgements;
            }),
            Err(error) => self.set_last_error(error.to_string()),
        }
        stats.judgements = judgements.standing();
        stats.damage.sort_unstable_by(|a, b| (&a.segment, a.start).cmp(&(&b.segment, b.start)));
        stats.unreadable_segments = lock(&self.tallies).unreadable;
        stats.dropped += self.unrecorded_losses();
        stats.torn_bytes += self.cut;
        stats.last_error = lock(&self.last_error).clone();
        stats
    }
}

/// The statistics of a log without a handle to it.
pub(crate) fn read_stats(folder: &Path) -> FeedbackStats {
    Counters::default().read(folder)
}

impl FeedbackStats {
    fn add(&mut self, bytes: usize, tally: &Tally) {
        self.segments += 1;
        self.bytes += bytes as u64;
        self.impressions += tally.impressions;
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
