//! Scoring candidates by both sides.

use super::method::Fusion;
use super::uncovered::{Covered, Places};
use crate::ids::ChunkId;

/// A chunk with its scores: BM25 (0 where no term matches) and the cosine of its vector to the query's, where it has a
/// vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: ChunkId,
    pub(crate) lexical: f32,
    pub(crate) dense: Option<f32>,
}

/// A candidate with its fused score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fused {
    pub(crate) id: ChunkId,
    pub(crate) score: f32,
    pub(crate) lexical: f32,
    pub(crate) dense: Option<f32>,
}

/// The candidates of a query by fused score, best first, ties by id. `ceiling` is what the words of the query could
/// score: the BM25 score of an average chunk that has each of them, as if no other chunk had any; 0 without words. The
/// order of the candidates makes no difference; a score that is not a number counts as the lowest possible one.
///
/// A candidate without a cosine gets the score that one with a cosine has in its place: see [`Places`].
pub(crate) fn fuse(fusion: &Fusion, ceiling: f32, candidates: &[Candidate]) -> Vec<Fused> {
    let fused = candidates.iter().map(Fused::unscored);
    let (mut fused, mut without): (Vec<Fused>, Vec<Fused>) = fused.partition(|hit| hit.dense.is_some());
    match *fusion {
        Fusion::Convex { dense_weight } => score_convex(&mut fused, dense_weight, ceiling),
        Fusion::Rrf { k } => score_rrf(&mut fused, k),
    }
    if !without.is_empty() {
        let covered = fused.iter().map(|hit| Covered { lexical: hit.lexical, score: hit.score });
        let places = Places::of(covered.collect(), slope(fusion, ceiling));
        without.iter_mut().for_each(|hit| hit.score = places.score(hit.lexical));
        fused.append(&mut without);
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    fused
}

impl Fused {
    fn unscored(candidate: &Candidate) -> Fused {
        // `+ 0.0` turns −0 into 0, so that the two are one score for `total_cmp`.
        let lexical = if candidate.lexical.is_finite() { candidate.lexical.max(0.0) + 0.0 } else { 0.0 };
        let cosine = |dense: f32| if dense.is_finite() { dense.clamp(-1.0, 1.0) + 0.0 } else { -1.0 };
        Fused { id: candidate.id, score: 0.0, lexical, dense: candidate.dense.map(cosine) }
    }

    fn cosine(&self) -> f32 {
        self.dense.unwrap_or(-1.0)
    }
}

/// What one more point of BM25 adds to the score of a candidate without a cosine that words rank above all with one.
fn slope(fusion: &Fusion, ceiling: f32) -> f32 {
    // Above 0 whatever the weight: between two candidates that only words can tell apart, words decide.
    const LEAST: f32 = 0.01;
    let share = match *fusion {
        Fusion::Convex { dense_weight } => (1.0 - dense_weight).max(LEAST),
        Fusion::Rrf { k } => 1.0 / (k as f32 + 1.0),
    };
    if ceiling > 0.0 { share / ceiling } else { 0.0 }
}

fn score_convex(fused: &mut [Fused], dense_weight: f32, ceiling: f32) {
    for hit in fused {
        let lexical = if ceiling > 0.0 { hit.lexical / ceiling } else { 0.0 };
        hit.score = dense_weight * lift(hit.cosine()) + (1.0 - dense_weight) * lexical;
    }
}

/// The cosine with its negative half folded: −1..0 to 0..0.02, and 0..1 to 0.02..1; strictly rising.
fn lift(cosine: f32) -> f32 {
    const FOLDED: f32 = 0.02;
    if cosine < 0.0 { FOLDED * (1.0 + cosine) } else { FOLDED + (1.0 - FOLDED) * cosine }
}

fn score_rrf(fused: &mut [Fused], k: u32) {
    let last = fused.len();
    let lexical = ranks(fused.iter().map(|hit| hit.lexical).collect());
    let dense = ranks(fused.iter().map(Fused::cosine).collect());
    for hit in fused {
        let lexical = if hit.lexical > 0.0 { lexical(hit.lexical) } else { last };
        let reciprocal = |rank: usize| 1.0 / (f64::from(k) + rank as f64);
        hit.score = (reciprocal(lexical) + reciprocal(dense(hit.cosine()))) as f32;
    }
}

/// From a score to its rank: one more than the number of scores above it.
fn ranks(mut scores: Vec<f32>) -> impl Fn(f32) -> usize {
    scores.sort_by(|a, b| b.total_cmp(a));
    move |score| 1 + scores.partition_point(|&other| other > score)
}
