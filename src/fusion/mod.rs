//! Two scores become one ranking: the convex combination of normalised scores, and reciprocal rank fusion.
//!
//! Everything here is a pure function of the candidates. The caller scores every candidate on *both* sides (a chunk
//! that only the dense index proposed gets its BM25 score, and the other way round), so no candidate loses half its
//! score merely because one list was cut before it.
//!
//! # Normalisation
//! The convex combination divides by what a side *could* score for this query, never by what it did score:
//! - lexical: `s / (n · idf₁)`, where `n` is the number of words of the query, known to the corpus or not, and `idf₁`
//!   what BM25 gives a word that one chunk alone has. So 1 is a chunk that has each word once, no other chunk having any.
//! - dense: the cosine. Unrelated texts score about 0: the negative cosines are folded, in order, into the lowest 2 %.
//!
//! Scaling by the best candidate, as min-max scaling does and its theoretical variants (Bruch, Gai and Ingber, "An
//! Analysis of Fusion Functions for Hybrid Retrieval", 2022), makes a side's best guess worth the same whether it
//! matched one common word or five rare ones, and a cosine of 0.3 worth as much as one of 0.9. Here a side that has
//! found little says little, which decides by itself, query by query, how far to trust either: one weight then does for
//! collections whose best weights were 0.4 and 0.9 (docs/benchmarks.md). And a chunk's score depends on no other
//! candidate.

mod class;
mod fit;
mod groups;
mod profile;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use class::ClassWeights;
pub(crate) use class::QueryClass;
pub(crate) use fit::{Judged, learn_class_weights, learn_dense_weight};
pub(crate) use groups::groups_by_answer;
pub(crate) use profile::QueryProfile;

use crate::error::{Error, Result};
use crate::ids::ChunkId;

/// How the lexical and the dense score of a hit become the one it is ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fusion {
    /// `dense_weight · dense + (1 − dense_weight) · lexical`: the cosine, and BM25 as a share of what the words of the query
    /// would score if a single chunk had them all.
    Convex {
        /// The share of the dense side, `0..=1`: 0 ranks by BM25 alone, 1 by the encoder alone.
        dense_weight: f32,
    },
    /// The same with a weight for each kind of query.
    ByClass(ClassWeights),
    /// Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): `1 / (k + rank)` of either side, summed.
    /// Ranks count from 1, equal scores share the better rank, and chunks that match no term share the last one.
    Rrf {
        /// The higher, the less the first ranks stand out. 60 in the paper.
        k: u32,
    },
}

impl std::fmt::Display for Fusion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fusion::Convex { dense_weight } => write!(f, "fusion with a dense weight of {dense_weight}"),
            Fusion::ByClass(weights) => write!(
                f,
                "fusion with a dense weight of {} for short queries ({} with rare terms) and {} for long ones ({} with \
                 rare terms)",
                weights.short, weights.short_rare, weights.long, weights.long_rare
            ),
            Fusion::Rrf { k } => write!(f, "reciprocal rank fusion with k = {k}"),
        }
    }
}

impl Fusion {
    /// The dense weight where none was learned: docs/benchmarks.md has the collections that decided it.
    pub const DEFAULT_DENSE_WEIGHT: f32 = 0.55;

    /// Reciprocal rank fusion with the customary k = 60.
    pub const RRF: Fusion = Fusion::Rrf { k: 60 };

    /// Refuses a weight outside `0..=1` and a k of 0.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn validate(&self) -> Result<()> {
        let weight = |weight: f32| match (0.0..=1.0).contains(&weight) {
            true => Ok(()),
            false => Err(Error::invalid("the dense weight", weight, "a number from 0 to 1")),
        };
        match *self {
            Fusion::Convex { dense_weight } => weight(dense_weight),
            Fusion::ByClass(weights) => {
                QueryClass::ALL.into_iter().try_for_each(|class| weight(weights.of(class)))
            }
            Fusion::Rrf { k: 0 } => {
                Err(Error::invalid("the k of rank fusion", 0, "at least 1 (60 is customary)"))
            }
            Fusion::Rrf { .. } => Ok(()),
        }
    }

    /// "convex", "by-class" or "rrf".
    pub fn name(&self) -> &'static str {
        match self {
            Fusion::Convex { .. } => "convex",
            Fusion::ByClass(_) => "by-class",
            Fusion::Rrf { .. } => "rrf",
        }
    }
}

/// The convex combination with [`Fusion::DEFAULT_DENSE_WEIGHT`].
impl Default for Fusion {
    fn default() -> Self {
        Fusion::Convex { dense_weight: Fusion::DEFAULT_DENSE_WEIGHT }
    }
}

/// A chunk with both its scores: BM25 (0 where no term matches) and the cosine of its vector to the query's.
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

/// The candidates of such a query by fused score, best first, ties by id. The order they come in makes no
/// difference; a score that is not a number counts as the lowest possible one.
pub(crate) fn fuse(fusion: &Fusion, query: QueryProfile, candidates: &[Candidate]) -> Vec<Fused> {
    let mut fused: Vec<Fused> = candidates.iter().map(Fused::unscored).collect();
    match *fusion {
        Fusion::Convex { dense_weight } => score_convex(&mut fused, dense_weight, query.ceiling),
        Fusion::ByClass(weights) => score_convex(&mut fused, weights.of(query.class), query.ceiling),
        Fusion::Rrf { k } => score_rrf(&mut fused, k),
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    fused
}

impl Fused {
    fn unscored(candidate: &Candidate) -> Fused {
        // `+ 0.0` turns −0 into 0, so that the two are one score for `total_cmp`.
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

/// The cosine with its negative half folded: −1..0 to 0..0.02, and 0..1 to 0.02..1; strictly rising.
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

/// From a score to its rank: one more than the number of scores above it.
fn ranks(mut scores: Vec<f32>) -> impl Fn(f32) -> usize {
    scores.sort_by(|a, b| b.total_cmp(a));
    move |score| 1 + scores.partition_point(|&other| other > score)
}
