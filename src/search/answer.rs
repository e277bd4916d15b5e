//! What is answered.

use std::ops::Range;

use serde::Serialize;

use super::query::Mode;
use crate::ids::{ChunkId, GenerationId, QueryId};

/// The ranked documents for one query.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// Names this answer when a document of it is judged.
    pub query_id: QueryId,
    /// The generation that answered.
    pub generation: GenerationId,
    /// Which indexes answered.
    pub mode: Mode,
    /// Where the time went.
    pub took_ms: Took,
    /// Best first, at most the query's limit, each document once.
    pub hits: Vec<Hit>,
}

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[non_exhaustive]
pub struct Took {
    /// Turning the query into a vector.
    pub encode: f64,
    /// Candidates and scores from the lexical index.
    pub lexical: f64,
    /// Candidates and scores from the dense index.
    pub dense: f64,
    /// Fusing, grouping by document, fetching passages.
    pub fuse: f64,
    /// All of it.
    pub total: f64,
}

/// One document of an answer, shown by its best passage.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Hit {
    /// Place in the answer, from 1.
    pub rank: usize,
    /// The document's id.
    pub document: String,
    /// Heading path, title or file name.
    pub title: String,
    /// The best chunk's text.
    pub passage: String,
    /// First byte of the passage in the document.
    pub start: u64,
    /// One past the last byte of the passage in the document.
    pub end: u64,
    /// What the hits are ranked by: fused in hybrid mode, else the score of the one index.
    pub score: f32,
    /// BM25, 0 and up, in the scale of this query.
    pub lexical: Option<f32>,
    /// Cosine, −1 to 1; absent in lexical mode, where the query has no vector.
    pub dense: Option<f32>,
    /// Byte ranges in `passage` of the words that match the query after stemming, unless the query asked for none.
    pub highlights: Vec<Range<usize>>,
    /// The chunk that stands for the document.
    #[serde(skip)]
    pub chunk: ChunkId,
}
