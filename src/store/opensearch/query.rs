//! A query of a generation on a cluster.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value as Json;

use super::counting::Counting;
use super::scores::{Scored, best_by_words, both, cosine, hits, nearest, ranking, scored};
use super::searches::Searches;
use crate::clock::millis;
use crate::error::{Error, Result};
use crate::ids::ChunkId;
use crate::lexical::{ChunkRecord, QueryWords, Weights};
use crate::store::proposal::{Nearest, Proposed, Times, Wanted};
use crate::store::state::{Counts, Found, StoreQuery};

/// Scores by the statistics of all shards.
const GLOBALLY: &str = "search_type=dfs_query_then_fetch";
/// Candidates of each side at most: a request has 10,000 hits, and both sides may propose others.
pub(crate) const DEEPEST: usize = 5000;
/// Clauses of one request. A cluster takes 1,024 in all.
const MOST_CLAUSES: usize = 1000;

/// A query whose words were weighed.
pub(crate) struct ClusterQuery<'s> {
    pub(super) searches: Searches<'s>,
    /// All chunks of the index.
    pub(super) chunks: u64,
    pub(super) words: QueryWords,
    pub(super) weights: Weights,
    /// What passages are restricted to.
    pub(super) filter: Option<Json>,
    /// The chunks that were proposed. They come with their scores.
    pub(super) records: Mutex<HashMap<ChunkId, ChunkRecord>>,
}

impl ClusterQuery<'_> {
    /// Rejects more words than a cluster takes.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub(super) fn check(&self) -> Result<()> {
        match self.weights.terms.len() + self.weights.pairs.len() {
            0..=MOST_CLAUSES => Ok(()),
            clauses => Err(Error::invalid(
                "the query on a cluster",
                format!("{clauses} words and pairs of words, in all languages of the index"),
                format!("a shorter text, of {MOST_CLAUSES} at most"),
            )),
        }
    }

    /// The best chunks by words, and the nearest: one request for both.
    fn candidates(&self, words: usize, near: Option<(&[f32], usize)>) -> Result<Candidates> {
        let mut searches = Vec::new();
        if words > 0 && !self.weights.terms.is_empty() {
            searches.push(best_by_words(&self.weights, words, self.filter.as_ref()));
        }
        let has_words = !searches.is_empty();
        if let Some((vector, most)) = near {
            searches.push(nearest(vector, most, self.filter.as_ref()));
        }
        let mut found = Candidates::default();
        if searches.is_empty() {
            return Ok(found);
        }
        let started = Instant::now();
        let mut answers = self.searches.several(&searches, GLOBALLY)?.into_iter();
        let took = millis(started);
        let mut next = || -> Result<(Vec<(ChunkId, f32)>, f64)> {
            let one = answers.next().unwrap_or_default();
            let ranked = hits(&one).and_then(|hits| ranking(hits));
            let ranked = ranked.ok_or_else(|| self.searches.lacks("the hits of all shards"))?;
            Ok((ranked, one["took"].as_f64().unwrap_or(0.0)))
        };
        if has_words {
            (found.by_words, found.times.lexical) = next()?;
        }
        if near.is_some() {
            (found.nearest, found.times.dense) = next()?;
            found.nearest.iter_mut().for_each(|(_, score)| *score = cosine(*score));
        }
        found.share(took);
        Ok(found)
    }

    /// Both scores of these chunks, with their records.
    fn score(&self, chunks: &[ChunkId], vector: Option<&[f32]>) -> Result<HashMap<ChunkId, Scored>> {
        let query = both(&self.weights, vector, chunks);
        let answer = self.searches.one(&query, &[GLOBALLY, "include_named_queries_score=true"])?;
        let scored = hits(&answer).and_then(|hits| scored(hits));
        scored.ok_or_else(|| self.searches.lacks("the scores of all shards"))
    }
}

/// What the first request finds.
#[derive(Default)]
struct Candidates {
    by_words: Vec<(ChunkId, f32)>,
    nearest: Vec<(ChunkId, f32)>,
    times: Times,
}

impl Candidates {
    /// Divides the milliseconds of the request between both sides, as the cluster took them.
    fn share(&mut self, request: f64) {
        let Times { lexical, dense, .. } = &mut self.times;
        let part = request / (*lexical + *dense).max(1.0);
        *lexical *= part;
        *dense *= part;
    }
}

impl StoreQuery for ClusterQuery<'_> {
    fn has_words(&self) -> bool {
        !self.words.is_empty()
    }

    fn ceiling(&self) -> f32 {
        self.words.ceiling(self.chunks)
    }

    fn propose(&self, wanted: Wanted<'_>) -> Result<Proposed> {
        let near = match (&wanted.nearest, wanted.vector) {
            (Nearest::Best(most), Some(vector)) => Some((vector, *most)),
            _ => None,
        };
        let near = near.map(|(vector, most)| (vector, most.min(DEEPEST)));
        let Candidates { by_words, nearest, mut times } = self.candidates(wanted.words.min(DEEPEST), near)?;
        let nearest = match wanted.nearest {
            Nearest::Known(known) => known,
            Nearest::Best(_) => nearest,
        };
        let mut chunks: Vec<ChunkId> = by_words.iter().chain(&nearest).map(|&(chunk, _)| chunk).collect();
        chunks.sort_unstable();
        chunks.dedup();
        let mut proposed = Proposed {
            by_words: by_words.len(),
            cut: by_words.len() == DEEPEST && wanted.words > DEEPEST,
            least_lexical: by_words.last().map_or(0.0, |&(_, score)| score),
            nearest,
            ..Proposed::default()
        };
        if !chunks.is_empty() {
            let started = Instant::now();
            let mut scored = self.score(&chunks, wanted.vector)?;
            times.records = millis(started);
            let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            for chunk in chunks {
                let Some(Scored { lexical, dense, record }) = scored.remove(&chunk) else { continue };
                proposed.chunks.push(chunk);
                proposed.lexical.push(lexical);
                proposed.dense.push(dense);
                records.insert(chunk, record);
            }
        }
        Ok(Proposed { times, ..proposed })
    }

    fn record(&self, chunk: ChunkId) -> Result<Option<ChunkRecord>> {
        Ok(self.records.lock().unwrap_or_else(PoisonError::into_inner).get(&chunk).cloned())
    }

    fn highlight(&self, chunk: &ChunkRecord) -> Vec<Range<usize>> {
        self.words.highlight(chunk)
    }

    fn count(&self, found: Found<'_>, facets: &[String]) -> Result<Counts> {
        match Counting::of(self.searches, &self.weights, self.filter.as_ref(), found) {
            Some(counting) => counting.count(facets),
            None => Ok(Counts::nothing(facets)),
        }
    }
}
