//! Answers.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::mode::Mode;
use crate::ids::{ChunkId, GenerationId, QueryId};
use crate::lexical::{FacetCount, FieldValue};
use crate::place::Place;
use crate::store::Coverage;

/// The ranked documents for one query.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The answer's id, needed to judge its documents. All pages of a query have the same.
    pub query_id: QueryId,
    /// Whether the answer is logged. Else its documents can't be judged.
    pub logged: bool,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    /// For each field of [`Query::facets`](crate::Query::facets) how many of the `total` documents have each of its
    /// values, the most frequent first, 1,000 at most.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<String, Vec<FacetCount>>,
}

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Took {
    /// Encoding the query.
    pub encode: f64,
    /// Candidates from the lexical index and, but on a cluster, their scores.
    pub lexical: f64,
    /// Candidates from the dense index and, but on a cluster, their scores.
    pub dense: f64,
    /// Fusing, grouping by document, fetching passages; on a cluster they come with their scores.
    pub fuse: f64,
    /// The whole query.
    pub total: f64,
}

/// One document of an answer, shown by its best passage.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// Where the passage begins in the document: line and column of a text, page of a PDF. Unknown for what
    /// an earlier version of retune has added, until it is added again.
    #[serde(default, skip_serializing_if = "Place::is_unknown")]
    pub place: Place,
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

impl Hit {
    /// Where byte `at` of the passage stands: its line and column where the passage is a stretch of the text itself.
    /// For a passage that was extracted, as from HTML or PDF, and for an offset within a character or behind the
    /// passage: where the passage begins.
    pub fn place_at(&self, at: usize) -> Place {
        let mut place = self.place.clone();
        let is_stretch = self.end.saturating_sub(self.start) == self.passage.len() as u64;
        let before = self.passage.get(..at).filter(|_| is_stretch);
        if let (Some(before), Some(line), Some(column)) = (before, &mut place.line, &mut place.column) {
            let breaks = before.bytes().filter(|&byte| byte == b'\n').count();
            let last = before.rsplit('\n').next().unwrap_or_default();
            let characters = last.chars().count() as u32;
            *line += breaks as u32;
            *column = if breaks == 0 { *column + characters } else { 1 + characters };
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(passage: &str, start: u64) -> Hit {
        Hit {
            rank: 1,
            document: "a".into(),
            title: String::new(),
            passage: passage.into(),
            also_in: Vec::new(),
            start,
            end: start + passage.len() as u64,
            place: Place { line: Some(3), column: Some(5), ..Place::default() },
            score: 0.0,
            lexical: None,
            dense: None,
            highlights: Vec::new(),
            fields: BTreeMap::new(),
            chunk: ChunkId(0),
        }
    }

    #[test]
    fn a_place_within_a_passage_is_counted_on_from_its_beginning() {
        let at = |hit: &Hit, at| {
            let place = hit.place_at(at);
            (place.line.unwrap(), place.column.unwrap())
        };
        let exact = hit("é one\ntwo\n\nthree", 10);
        assert_eq!(at(&exact, 0), (3, 5));
        assert_eq!(at(&exact, "é ".len()), (3, 7));
        assert_eq!(at(&exact, 1), (3, 5), "within a character");
        assert_eq!(at(&exact, exact.passage.len() - 2), (6, 4));
        assert_eq!(at(&exact, 99), (3, 5));
        let extracted = Hit { end: 400, ..exact };
        assert_eq!(at(&extracted, 12), (3, 5));
        let page = Place { page: Some(2), ..Place::default() };
        assert_eq!(Hit { place: page.clone(), ..extracted }.place_at(7), page);
    }
}
