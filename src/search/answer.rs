//! Answers.

use std::ops::Range;

use serde::Serialize;

use super::query::Mode;
use crate::ids::{ChunkId, GenerationId, QueryId};

/// The ranked documents for one query.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// The answer's id, needed to judge its documents.
    pub query_id: QueryId,
    /// The generation that answered.
    pub generation: GenerationId,
    /// Which indexes answered.
    pub mode: Mode,
    /// The time that each step took.
    pub took_ms: Took,
    /// The hits, best first. At most the query's limit, each document and each passage once.
    pub hits: Vec<Hit>,
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
    /// Position in the answer, from 1.
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
    /// The cosine similarity, −1 to 1. `None` in lexical mode, where the query is not encoded.
    pub dense: Option<f32>,
    /// Byte ranges in `passage` of words that match the query after stemming. Empty if the query turned them off.
    pub highlights: Vec<Range<usize>>,
    /// The document's best chunk.
    #[serde(skip)]
    pub chunk: ChunkId,
}
