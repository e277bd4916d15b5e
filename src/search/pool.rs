//! What both indexes propose for a query, scored by both.

use std::time::Instant;

use super::answer::{Coverage, Took};
use super::mode::Mode;
use super::query::Query;
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

/// A chunk in ranked order, with the scores of both sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scored {
    pub(super) chunk: ChunkId,
    pub(super) score: f32,
    pub(super) lexical: Option<f32>,
    pub(super) dense: Option<f32>,
}

/// No chunk has this id.
const LEFT: ChunkId = ChunkId(u64::MAX);

/// The candidates of both sides, scored by both. Ascending by chunk.
pub(super) struct Pool {
    ids: Vec<ChunkId>,
    lexical: Vec<f32>,
    /// `None` without a query vector, and for a chunk that has no vector yet.
    dense: Vec<Option<f32>>,
    /// How many chunks each side was asked for.
    pub(super) depth: usize,
    /// The candidates of the vectors with their scores, best first.
    pub(super) nearest: Vec<(ChunkId, f32)>,
    /// The least score of the words' candidates.
    least_lexical: f32,
    /// Whether the words, and whether the vectors, have no more candidates.
    pub(super) words_exhausted: bool,
    pub(super) vectors_exhausted: bool,
    /// Whether chunks of the index have no vector yet.
    some_uncovered: bool,
}

impl Snapshot {
    /// How much of the index has vectors.
    pub(crate) fn coverage(&self) -> Coverage {
        let encoded = self.pinned.dense.len();
        Coverage { encoded, chunks: encoded + self.pinned.dense.missing().len() }
    }
}

impl Pool {
    fn candidates(&self) -> Vec<Candidate> {
        let scores = self.lexical.iter().zip(&self.dense);
        let both = self.ids.iter().zip(scores);
        both.map(|(&id, (&lexical, &dense))| Candidate { id, lexical, dense }).collect()
    }

    /// What a chunk with a word of the query can score that is not in the pool, phrases aside.
    pub(super) fn best_left(&self, mode: Mode, fusion: &Fusion, ceiling: f32) -> f32 {
        if mode != Mode::Hybrid {
            return self.least_lexical;
        }
        // One with a vector that is as near as the last of the nearest, and one without, if there are such.
        let nearest = self.nearest.last().map_or(-1.0, |&(_, score)| score);
        let kinds = [Some(nearest), None].into_iter().filter(|dense| dense.is_some() || self.some_uncovered);
        let left = kinds.map(|dense| Candidate { id: LEFT, lexical: self.least_lexical, dense });
        let mut candidates = self.candidates();
        candidates.extend(left);
        let fused = fuse(fusion, ceiling, &candidates);
        fused.into_iter().find(|one| one.id == LEFT).map_or(f32::INFINITY, |one| one.score)
    }

    /// The pool's chunks in ranked order.
    pub(super) fn rank(&self, mode: Mode, fusion: &Fusion, ceiling: f32) -> Vec<Scored> {
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
    let text = query.words();
    let vector = snapshot.pinned.generation.encode_query(&text)?;
    let words = snapshot.lexical.prepare(&text)?;
    let prepared = PreparedQuery { mode: Mode::Hybrid, words: &words, vector: Some(&vector), allowed: None };
    let depth = query.candidates.max(query.limit);
    let candidates = propose(snapshot, &prepared, depth, &mut Took::default())?.candidates();
    Ok(Fusible { candidates, ceiling: words.ceiling() })
}

/// A query in the form that the two indexes search for.
pub(super) struct PreparedQuery<'a> {
    pub(super) mode: Mode,
    pub(super) words: &'a Prepared<'a>,
    pub(super) vector: Option<&'a [f32]>,
    pub(super) allowed: Option<&'a Matching>,
}

/// The best `depth` chunks of each side that the mode uses, scored by both.
pub(super) fn propose(
    snapshot: &Snapshot,
    query: &PreparedQuery<'_>,
    depth: usize,
    took: &mut Took,
) -> Result<Pool> {
    let nearest = match query.vector {
        Some(vector) => timed(&mut took.dense, || {
            let allowed = query.allowed.map(|allowed| allowed as &dyn ChunkSet);
            snapshot.pinned.dense.search(vector, depth, allowed)
        })?,
        None => Vec::new(),
    };
    let vectors_exhausted = nearest.len() < depth;
    Ok(Pool { vectors_exhausted, ..propose_words(snapshot, query, depth, nearest, took)? })
}

/// The best `depth` chunks by words, and the `nearest` by vectors, scored by both.
pub(super) fn propose_words(
    snapshot: &Snapshot,
    query: &PreparedQuery<'_>,
    depth: usize,
    nearest: Vec<(ChunkId, f32)>,
    took: &mut Took,
) -> Result<Pool> {
    let by_words = match query.mode {
        Mode::Dense => Vec::new(),
        _ => timed(&mut took.lexical, || query.words.search(depth, query.allowed))?,
    };
    let words_exhausted = by_words.len() < depth;
    let least_lexical = by_words.last().map_or(0.0, |&(_, score)| score);
    let mut ids: Vec<ChunkId> = by_words.iter().chain(&nearest).map(|&(chunk, _)| chunk).collect();
    ids.sort_unstable();
    ids.dedup();
    let lexical = timed(&mut took.lexical, || complete(&ids, by_words, |ids| query.words.score(ids)))?;
    let known = nearest.iter().map(|&(chunk, score)| (chunk, Some(score))).collect();
    let dense = match query.vector {
        Some(vector) => {
            timed(&mut took.dense, || complete(&ids, known, |ids| snapshot.pinned.dense.score(vector, ids)))?
        }
        None => vec![None; ids.len()],
    };
    Ok(Pool {
        ids,
        lexical,
        dense,
        depth,
        nearest,
        least_lexical,
        words_exhausted,
        vectors_exhausted: true,
        some_uncovered: !snapshot.coverage().is_complete(),
    })
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

pub(super) fn timed<T>(total: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    *total += millis(started);
    result
}

pub(super) fn millis(since: Instant) -> f64 {
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
