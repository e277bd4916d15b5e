//! The documents of a snapshot, numbered in the order of their ids: what counting and paging work with.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Bound;

use tantivy::columnar::StrColumn;
use tantivy::{DocId, SegmentReader};

use super::schema::DOCUMENT;

/// A number for every document that a segment names, deleted ones included.
pub(super) struct Numbering {
    /// Of each segment; `None` for one without documents.
    segments: Vec<Option<Numbered>>,
    len: u32,
}

struct Numbered {
    /// The place of each chunk's document in the segment's dictionary.
    ids: StrColumn,
    /// The number of the document at each place.
    numbers: Vec<u32>,
}

impl Numbering {
    /// Reads the ids of all documents once.
    pub(super) fn of(segments: &[SegmentReader]) -> tantivy::Result<Numbering> {
        let columns = segments.iter().map(|segment| segment.fast_fields().str(DOCUMENT));
        let columns = columns.collect::<tantivy::Result<Vec<_>>>()?;
        let mut numbers: Vec<Vec<u32>> = columns
            .iter()
            .map(|column| Vec::with_capacity(column.as_ref().map_or(0, |c| c.num_terms())))
            .collect();
        let mut streams = Vec::with_capacity(columns.len());
        for column in &columns {
            streams.push(column.as_ref().map(|column| column.dictionary().stream()).transpose()?);
        }
        // The next id of each segment, the least on top.
        let mut next = BinaryHeap::new();
        let mut advance = |ord: usize, next: &mut BinaryHeap<Reverse<(Vec<u8>, usize)>>| {
            if let Some(stream) = &mut streams[ord]
                && stream.advance()
            {
                next.push(Reverse((stream.key().to_vec(), ord)));
            }
        };
        (0..columns.len()).for_each(|ord| advance(ord, &mut next));
        let (mut len, mut last): (u32, Option<Vec<u8>>) = (0, None);
        while let Some(Reverse((id, ord))) = next.pop() {
            if last.as_ref() != Some(&id) {
                len += 1;
                last = Some(id);
            }
            numbers[ord].push(len - 1);
            advance(ord, &mut next);
        }
        let segments = columns.into_iter().zip(numbers);
        let segments = segments.map(|(ids, numbers)| Some(Numbered { ids: ids?, numbers }));
        Ok(Numbering { segments: segments.collect(), len })
    }

    /// How many numbers there are, from 0.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The number of a chunk's document.
    pub(super) fn number(&self, ord: usize, chunk: DocId) -> Option<u32> {
        let segment = self.segments[ord].as_ref()?;
        segment.numbers.get(segment.ids.ords().first(chunk)? as usize).copied()
    }

    /// The number of the first document behind this id, which need not exist.
    pub(super) fn first_behind(&self, id: &str) -> tantivy::Result<u32> {
        let mut first = self.len;
        for Numbered { ids, numbers } in self.segments.iter().flatten() {
            let (from, to) = (Bound::Excluded(id.as_bytes()), Bound::Unbounded);
            let place = match ids.dictionary().term_bounds_to_ord(from, to)?.0 {
                Bound::Included(place) => place,
                Bound::Excluded(place) => place + 1,
                Bound::Unbounded => 0,
            };
            first = first.min(numbers.get(place as usize).copied().unwrap_or(self.len));
        }
        Ok(first)
    }
}
