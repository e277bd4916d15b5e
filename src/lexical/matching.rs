//! The chunks that match a filter.

use tantivy::query::BitSetDocSet;
use tantivy::{BitSet, DocId, DocSet, TERMINATED};

use super::filter::Filter;
use super::snapshot::LexicalSnapshot;
use crate::error::Result;
use crate::ids::{ChunkId, ChunkSet};

/// The live chunks of a snapshot that match a filter. Computed once per query, used by both indexes.
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
    /// [`Error::Invalid`](crate::Error::Invalid) for an empty field name or NaN in the filter.
    pub(crate) fn matching(&self, filter: &Filter) -> Result<Matching> {
        filter.validate()?;
        let docs = self.guarded("filter", || {
            let docs = self.segments().iter().map(|segment| {
                let mut docs = filter.docs(self.fields(), segment)?;
                if let Some(alive) = segment.alive_bitset() {
                    docs.intersect_update(alive.bitset());
                }
                Ok(docs)
            });
            docs.collect::<tantivy::Result<Vec<_>>>()
        })?;
        let len = docs.iter().map(BitSet::len).sum();
        Ok(Matching { snapshot: self.clone(), docs, len })
    }
}

impl Matching {
    /// The chunks of each segment. None of them is deleted.
    pub(super) fn docs(&self) -> &[BitSet] {
        &self.docs
    }

    /// The chunks of a segment, ascending.
    pub(super) fn docs_of(&self, ord: usize) -> impl Iterator<Item = DocId> + use<> {
        let mut docs = BitSetDocSet::from(self.docs[ord].clone());
        let mut next = docs.doc();
        std::iter::from_fn(move || {
            let doc = next;
            next = if doc == TERMINATED { TERMINATED } else { docs.advance() };
            (doc != TERMINATED).then_some(doc)
        })
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
