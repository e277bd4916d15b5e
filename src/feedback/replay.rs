//! Reads the whole log.

use std::path::Path;

use super::damage::LogDamage;
use super::record::{Decoded, Impression, Judgement, Record};
use super::segment::{self, Part};
use crate::error::Result;

/// Everything in the log. Records are in the order of their times; those of one handle in the order it wrote them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Replay {
    pub(crate) impressions: Vec<Impression>,
    pub(crate) judgements: Vec<Judgement>,
    /// Bytes that could not be read.
    pub(crate) damage: Vec<LogDamage>,
    /// Skipped records of a newer version.
    pub(crate) unknown_records: u64,
}

/// The position of impressions, or judgements, among those of all segments: by time, but never before an earlier one of
/// the same segment. A clock that is set back can't reorder the records of one handle.
#[derive(Debug, Default)]
pub(super) struct Order {
    latest: u64,
}

impl Order {
    /// The place of the next record of the segment.
    pub(super) fn place(&mut self, time_ms: u64) -> u64 {
        self.latest = self.latest.max(time_ms);
        self.latest
    }
}

/// Records with their places.
pub(super) struct Placed<T>(Vec<(u64, T)>);

impl<T> Default for Placed<T> {
    fn default() -> Placed<T> {
        Placed(Vec::new())
    }
}

impl<T> Placed<T> {
    pub(super) fn add(&mut self, place: u64, record: T) {
        self.0.push((place, record));
    }

    pub(super) fn in_order(mut self) -> Vec<T> {
        // Stable, so that records of one segment stay in order.
        self.0.sort_by_key(|(place, _)| *place);
        self.0.into_iter().map(|(_, record)| record).collect()
    }
}

/// Reads all whole frames of the log in `folder`, which other processes may be writing to.
pub(super) fn replay(folder: &Path) -> Result<Replay> {
    let mut replay = Replay::default();
    let (mut impressions, mut judgements) = (Placed::default(), Placed::default());
    for opened in segment::open_all(folder)?.opened {
        let path = &opened.segment.path;
        let (mut asked, mut judged) = (Order::default(), Order::default());
        opened.walk(&mut |part| {
            match part {
                Part::Frame { range, payload } => match Record::decode(payload) {
                    Decoded::Known(Record::Impression(one)) => {
                        impressions.add(asked.place(one.time_ms), one);
                    }
                    Decoded::Known(Record::Judgement(one)) => {
                        judgements.add(judged.place(one.time_ms), one);
                    }
                    Decoded::Known(Record::Loss(_) | Record::Replaced(_)) => {}
                    Decoded::Newer => replay.unknown_records += 1,
                    Decoded::Garbage => replay.damage.push(LogDamage::new(path, &range, false)),
                },
                Part::Damaged(range) => replay.damage.push(LogDamage::new(path, &range, false)),
                Part::Torn(range) => replay.damage.push(LogDamage::new(path, &range, true)),
            }
            Ok(())
        })?;
    }
    (replay.impressions, replay.judgements) = (impressions.in_order(), judgements.in_order());
    for damage in &replay.damage {
        tracing::warn!(
            segment = damage.segment,
            start = damage.start,
            end = damage.end,
            torn = damage.torn,
            "skipped unreadable bytes of the feedback log"
        );
    }
    if replay.unknown_records > 0 {
        tracing::warn!(
            records = replay.unknown_records,
            "skipped records of a newer version in the feedback log"
        );
    }
    Ok(replay)
}
