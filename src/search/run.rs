//! Runs a query: candidates, fusion, grouping by document.

use std::time::Instant;

use super::answer::{Hit, Took};
use super::places::{Place, Places, Scores};
use super::query::{Mode, Query};
use crate::error::Result;
use crate::fusion::{Candidate, Fusion, fuse};
use crate::generation::Pinned;
use crate::ids::{ChunkId, ChunkSet};
use crate::lexical::{LexicalSnapshot, Matching, Prepared};

/// The state that a search reads: a lexical commit and a generation, pinned together.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) lexical: LexicalSnapshot,
    pub(crate) pinned: Pinned,
}

/// Ranked documents and timings.
#[derive(Debug)]
pub(crate) struct Ranked {
    pub(crate) hits: Vec<Hit>,
    pub(crate) took: Took,
}

/// A chunk in ranked order, with the scores of both sides.
#[derive(Debug, Clone, Copy)]
struct Scored {
    chunk: ChunkId,
    score: f32,
    lexical: Option<f32>,
    dense: Option<f32>,
}

/// Ranks the documents of `snapshot` for `query`.
pub(crate) fn rank(snapshot: &Snapshot, query: &Query) -> Result<Ranked> {
    query.validate()?;
    let started = Instant::now();
    let mut took = Took::default();
    let vector = match query.mode {
        Mode::Lexical => None,
        Mode::Hybrid | Mode::Dense => {
            Some(timed(&mut took.encode, || snapshot.pinned.generation.encode_query(&query.text))?)
        }
    };
    let allowed = timed(&mut took.lexical, || {
        query.filter.as_ref().map(|filter| snapshot.lexical.matching(filter)).transpose()
    })?;
    let words = timed(&mut took.lexical, || snapshot.lexical.prepare(&query.text))?;
    let fusion = query.fusion.unwrap_or(snapshot.pinned.generation.meta.fusion);
    let chunk_count = snapshot.pinned.dense.len().max(snapshot.lexical.chunk_count() as usize);
    // Chunks of one document share a place in the answer. If that leaves too few documents, fetch more candidates.
    let mut depth = query.candidates.max(query.limit);
    let hits = loop {
        let prepared = PreparedQuery {
            mode: query.mode,
            words: &words,
            vector: vector.as_deref(),
            allowed: allowed.as_ref(),
        };
        let pool = propose(snapshot, &prepared, depth, &mut took)?;
        let hits = timed(&mut took.fuse, || {
            group(snapshot, query, &words, &pool.rank(query.mode, &fusion, words.ceiling()))
        })?;
        if hits.len() >= query.limit || pool.exhausted || depth >= chunk_count {
            break hits;
        }
        depth = depth.saturating_mul(4);
    };
    took.total = millis(started);
    Ok(Ranked { hits, took })
}

/// The candidates of both sides, scored by both. Ascending by chunk.
struct Pool {
    ids: Vec<ChunkId>,
    lexical: Vec<f32>,
    /// `None` without a query vector, and for a chunk whose vector is missing.
    dense: Vec<Option<f32>>,
    /// Whether the sides have no more candidates.
    exhausted: bool,
}

impl Pool {
    fn candidates(&self) -> Vec<Candidate> {
        let scores = self.lexical.iter().zip(&self.dense);
        let both = self.ids.iter().zip(scores);
        both.map(|(&id, (&lexical, &dense))| Candidate { id, lexical, dense: dense.unwrap_or(-1.0) })
            .collect()
    }

    /// The pool's chunks in ranked order.
    fn rank(&self, mode: Mode, fusion: &Fusion, ceiling: f32) -> Vec<Scored> {
        let score = |i: usize, score| Scored {
            chunk: self.ids[i],
            score,
            lexical: Some(self.lexical[i]),
            dense: self.dense[i],
        };
        let mut scored: Vec<Scored> = match mode {
            Mode::Hybrid => {
                let fused = fuse(fusion, ceiling, &self.candidates());
                let place = |id| self.ids.binary_search(&id).ok();
                return fused.iter().filter_map(|one| Some(score(place(one.id)?, one.score))).collect();
            }
            Mode::Lexical => (0..self.ids.len()).map(|i| score(i, self.lexical[i])).collect(),
            Mode::Dense => (0..self.ids.len()).filter_map(|i| Some(score(i, self.dense[i]?))).collect(),
        };
        scored.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
        scored
    }
}

/// The chunks that a hybrid search for a text would fuse, and what the text's words could score.
pub(crate) struct Fusible {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) ceiling: f32,
}

/// What a hybrid search for `query` would fuse.
pub(crate) fn fusible(snapshot: &Snapshot, query: &Query) -> Result<Fusible> {
    let vector = snapshot.pinned.generation.encode_query(&query.text)?;
    let words = snapshot.lexical.prepare(&query.text)?;
    let prepared = PreparedQuery { mode: Mode::Hybrid, words: &words, vector: Some(&vector), allowed: None };
    let depth = query.candidates.max(query.limit);
    let candidates = propose(snapshot, &prepared, depth, &mut Took::default())?.candidates();
    Ok(Fusible { candidates, ceiling: words.ceiling() })
}

/// A query in the form that the two indexes search for.
struct PreparedQuery<'a> {
    mode: Mode,
    words: &'a Prepared<'a>,
    vector: Option<&'a [f32]>,
    allowed: Option<&'a Matching>,
}

/// The best `depth` chunks of each side that the mode uses, scored by both.
fn propose(snapshot: &Snapshot, query: &PreparedQuery<'_>, depth: usize, took: &mut Took) -> Result<Pool> {
    let (dense, allowed) = (&snapshot.pinned.dense, query.allowed);
    let by_words = match query.mode {
        Mode::Dense => Vec::new(),
        _ => timed(&mut took.lexical, || query.words.search(depth, allowed))?,
    };
    let by_vector = match query.vector {
        Some(vector) => timed(&mut took.dense, || {
            dense.search(vector, depth, allowed.map(|allowed| allowed as &dyn ChunkSet))
        })?,
        None => Vec::new(),
    };
    let exhausted = by_words.len() < depth && by_vector.len() < depth;
    let mut ids: Vec<ChunkId> = by_words.iter().chain(&by_vector).map(|&(chunk, _)| chunk).collect();
    ids.sort_unstable();
    ids.dedup();
    let lexical = timed(&mut took.lexical, || complete(&ids, by_words, |ids| query.words.score(ids)))?;
    let known = by_vector.into_iter().map(|(chunk, score)| (chunk, Some(score))).collect();
    let dense = match query.vector {
        Some(vector) => timed(&mut took.dense, || complete(&ids, known, |ids| dense.score(vector, ids)))?,
        None => vec![None; ids.len()],
    };
    Ok(Pool { ids, lexical, dense, exhausted })
}

/// The score of each chunk: the known one, or else that of `score`.
fn complete<S: Copy>(
    chunks: &[ChunkId],
    mut known: Vec<(ChunkId, S)>,
    score: impl FnOnce(&[ChunkId]) -> Result<Vec<S>>,
) -> Result<Vec<S>> {
    known.sort_unstable_by_key(|&(chunk, _)| chunk);
    let known = |chunk| Some(known[known.binary_search_by_key(&chunk, |&(chunk, _)| chunk).ok()?].1);
    let others: Vec<ChunkId> = chunks.iter().copied().filter(|&chunk| known(chunk).is_none()).collect();
    let mut others = score(&others)?.into_iter();
    Ok(chunks.iter().filter_map(|&chunk| known(chunk).or_else(|| others.next())).collect())
}

/// The first `limit` documents of the ranked chunks, each by its best chunk.
fn group(snapshot: &Snapshot, query: &Query, words: &Prepared<'_>, scored: &[Scored]) -> Result<Vec<Hit>> {
    let mut places = Places::new(query.copies);
    let mut hits: Vec<Hit> = Vec::new();
    for one in scored {
        let scores = Scores { lexical: one.lexical, dense: one.dense };
        let is_full = places.len() == query.limit;
        if is_full && !places.may_have(scores) {
            continue;
        }
        // A chunk without a record was added after this snapshot's lexical commit.
        let Some(record) = snapshot.lexical.get(one.chunk)? else { continue };
        match places.find(&record) {
            Place::New if !is_full => places.take(&record, scores),
            Place::Copy(place) => {
                let also_in = &mut hits[place].also_in;
                if !also_in.contains(&record.document) {
                    also_in.push(record.document);
                }
                continue;
            }
            Place::New | Place::Taken => continue,
        }
        let highlights = match query.highlight {
            true => words.highlight(&record.body),
            false => Vec::new(),
        };
        hits.push(Hit {
            rank: hits.len() + 1,
            highlights,
            document: record.document,
            title: record.title,
            passage: record.body,
            also_in: Vec::new(),
            start: record.start,
            end: record.end,
            score: one.score,
            lexical: one.lexical,
            dense: one.dense,
            chunk: one.chunk,
        });
    }
    Ok(hits)
}

fn timed<T>(total: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    *total += millis(started);
    result
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scores_that_are_not_known_are_asked_for() {
        let [first, second, third, fourth] = [1, 2, 5, 9].map(ChunkId);
        let scores = complete(&[first, second, third, fourth], vec![(third, 0.5), (first, 0.1)], |others| {
            assert_eq!(others, [second, fourth]);
            Ok(vec![0.2, 0.9])
        });
        assert_eq!(scores.unwrap(), [0.1, 0.2, 0.5, 0.9]);
    }
}
