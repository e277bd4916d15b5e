//! What is stored with every commit beside the chunks.

use std::ops::RangeInclusive;
use std::path::Path;

use crate::error::{Error, Result};
use crate::ids::ChunkId;
use crate::lexical::REMEDY;

/// The payload of a commit: `next_chunk crc32`, or `next_chunk pending crc32` with the pending ids as ranges, such as
/// `3-9,12-12`. In a lexical index of version 1 it has no other checksum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CommitPayload {
    /// No chunk has had this id or a higher one.
    pub(super) next_chunk: u64,
    pub(super) pending: ChunkRanges,
}

impl CommitPayload {
    pub(super) fn text(&self) -> String {
        let mut text = self.next_chunk.to_string();
        if !self.pending.is_empty() {
            text = format!("{text} {}", self.pending.text());
        }
        format!("{text} {:08x}", crc32fast::hash(text.as_bytes()))
    }

    /// The payload of the index in `path`; that of an empty one before the first commit.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(super) fn parse(text: &str, path: &Path) -> Result<CommitPayload> {
        if text.is_empty() {
            return Ok(CommitPayload::default());
        }
        let parts: Vec<&str> = text.split(' ').collect();
        let parsed = match parts[..] {
            [next, _] => {
                next.parse().ok().map(|next| CommitPayload { next_chunk: next, ..Default::default() })
            }
            [next, pending, _] => next
                .parse()
                .ok()
                .zip(ChunkRanges::parse(pending))
                .map(|(next_chunk, pending)| CommitPayload { next_chunk, pending }),
            _ => None,
        };
        parsed.filter(|payload| payload.text() == text).ok_or_else(|| Error::Damaged {
            path: path.join("meta.json"),
            found: format!("the payload {text:?}"),
            expected: "numbers with their checksum".into(),
            remedy: REMEDY,
        })
    }
}

/// A set of chunks as ranges of their ids: chunks that were added together have ids in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ChunkRanges(Vec<RangeInclusive<u64>>);

impl ChunkRanges {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, chunk: ChunkId) -> bool {
        let at = self.0.partition_point(|range| *range.end() < chunk.0);
        self.0.get(at).is_some_and(|range| range.contains(&chunk.0))
    }

    fn text(&self) -> String {
        let ranges = self.0.iter().map(|range| format!("{}-{}", range.start(), range.end()));
        ranges.collect::<Vec<_>>().join(",")
    }

    fn parse(text: &str) -> Option<ChunkRanges> {
        let range = |part: &str| {
            let (start, end) = part.split_once('-')?;
            Some(start.parse().ok()?..=end.parse().ok()?)
        };
        let ranges: Vec<RangeInclusive<u64>> = text.split(',').map(range).collect::<Option<_>>()?;
        let sound = ranges.iter().all(|range| range.start() <= range.end())
            && ranges.is_sorted_by(|before, after| before.end() < after.start());
        sound.then_some(ChunkRanges(ranges))
    }
}

/// The chunks must ascend.
impl FromIterator<ChunkId> for ChunkRanges {
    fn from_iter<I: IntoIterator<Item = ChunkId>>(chunks: I) -> ChunkRanges {
        let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
        for ChunkId(id) in chunks {
            match ranges.last_mut() {
                Some(last) if last.end() + 1 == id => *last = *last.start()..=id,
                _ => ranges.push(id..=id),
            }
        }
        ChunkRanges(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_reads_back_and_any_change_is_refused() {
        let pending: ChunkRanges = [3, 4, 5, 9, 11, 12].map(ChunkId).into_iter().collect();
        assert_eq!(pending.text(), "3-5,9-9,11-12");
        for (id, inside) in
            [(2, false), (3, true), (5, true), (6, false), (9, true), (10, false), (13, false)]
        {
            assert_eq!(pending.contains(ChunkId(id)), inside, "{id}");
        }
        let path = Path::new("index");
        for pending in [pending, ChunkRanges::default()] {
            let payload = CommitPayload { next_chunk: 40, pending };
            let text = payload.text();
            assert_eq!(CommitPayload::parse(&text, path).unwrap(), payload);
            for at in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
                let changed = String::from_utf8(bytes).unwrap();
                assert!(CommitPayload::parse(&changed, path).is_err(), "{changed}");
            }
        }
        assert_eq!(CommitPayload::parse("", path).unwrap(), CommitPayload::default());
    }
}
