//! The trait.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::coverage::Coverage;
use super::proposal::{Proposed, Wanted};
use super::restriction::Restrictions;
use crate::error::Result;
use crate::fusion::Fusion;
use crate::ids::ChunkId;
use crate::lexical::{ChunkRecord, FacetCount};

/// One pinned state of an index: what was committed by some moment, and the generation that serves it.
pub(crate) trait Store {
    /// A query that was looked up in this state.
    type Query<'s>: StoreQuery
    where
        Self: 's;

    /// Looks up the words of a text and what the restrictions leave.
    fn look_up<'s>(&'s self, text: &str, restrictions: &Restrictions<'_>) -> Result<Self::Query<'s>>;

    /// The vector of a query, by the encoder of this state's vectors.
    fn encode_query(&self, text: &str) -> Result<Arc<[f32]>>;

    /// How the generation fuses the two scores.
    fn fusion(&self) -> Fusion;

    /// How many chunks there are, and how many have vectors.
    fn coverage(&self) -> Coverage;
}

/// A query of one state.
pub(crate) trait StoreQuery {
    /// Whether the query has a word at all, known to the index or not.
    fn has_words(&self) -> bool;

    /// The BM25 score that a chunk could reach: see [`fuse`](crate::fusion::fuse).
    fn ceiling(&self) -> f32;

    /// The best chunks by words and by vectors, each scored by both.
    fn propose(&self, wanted: Wanted<'_>) -> Result<Proposed>;

    /// A chunk that was proposed. `None` if it was committed after this state.
    fn record(&self, chunk: ChunkId) -> Result<Option<ChunkRecord>>;

    /// The byte ranges of the query's words in the passage of a chunk, ascending, not overlapping.
    fn highlight(&self, chunk: &ChunkRecord) -> Vec<Range<usize>>;

    /// Counts the documents of the chunks that were found, and the values of their fields.
    fn count(&self, found: Found<'_>, facets: &[String]) -> Result<Counts>;
}

/// Chunks that a query finds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'a> {
    /// These.
    These(&'a [ChunkId]),
    /// All that contain a word of the query, and these.
    WithWordsAnd(&'a [ChunkId]),
}

/// What a query finds in all, where it asks for that.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) total: Option<usize>,
    pub(crate) facets: BTreeMap<String, Vec<FacetCount>>,
}

impl Counts {
    /// Where nothing is found.
    pub(crate) fn nothing(facets: &[String]) -> Counts {
        Counts { total: Some(0), facets: facets.iter().map(|field| (field.clone(), Vec::new())).collect() }
    }
}
