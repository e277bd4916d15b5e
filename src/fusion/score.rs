//! Scores candidates on both sides and fuses the scores.

use super::method::Fusion;
use crate::ids::ChunkId;

/// A chunk with both scores: BM25 (0 if no term matches) and the cosine of its vector to the query's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: ChunkId,
    pub(crate) lexical: f32,
    pub(crate) dense: f32,
}

/// A candidate with its fused score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fused {
    pub(crate) id: ChunkId,
    pub(crate) score: f32,
    pub(crate) lexical: f32,
    pub(crate) dense: f32,
}

/// Ranks the candidates of a query by fused score, best first, ties by id. `ceiling` is the attainable lexical maximum:
/// the BM25 score of an average chunk that has every word of the query, as if no other chunk had any; 0 without words.
/// The order of the candidates does not matter; a score that is not a number counts as the lowest possible one.
pub(crate) fn fuse(fusion: &Fusion, ceiling: f32, candidates: &[Candidate]) -> Vec<Fused> {
    let mut fused: Vec<Fused> = candidates.iter().map(Fused::unscored).collect();
    match *fusion {
        Fusion::Convex { dense_weight } => score_convex(&mut fused, dense_weight, ceiling),
        Fusion::Rrf { k } => score_rrf(&mut fused, k),
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    fused
}

impl Fused {
    fn unscored(candidate: &Candidate) -> Fused {
        // `+ 0.0` turns −0 into 0, so that `total_cmp` treats them as equal.
        let lexical = if candidate.lexical.is_finite() { candidate.lexical.max(0.0) + 0.0 } else { 0.0 };
        let dense = if candidate.dense.is_finite() { candidate.dense.clamp(-1.0, 1.0) + 0.0 } else { -1.0 };
        Fused { id: candidate.id, score: 0.0, lexical, dense }
    }
}

fn score_convex(fused: &mut [Fused], dense_weight: f32, ceiling: f32) {
    for hit in fused {
        let lexical = if ceiling > 0.0 { hit.lexical / ceiling } else { 0.0 };
        hit.score = dense_weight * lift(hit.dense) + (1.0 - dense_weight) * lexical;
    }
}

/// The cosine with its negative half folded: −1..0 to 0..0.02, and 0..1 to 0.02..1; strictly increasing.
fn lift(cosine: f32) -> f32 {
    const FOLDED: f32 = 0.02;
    if cosine < 0.0 { FOLDED * (1.0 + cosine) } else { FOLDED + (1.0 - FOLDED) * cosine }
}

fn score_rrf(fused: &mut [Fused], k: u32) {
    let last = fused.len();
    let lexical = ranks(fused.iter().map(|hit| hit.lexical).collect());
    let dense = ranks(fused.iter().map(|hit| hit.dense).collect());
    for hit in fused {
        let lexical = if hit.lexical > 0.0 { lexical(hit.lexical) } else { last };
        let reciprocal = |rank: usize| 1.0 / (f64::from(k) + rank as f64);
        hit.score = (reciprocal(lexical) + reciprocal(dense(hit.dense))) as f32;
    }
}

/// Maps a score to its rank: one more than the number of higher scores.
fn ranks(mut scores: Vec<f32>) -> impl Fn(f32) -> usize {
    scores.sort_by(|a, b| b.total_cmp(a));
    move |score| 1 + scores.partition_point(|&other| other > score)
}
