//! Queries whose words have been looked up.

use std::collections::HashMap;
use std::ops::Range;

use super::analysis::Analyzer;
use super::bm25::{Pruning, QueryTerms};
use super::choice::MOST_QUERY_TERMS;
use super::idf::idf;
use super::matching::Matching;
use super::phrase::PHRASE_BOOST;
use super::schema::ChunkRecord;
use super::snapshot::LexicalSnapshot;
use super::sought::Sought;
use crate::error::Result;
use crate::ids::ChunkId;

/// A query prepared for one snapshot: plain words.
pub(crate) struct Prepared<'a> {
    snapshot: &'a LexicalSnapshot,
    /// How often the query has each of its words, in each language. Stop words are left out unless the query has no
    /// others.
    counts: HashMap<String, u32>,
    terms: QueryTerms,
    /// How many words it has, in the language in which it has the fewest.
    words: u32,
}

impl LexicalSnapshot {
    /// Looks up the words of a query.
    pub(crate) fn prepare(&self, query: &str) -> Result<Prepared<'_>> {
        self.prepare_with(query, &[], PHRASE_BOOST)
    }

    /// As [`prepare`](LexicalSnapshot::prepare), with terms of the index that stand for a word of the query.
    pub(crate) fn prepare_with_terms(&self, query: &str, terms: &[String]) -> Result<Prepared<'_>> {
        self.prepare_with(query, terms, PHRASE_BOOST)
    }

    pub(super) fn prepare_with(
        &self,
        query: &str,
        further: &[String],
        phrase_boost: f32,
    ) -> Result<Prepared<'_>> {
        self.guarded("look up the words of a query", || {
            let mut sought = Sought::of(query, self.analyzers());
            sought.add(further);
            let terms = self.look_up(&sought, phrase_boost)?;
            let words = sought.words();
            Ok(Prepared { snapshot: self, counts: sought.counts, terms, words })
        })
    }

    /// Prepares and searches. See [`Prepared::search`].
    pub(crate) fn search(
        &self,
        query: &str,
        limit: usize,
        allowed: Option<&Matching>,
    ) -> Result<Vec<(ChunkId, f32)>> {
        self.prepare(query)?.search(limit, allowed)
    }

    /// Prepares and scores. See [`Prepared::score`].
    #[cfg(test)]
    pub(crate) fn score(&self, query: &str, chunks: &[ChunkId]) -> Result<Vec<f32>> {
        self.prepare(query)?.score(chunks)
    }
}

impl Prepared<'_> {
    /// The `limit` best chunks with their scores, best first, ties by ascending id.
    ///
    /// BM25 alone selects the chunks; phrases then change their order. Phrases also decide between chunks that tie for
    /// the last places. A chunk without any word of the query is no hit.
    pub(crate) fn search(&self, limit: usize, allowed: Option<&Matching>) -> Result<Vec<(ChunkId, f32)>> {
        self.search_with(limit, allowed, Pruning::DEFAULT)
    }

    pub(super) fn search_with(
        &self,
        limit: usize,
        allowed: Option<&Matching>,
        pruning: Pruning,
    ) -> Result<Vec<(ChunkId, f32)>> {
        if limit == 0 || self.terms.is_empty() {
            return Ok(Vec::new());
        }
        self.snapshot.guarded("search", || self.snapshot.search_with(&self.terms, limit, pruning, allowed))
    }

    /// Whether the query has a word at all, known to the index or not.
    pub(crate) fn has_words(&self) -> bool {
        !self.counts.is_empty()
    }

    /// All chunks that contain a word of the query: those that a search without a limit would find.
    pub(crate) fn containing(&self, allowed: Option<&Matching>) -> Result<Matching> {
        let segments = self.snapshot.segments().iter().enumerate();
        let found = self.snapshot.guarded("search", || {
            segments
                .map(|(ord, segment)| self.terms.containing(ord, segment))
                .collect::<tantivy::Result<Vec<_>>>()
        })?;
        let found = self.snapshot.alive(found);
        Ok(match allowed {
            Some(allowed) => found.within(allowed),
            None => found,
        })
    }

    /// The score of each of `chunks`, as [`Prepared::search`] gives it. 0 if no word matches or the chunk does not
    /// exist.
    pub(crate) fn score(&self, chunks: &[ChunkId]) -> Result<Vec<f32>> {
        self.snapshot.guarded("score", || self.snapshot.score_with(&self.terms, chunks))
    }

    /// The score that a chunk could reach: BM25 of a chunk of average length that repeats the query's words and is the
    /// only one to contain them. Counts as many words as a search uses, and no titles. 0 for a query without words.
    pub(crate) fn ceiling(&self) -> f32 {
        self.words.min(MOST_QUERY_TERMS as u32) as f32 * idf(1, self.snapshot.held().max(1))
    }

    /// The byte ranges of the query's words in the passage of a chunk, ascending, not overlapping. Words are compared
    /// by their stems.
    pub(crate) fn highlight(&self, chunk: &ChunkRecord) -> Vec<Range<usize>> {
        self.highlight_text(&chunk.body, self.snapshot.analyzers().of_chunk(&chunk.metadata))
    }

    pub(super) fn highlight_text(&self, text: &str, analyzer: &Analyzer) -> Vec<Range<usize>> {
        analyzer.ranges_of(text, &|word| self.counts.contains_key(word))
    }
}
