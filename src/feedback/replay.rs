//! Reads the log, or finds one impression in it.

use std::path::{Path, PathBuf};

use super::damage::LogDamage;
use super::record::{Decoded, Impression, Judgement, Kind, Record, peek};
use super::segment::{self, Part};
use crate::error::Result;
use crate::ids::QueryId;

/// Everything in the log, in the order it was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Replay {
    pub(crate) impressions: Vec<Impression>,
    pub(crate) judgements: Vec<Judgement>,
    /// Bytes that could not be read.
    pub(crate) damage: Vec<LogDamage>,
    /// Skipped records of a newer version.
    pub(crate) unknown_records: u64,
}

/// The counts of some segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) impressions: u64,
    pub(super) judgements: u64,
    /// Impressions that the log records as lost.
    pub(super) lost: u64,
    pub(super) unknown_records: u64,
    pub(super) damage: Vec<LogDamage>,
}

/// Reads all whole frames of the log in `folder`, which another process may be writing to.
pub(super) fn replay(folder: &Path) -> Result<Replay> {
    let mut replay = Replay::default();
    for (_, path) in segment::list(folder)? {
        segment::walk(&path, &mut |part| {
            match part {
                Part::Frame { range, payload } => match Record::decode(payload) {
                    Decoded::Known(Record::Impression(impression)) => replay.impressions.push(impression),
                    Decoded::Known(Record::Judgement(judgement)) => replay.judgements.push(judgement),
                    Decoded::Known(Record::Loss(_)) => {}
                    Decoded::Newer => replay.unknown_records += 1,
                    Decoded::Garbage => replay.damage.push(LogDamage::new(&path, &range, false)),
                },
                Part::Damaged(range) => replay.damage.push(LogDamage::new(&path, &range, false)),
                Part::Torn(range) => replay.damage.push(LogDamage::new(&path, &range, true)),
            }
            Ok(())
        })?;
    }
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

/// Counts the records of some segments without parsing the JSON of impressions and judgements.
pub(super) fn tally<'a>(segments: impl IntoIterator<Item = &'a PathBuf>) -> Result<Tally> {
    let mut tally = Tally::default();
    for path in segments {
        segment::walk(path, &mut |part| {
            match part {
                Part::Frame { range, payload } => match peek(payload).0 {
                    Kind::Impression => tally.impressions += 1,
                    Kind::Judgement => tally.judgements += 1,
                    Kind::Loss => match Record::decode(payload) {
                        Decoded::Known(Record::Loss(loss)) => tally.lost += loss.impressions,
                        _ => tally.damage.push(LogDamage::new(path, &range, false)),
                    },
                    Kind::Newer => tally.unknown_records += 1,
                    Kind::Garbage => tally.damage.push(LogDamage::new(path, &range, false)),
                },
                Part::Damaged(range) => tally.damage.push(LogDamage::new(path, &range, false)),
                Part::Torn(range) => tally.damage.push(LogDamage::new(path, &range, true)),
            }
            Ok(())
        })?;
    }
    Ok(tally)
}

/// Finds the impression with this id. Searches the newest segments first and parses no other record's JSON.
pub(super) fn find(folder: &Path, query_id: QueryId) -> Result<Option<Impression>> {
    for (_, path) in segment::list(folder)?.into_iter().rev() {
        let mut found = None;
        segment::walk(&path, &mut |part| {
            if let Part::Frame { payload, .. } = part
                && peek(payload) == (Kind::Impression, query_id)
                && let Decoded::Known(Record::Impression(impression)) = Record::decode(payload)
            {
                found = Some(impression);
            }
            Ok(())
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
