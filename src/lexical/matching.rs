//! Sets of live chunks: those that match a filter, or that were found.

use tantivy::{BitSet, DocId};

use super::docs::{add, members};
use super::filter::Filter;
use super::snapshot::LexicalSnapshot;
use crate::error::{Error, Result};
use crate::ids::{ChunkId, ChunkSet};

/// Names of fields in an error message.
const MOST_NAMES: usize = 20;

/// Live chunks of a snapshot. A filter's are computed once per query and used by both indexes.
#[derive(Debug)]
pub(crate) struct Matching {
    snapshot: LexicalSnapshot,
    /// The chunks of each segment.
    docs: Vec<BitSet>,
    len: usize,
}

impl LexicalSnapshot {
    /// The chunks that match `filter`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for values that can't be compared, and for a field that no document has, unless the filter is
    /// lenient about it or there are no documents.
    pub(crate) fn matching(&self, filter: &Filter) -> Result<Matching> {
        filter.validate()?;
        for field in filter.required() {
            if self.chunk_count() > 0 && !self.has_field(field)? {
                return Err(self.unknown(field));
            }
        }
        let docs = (0..self.segments().len()).map(|ord| self.select(filter, ord));
        Ok(self.alive(docs.collect::<Result<Vec<_>>>()?))
    }

    /// These chunks as a set; those that don't exist are left out.
    pub(crate) fn set_of(&self, chunks: impl IntoIterator<Item = ChunkId>) -> Matching {
        let mut docs: Vec<BitSet> =
            self.segments().iter().map(|segment| BitSet::with_max_value(segment.max_doc())).collect();
        for place in chunks.into_iter().filter_map(|chunk| self.place(chunk)) {
            docs[place.segment_ord as usize].insert(place.doc_id);
        }
        self.alive(docs)
    }

    /// Those of the chunks of each segment that are not deleted.
    pub(super) fn alive(&self, mut docs: Vec<BitSet>) -> Matching {
        for (docs, segment) in docs.iter_mut().zip(self.segments()) {
            if let Some(alive) = segment.alive_bitset() {
                docs.intersect_update(alive.bitset());
            }
        }
        let len = docs.iter().map(BitSet::len).sum();
        Matching { snapshot: self.clone(), docs, len }
    }

    fn unknown(&self, field: &str) -> Error {
        match self.field_names() {
            Ok(known) => Filter::unknown(field, known.into_iter()),
            Err(_) => Error::invalid("the filter", unknown(field), "a field that documents have"),
        }
    }
}

fn unknown(field: &str) -> String {
    format!("the field {field:?}, which no document has")
}

impl Filter {
    /// The error for a field that no document has: they have the `known` ones.
    pub(super) fn unknown(field: &str, known: impl ExactSizeIterator<Item = String>) -> Error {
        let more = known.len().saturating_sub(MOST_NAMES);
        let mut names = known.take(MOST_NAMES).collect::<Vec<_>>().join(", ");
        if more > 0 {
            names.push_str(&format!(" and {more} more"));
        }
        let expected = match names.is_empty() {
            true => "none: the documents have no fields".to_string(),
            false => format!("a field that documents have: {names}"),
        };
        Error::invalid("the filter", unknown(field), expected)
    }
}

impl Matching {
    /// The chunks of each segment. None of them is deleted.
    pub(super) fn docs(&self) -> &[BitSet] {
        &self.docs
    }

    /// The chunks of a segment, ascending.
    pub(super) fn docs_of(&self, ord: usize) -> impl Iterator<Item = DocId> + '_ {
        members(&self.docs[ord])
    }

    /// Those of these chunks that are among `others`, of the same snapshot.
    pub(crate) fn within(mut self, others: &Matching) -> Matching {
        self.docs
            .iter_mut()
            .zip(&others.docs)
            .for_each(|(docs, others)| docs.intersect_update(&others.into()));
        self.len = self.docs.iter().map(BitSet::len).sum();
        self
    }

    /// Those of these chunks that are not among `others`, of the same snapshot.
    pub(crate) fn without(mut self, others: &Matching) -> Matching {
        for (docs, others) in self.docs.iter_mut().zip(&others.docs) {
            members(others).for_each(|doc| docs.remove(doc));
        }
        self.len = self.docs.iter().map(BitSet::len).sum();
        self
    }

    /// These chunks and `others`, of the same snapshot.
    pub(crate) fn union(mut self, others: &Matching) -> Matching {
        self.docs.iter_mut().zip(&others.docs).for_each(|(docs, others)| add(docs, others));
        self.len = self.docs.iter().map(BitSet::len).sum();
        self
    }
}

impl ChunkSet for Matching {
    fn len(&self) -> usize {
        self.len
    }

    fn contains(&self, chunk: ChunkId) -> bool {
        let place = self.snapshot.place(chunk);
        place.is_some_and(|place| self.docs[place.segment_ord as usize].contains(place.doc_id))
    }

    fn chunks(&self) -> Vec<ChunkId> {
        let mut chunks = Vec::with_capacity(self.len);
        for ord in 0..self.docs.len() {
            let column = self.snapshot.chunk_column(ord);
            chunks.extend(self.docs_of(ord).filter_map(|doc| column.first(doc)).map(ChunkId));
        }
        chunks.sort_unstable();
        chunks
    }
}
