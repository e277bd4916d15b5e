//! Answers.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use super::mode::Mode;
use crate::ids::{ChunkId, GenerationId, QueryId};
use crate::lexical::{FacetCount, FieldValue};

/// The ranked documents for one query.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// The answer's id, needed to judge its documents. All pages of a query have the same.
    pub query_id: QueryId,
    /// The generation that answered.
    pub generation: GenerationId,
    /// Which indexes answered.
    pub mode: Mode,
    /// The time that each step took.
    pub took_ms: Took,
    /// How much of the index had vectors to search in.
    pub coverage: Coverage,
    /// The hits, best first. At most the query's limit, each document and each passage once.
    pub hits: Vec<Hit>,
    /// How many documents the query finds: as many as all of its pages show. With [`Query::total`](crate::Query::total)
    /// or [`Query::facets`](crate::Query::facets), else none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    /// For each field of [`Query::facets`](crate::Query::facets) how many of the `total` documents have each of its
    /// values, the most frequent first, 1,000 at most.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<String, Vec<FacetCount>>,
}

/// How much of an index has vectors. Chunks without one yet are found by their words alone, and ranked among the others
/// without favouring either; a dense search doesn't find them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// Chunks that have a vector.
    pub encoded: usize,
    /// All chunks.
    pub chunks: usize,
}

impl Coverage {
    /// Whether each chunk has a vector.
    pub fn is_complete(&self) -> bool {
        self.encoded == self.chunks
    }

    /// The share of the chunks that have a vector, 0 to 1; 1 of none.
    pub fn share(&self) -> f64 {
        if self.chunks == 0 { 1.0 } else { self.encoded as f64 / self.chunks as f64 }
    }
}

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[non_exhaustive]
pub struct Took {
    /// Encoding the query.
    pub encode: f64,
    /// Candidates and scores from the lexical index.
    pub lexical: f64,
    /// Candidates and scores from the dense index.
    pub dense: f64,
    /// Fusing, grouping by document, fetching passages.
    pub fuse: f64,
    /// The whole query.
    pub total: f64,
}

/// One document of an answer, shown by its best passage.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Hit {
    /// Position among all hits of the query, from 1.
    pub rank: usize,
    /// The document's id.
    pub document: String,
    /// Heading path, title or file name.
    pub title: String,
    /// The best chunk's text.
    pub passage: String,
    /// Other documents that hold the same passage, best first. They take no place of their own with it.
    pub also_in: Vec<String>,
    /// Byte offset of the passage in the document.
    pub start: u64,
    /// Byte offset behind the passage in the document.
    pub end: u64,
    /// The score that hits are ranked by: fused in hybrid mode, otherwise that of the one index.
    pub score: f32,
    /// The BM25 score, at least 0. Not comparable between queries.
    pub lexical: Option<f32>,
    /// The cosine similarity, −1 to 1. `None` in lexical mode, where the query is not encoded,
    /// and for a passage that has no vector yet: see [`Answer::coverage`].
    pub dense: Option<f32>,
    /// Byte ranges in `passage` of words that match the query after stemming. Empty if the query turned them off.
    pub highlights: Vec<Range<usize>>,
    /// The fields that the document was added with, or those of them that the query chose.
    pub fields: BTreeMap<String, FieldValue>,
    /// The document's best chunk.
    #[serde(skip)]
    pub chunk: ChunkId,
}
