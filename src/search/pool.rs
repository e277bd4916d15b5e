//! What both sides propose for a query, fused.

use super::answer::Took;
use super::mode::Mode;
use super::query::Query;
use crate::error::Result;
use crate::fusion::{Candidate, Fusion, fuse};
use crate::ids::ChunkId;
use crate::store::{Coverage, Nearest, Proposed, Restrictions, Snapshot, Store, StoreQuery, Times, Wanted};

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

/// The candidates of both sides, scored by both.
pub(super) struct Pool {
    proposed: Proposed,
    /// How many chunks each side was asked for.
    pub(super) depth: usize,
    /// Whether the words, and whether the vectors, have no more candidates.
    pub(super) words_exhausted: bool,
    pub(super) vectors_exhausted: bool,
    /// Whether chunks of the index have no vector yet.
    some_uncovered: bool,
}

impl Pool {
    /// The candidates of the vectors with their scores, best first.
    pub(super) fn nearest(&self) -> &[(ChunkId, f32)] {
        &self.proposed.nearest
    }

    /// As [`nearest`](Pool::nearest), for a deeper pool.
    pub(super) fn into_nearest(self) -> Vec<(ChunkId, f32)> {
        self.proposed.nearest
    }

    /// How many chunks the words have found, if that is as many as the index proposes and there are more.
    pub(super) fn cut(&self) -> Option<usize> {
        self.proposed.cut.then_some(self.proposed.by_words)
    }

    fn candidates(&self) -> Vec<Candidate> {
        let Proposed { chunks, lexical, dense, .. } = &self.proposed;
        let both = chunks.iter().zip(lexical.iter().zip(dense));
        both.map(|(&id, (&lexical, &dense))| Candidate { id, lexical, dense }).collect()
    }

    /// What a chunk with a word of the query can score that is not in the pool, phrases aside.
    pub(super) fn best_left(&self, mode: Mode, fusion: &Fusion, ceiling: f32) -> f32 {
        if mode != Mode::Hybrid {
            return self.proposed.least_lexical;
        }
        // One with a vector that is as near as the last of the nearest, and one without, if there are such.
        let nearest = self.proposed.nearest.last().map_or(-1.0, |&(_, score)| score);
        let kinds = [Some(nearest), None].into_iter().filter(|dense| dense.is_some() || self.some_uncovered);
        let left = kinds.map(|dense| Candidate { id: LEFT, lexical: self.proposed.least_lexical, dense });
        let mut candidates = self.candidates();
        candidates.extend(left);
        let fused = fuse(fusion, ceiling, &candidates);
        fused.into_iter().find(|one| one.id == LEFT).map_or(f32::INFINITY, |one| one.score)
    }

    /// The pool's chunks in ranked order.
    pub(super) fn rank(&self, mode: Mode, fusion: &Fusion, ceiling: f32) -> Vec<Scored> {
        let Proposed { chunks, lexical, dense, .. } = &self.proposed;
        let score =
            |i: usize, score| Scored { chunk: chunks[i], score, lexical: Some(lexical[i]), dense: dense[i] };
        let mut scored: Vec<Scored> = match mode {
            Mode::Hybrid => {
                let fused = fuse(fusion, ceiling, &self.candidates());
                let place = |id| chunks.binary_search(&id).ok();
                return fused.iter().filter_map(|one| Some(score(place(one.id)?, one.score))).collect();
            }
            Mode::Lexical => (0..chunks.len()).map(|i| score(i, lexical[i])).collect(),
            Mode::Dense => (0..chunks.len()).filter_map(|i| Some(score(i, dense[i]?))).collect(),
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
    let vector = snapshot.encode_query(&text)?;
    let words = snapshot.look_up(&text, &Restrictions { filter: None, all: Vec::new() })?;
    let asked =
        Asked { mode: Mode::Hybrid, query: &words, vector: Some(&vector), coverage: snapshot.coverage() };
    let depth = query.candidates.max(query.limit);
    let candidates = propose(&asked, depth, &mut Took::default())?.candidates();
    Ok(Fusible { candidates, ceiling: words.ceiling() })
}

/// A query in the form that a store searches for.
pub(super) struct Asked<'a, Q> {
    pub(super) mode: Mode,
    pub(super) query: &'a Q,
    pub(super) vector: Option<&'a [f32]>,
    pub(super) coverage: Coverage,
}

/// The best `depth` chunks of each side that the mode uses, scored by both.
pub(super) fn propose<Q: StoreQuery>(asked: &Asked<'_, Q>, depth: usize, took: &mut Took) -> Result<Pool> {
    let pool = propose_with(asked, depth, Nearest::Best(depth), took)?;
    Ok(Pool { vectors_exhausted: pool.proposed.nearest.len() < depth, ..pool })
}

/// The best `depth` chunks by words, and the `nearest` by vectors, scored by both.
pub(super) fn propose_words<Q: StoreQuery>(
    asked: &Asked<'_, Q>,
    depth: usize,
    nearest: Vec<(ChunkId, f32)>,
    took: &mut Took,
) -> Result<Pool> {
    propose_with(asked, depth, Nearest::Known(nearest), took)
}

fn propose_with<Q: StoreQuery>(
    asked: &Asked<'_, Q>,
    depth: usize,
    nearest: Nearest,
    took: &mut Took,
) -> Result<Pool> {
    let words = if asked.mode == Mode::Dense { 0 } else { depth };
    let proposed = asked.query.propose(Wanted { words, vector: asked.vector, nearest })?;
    let Times { lexical, dense, records } = proposed.times;
    took.lexical += lexical;
    took.dense += dense;
    took.fuse += records;
    Ok(Pool {
        words_exhausted: proposed.by_words < depth,
        vectors_exhausted: true,
        some_uncovered: !asked.coverage.is_complete(),
        depth,
        proposed,
    })
}
