//! Reading the log: all of it, or one impression.

use std::path::{Path, PathBuf};

use super::record::{Decoded, Impression, Judgement, Kind, Record, peek};
use super::segment::{self, Part};
use super::stats::LogDamage;
use crate::error::Result;
use crate::ids::QueryId;

/// Everything in the log, in the order it was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Replay {
    pub(crate) impressions: Vec<Impression>,
    pub(crate) judgements: Vec<Judgement>,
    /// What could not be read.
    pub(crate) damage: Vec<LogDamage>,
    /// Whole records of a newer version, stepped over.
    pub(crate) unknown_records: u64,
}

/// What a walk over segments counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) impressions: u64,
    pub(super) judgements: u64,
    /// Impressions that the log itself says were lost.
    pub(super) lost: u64,
    pub(super) unknown_records: u64,
    pub(super) damage: Vec<LogDamage>,
}

/// Reads the log in `folder`, which another process may be writing: whole frames only, as far as they stand there now.
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
            "stepped over bytes of the feedback log that can't be read"
        );
    }
    if replay.unknown_records > 0 {
        tracing::warn!(
            records = replay.unknown_records,
            "stepped over records of a newer version in the feedback log"
        );
    }
    Ok(replay)
}

/// Counts what the segments hold without reading the JSON of impressions and judgements.
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

/// The impression with this id. The newest segments are looked at first, and no JSON but that of the one found is read.
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
