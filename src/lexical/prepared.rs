//! A query whose words were looked up once, for all that is asked of it.

use std::collections::HashMap;
use std::ops::Range;

use super::bm25::{MOST_QUERY_TERMS, Pruning, QueryTerm, idf};
use super::matching::Matching;
use super::phrase::{PHRASE_BOOST, Pair};
use super::snapshot::LexicalSnapshot;
use crate::error::Result;
use crate::ids::ChunkId;

/// A query of a snapshot. It is plain words: nothing in it is syntax.
pub(crate) struct Prepared<'a> {
    snapshot: &'a LexicalSnapshot,
    /// How often it has each of its words. The language's stop words count only when it has no others.
    counts: HashMap<String, u32>,
    terms: Vec<QueryTerm>,
    pairs: Vec<Pair>,
}

impl LexicalSnapshot {
    /// Looks a query's words up.
    pub(crate) fn prepare(&self, query: &str) -> Result<Prepared<'_>> {
        self.prepare_with(query, PHRASE_BOOST)
    }

    pub(super) fn prepare_with(&self, query: &str, phrase_boost: f32) -> Result<Prepared<'_>> {
        self.guarded("look up the words of a query", || {
            let sequence = self.analyzer().query_sequence(query);
            let pairs = self.query_pairs(&sequence, phrase_boost)?;
            let mut counts = HashMap::new();
            for (word, _) in sequence {
                *counts.entry(word).or_default() += 1;
            }
            Ok(Prepared { snapshot: self, terms: self.query_terms(&counts)?, counts, pairs })
        })
    }

    /// [`Prepared::search`] of a query that nothing else is asked of.
    pub(crate) fn search(
        &self,
        query: &str,
        limit: usize,
        allowed: Option<&Matching>,
    ) -> Result<Vec<(ChunkId, f32)>> {
        self.prepare(query)?.search(limit, allowed)
    }

    /// [`Prepared::score`] of a query that nothing else is asked of.
    #[cfg(test)]
    pub(crate) fn score(&self, query: &str, chunks: &[ChunkId]) -> Result<Vec<f32>> {
        self.prepare(query)?.score(chunks)
    }
}

impl Prepared<'_> {
    /// The `limit` best chunks by BM25, in the order of their scores with phrases counted too, equal ones by ascending id.
    /// Phrases decide the order, not who is among them, but where chunks tie for the last places. A chunk that has none of
    /// the words is no hit.
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
        let query = (&self.terms[..], &self.pairs[..]);
        self.snapshot.guarded("search", || self.snapshot.search_with(query, (limit, pruning), allowed))
    }

    /// The BM25 score of each of `chunks`, as [`Prepared::search`] gives it; 0 where no word matches or where there is no
    /// such chunk.
    pub(crate) fn score(&self, chunks: &[ChunkId]) -> Result<Vec<f32>> {
        let query = (&self.terms[..], &self.pairs[..]);
        self.snapshot.guarded("score", || self.snapshot.score_with(query, chunks))
    }

    /// The BM25 score of a chunk of average length that has each word once for each time that the query has it, as if no
    /// other chunk had any of them; of as many words as a search looks at, titles not counted. 0 for a query without words.
    pub(crate) fn ceiling(&self) -> f32 {
        let words = self.counts.values().sum::<u32>().min(MOST_QUERY_TERMS as u32);
        words as f32 * idf(1, self.snapshot.held().max(1))
    }

    /// The number of chunks that have each distinct word, deleted ones included, in ascending order.
    pub(crate) fn frequencies(&self) -> Result<Vec<u64>> {
        self.snapshot.guarded("count a query's words", || {
            let counts = self.counts.keys().map(|word| self.snapshot.chunks_with(word));
            let mut counts = counts.collect::<tantivy::Result<Vec<u64>>>()?;
            counts.sort_unstable();
            Ok(counts)
        })
    }

    /// Where `text` has words of the query: byte ranges, ascending, not overlapping. Words are compared by their stems.
    pub(crate) fn highlight(&self, text: &str) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        self.snapshot.analyzer().terms(text, |word, range| {
            if self.counts.contains_key(word) {
                match ranges.last_mut() {
                    Some(last) if range.start < last.end => last.end = range.end,
                    _ => ranges.push(range),
                }
            }
            true
        });
        ranges
    }
}
