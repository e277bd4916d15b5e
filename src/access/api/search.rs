//! Searching.

use serde::{Deserialize, Serialize};

use crate::ids::{ChunkId, GenerationId, QueryId};
use crate::place::Place;
use crate::search::Mode;

/// `GET search`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchRequest {
    /// What a person types, operators and all: see [`Query::parse`](crate::Query::parse).
    pub q: String,
    /// Which indexes answer. Default both.
    pub mode: Mode,
    /// Number of documents, 1 to 100. Default 10.
    pub limit: usize,
    /// Number of documents to leave out before the first one. Default 0.
    pub offset: usize,
    /// The answer that this is a further page of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_of: Option<QueryId>,
    /// Whether the answer is kept in the log, so that it can be judged. Default true. Off while somebody types.
    pub log: bool,
    /// Whether all documents that are found are counted, which takes time. Default false.
    pub count: bool,
    /// An id of one user's sitting, 64 characters at most, made up by the front end: queries of one session that
    /// follow one another may be the same question in other words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Only documents with one of these extensions: `pdf`, `md,rst`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ext: Option<String>,
    /// Only documents of the followed folder with this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Only documents whose path fits this pattern, as with the operator `path:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only documents from this year, month, day or moment on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only documents from before this year, month, day or moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

impl Default for SearchRequest {
    fn default() -> SearchRequest {
        SearchRequest {
            q: String::new(),
            mode: Mode::default(),
            limit: 10,
            offset: 0,
            page_of: None,
            log: true,
            count: false,
            session: None,
            ext: None,
            folder: None,
            path: None,
            after: None,
            before: None,
        }
    }
}

impl SearchRequest {
    /// A request for this query, with the defaults.
    pub fn new(q: impl Into<String>) -> SearchRequest {
        SearchRequest { q: q.into(), ..SearchRequest::default() }
    }
}

/// `GET similar`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SimilarRequest {
    /// The document.
    pub document: String,
    /// A passage of it, as an answer names it. Default its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<ChunkId>,
    /// Number of documents, 1 to 100. Default 10.
    #[serde(default = "ten")]
    pub limit: usize,
}

fn ten() -> usize {
    10
}

impl SimilarRequest {
    /// What is like this document, with the defaults.
    pub fn new(document: impl Into<String>) -> SimilarRequest {
        SimilarRequest { document: document.into(), passage: None, limit: ten() }
    }
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SearchAnswer {
    /// The answer's id, to judge its documents by. `None` if it is not in the log.
    pub query_id: Option<QueryId>,
    /// Milliseconds that the engine took.
    pub took_ms: f64,
    /// Which indexes answered.
    pub mode: Mode,
    /// The generation that answered.
    pub generation: GenerationId,
    /// How many documents the query finds, if they were counted.
    pub total: Option<usize>,
    /// How much of the index has vectors.
    pub coverage: Covered,
    /// What a user should know about the answer, a sentence each.
    pub notices: Vec<String>,
    /// The documents, best first.
    pub hits: Vec<FoundDocument>,
}

/// How much of an index has vectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Covered {
    /// Passages that have one.
    pub covered: usize,
    /// All passages.
    pub chunks: usize,
}

/// A document of an answer, by its best passage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FoundDocument {
    /// Position among all documents of the query, from 1.
    pub rank: usize,
    /// The document's id.
    pub document: String,
    /// The document's title, or the name of its file.
    pub title: String,
    /// The headings that the passage stands under, `A > B`.
    pub heading: Option<String>,
    /// The passage.
    pub text: String,
    /// Ranges of characters in `text` that match the query.
    pub highlights: Vec<[usize; 2]>,
    /// The passage's id.
    pub passage: ChunkId,
    /// Where it begins in the file.
    pub place: At,
    /// The document's day, `2024-01-31`: its own, or that of its file.
    pub date: Option<String>,
    /// The file's extension in lower case; empty without one.
    pub kind: String,
    /// The name of the followed folder that it lies in, where the index follows several.
    pub folder: Option<String>,
    /// The score that documents are ranked by.
    pub score: f32,
    /// The score by words (BM25).
    pub words: Option<f32>,
    /// The score by meaning (cosine similarity).
    pub meaning: Option<f32>,
    /// Other documents that hold the same passage.
    pub also: Vec<String>,
}

/// Where a passage begins in its file. What is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct At {
    /// In the terms of the file's format.
    #[serde(flatten)]
    pub place: Place,
    /// As a person says it, such as `page 3`; empty if nothing is known.
    pub label: String,
}

impl From<Place> for At {
    fn from(place: Place) -> At {
        At { label: place.to_string(), place }
    }
}
