//! Two scores become one ranking: the convex combination of normalised scores, and reciprocal rank fusion.
//!
//! Everything here is a pure function of the candidates. The caller scores every candidate on *both* sides (a chunk
//! that only the dense index proposed gets its BM25 score, and the other way round), so no candidate loses half its
//! score merely because one list was cut before it.
//!
//! # Normalisation
//! The convex combination divides by a side's best score over the candidates, above a *fixed* floor: the theoretical
//! minimum with max scaling of Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (2022).
//! - lexical: `s / max s`. BM25's floor is 0, and 0 says that no term matches.
//! - dense: `g(c) / max g(c)`. A cosine's floor is −1, but unrelated texts score about 0, and a floor of −1 would
//!   squeeze everything that matters into a fifth of the scale. So `g` leaves the positive cosines nearly as they are
//!   and folds the negative ones, in order, into the lowest 2 %.
//!
//! Against min-max scaling this has two merits: adding or dropping candidates at the bottom changes no score, and a
//! lone hit becomes 1, not 0/0.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ids::ChunkId;

/// How the lexical and the dense score of a hit become the one it is ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fusion {
    /// `dense_weight · dense + (1 − dense_weight) · lexical`, each side normalised to `0..=1` by its best candidate.
    Convex {
        /// The share of the dense side, `0..=1`: 0 ranks by BM25 alone, 1 by the encoder alone.
        dense_weight: f32,
    },
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
            Fusion::Rrf { k } => write!(f, "reciprocal rank fusion with k = {k}"),
        }
    }
}

impl Fusion {
    /// The dense weight where none was learned. The best one differs by collection, between about 0.55 (claims against
    /// abstracts, where the terms matter) and 0.9 (questions against questions); 0.7 loses little at either end.
    pub const DEFAULT_DENSE_WEIGHT: f32 = 0.7;

    /// Reciprocal rank fusion with the customary k = 60.
    pub const RRF: Fusion = Fusion::Rrf { k: 60 };

    /// Refuses a weight outside `0..=1` and a k of 0.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn validate(&self) -> Result<()> {
        match *self {
            Fusion::Convex { dense_weight } if !(0.0..=1.0).contains(&dense_weight) => {
                Err(Error::invalid("the dense weight", dense_weight, "a number from 0 to 1"))
            }
            Fusion::Rrf { k: 0 } => {
                Err(Error::invalid("the k of rank fusion", 0, "at least 1 (60 is customary)"))
            }
            _ => Ok(()),
        }
    }

    /// "convex" or "rrf".
    pub fn name(&self) -> &'static str {
        match self {
            Fusion::Convex { .. } => "convex",
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

/// The candidates by fused score, best first, ties by id. The order they come in makes no difference; a score that is
/// not a number counts as the lowest possible one.
pub(crate) fn fuse(fusion: &Fusion, candidates: &[Candidate]) -> Vec<Fused> {
    let mut fused: Vec<Fused> = candidates.iter().map(Fused::unscored).collect();
    match *fusion {
        Fusion::Convex { dense_weight } => score_convex(&mut fused, dense_weight),
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

fn score_convex(fused: &mut [Fused], dense_weight: f32) {
    let best_lexical = fused.iter().map(|hit| hit.lexical).fold(0.0, f32::max);
    let best_dense = fused.iter().map(|hit| lift(hit.dense)).fold(0.0, f32::max);
    for hit in fused {
        let lexical = share(hit.lexical, best_lexical);
        let dense = share(lift(hit.dense), best_dense);
        hit.score = dense_weight * dense + (1.0 - dense_weight) * lexical;
    }
}

fn share(value: f32, best: f32) -> f32 {
    if best > 0.0 { value / best } else { 0.0 }
}

/// The map `g` of the module's documentation: −1..0 to 0..0.02, and 0..1 to 0.02..1; strictly rising.
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

/// One query of the past: what was ranked, and which of it was right.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) candidates: Vec<Candidate>,
    /// Ids of documents.
    pub(crate) relevant: BTreeSet<String>,
}

/// So many queries' worth does the default weigh against what the judgements say.
const PRIOR_QUERIES: f64 = 20.0;

/// The dense weight that ranks the judged queries best, or `None` where they say nothing. `documents` tells which
/// document a candidate belongs to.
///
/// The rule: every weight in steps of 0.05 is scored by the mean over the queries of (nDCG@10 + MRR@10) / 2, binary,
/// of documents ranked by their best chunks, as users and the gate see them.
/// Queries on which all weights score the same are left out; `n` is the number of the rest. Of the weights that are
/// best, the one nearest to the default is taken, and then drawn towards the default as if 20 queries had spoken for
/// that: `default + (best − default) · n / (n + 20)`. If that scores no better than the default, the default is the result.
pub(crate) fn learn_dense_weight(queries: &[&Judged], documents: &HashMap<ChunkId, String>) -> Option<f32> {
    let grid: Vec<f32> = (0..=20).map(|step| step as f32 / 20.0).collect();
    let telling: Vec<(&Judged, Vec<f64>)> = queries
        .iter()
        .map(|&query| {
            let scores = grid.iter().map(|&weight| quality(query, documents, weight));
            (query, scores.collect::<Vec<f64>>())
        })
        .filter(|(_, scores)| scores.iter().any(|score| *score != scores[0]))
        .collect();
    if telling.is_empty() {
        return None;
    }
    let default = Fusion::DEFAULT_DENSE_WEIGHT;
    let total = |column: usize| telling.iter().map(|(_, scores)| scores[column]).sum::<f64>();
    let totals: Vec<f64> = (0..grid.len()).map(total).collect();
    let top = totals.iter().copied().fold(f64::MIN, f64::max);
    let best = grid
        .iter()
        .zip(&totals)
        .filter(|(_, total)| top - **total < 1e-9)
        .map(|(weight, _)| *weight)
        .min_by(|a, b| (a - default).abs().total_cmp(&(b - default).abs()))?;
    let count = telling.len() as f64;
    let learned = default + (best - default) * (count / (count + PRIOR_QUERIES)) as f32;
    let score = |weight: f32| telling.iter().map(|(query, _)| quality(query, documents, weight)).sum::<f64>();
    Some(if score(learned) > score(default) { learned } else { default })
}

/// (nDCG@10 + MRR@10) / 2 of one query, with binary relevance.
fn quality(query: &Judged, documents: &HashMap<ChunkId, String>, dense_weight: f32) -> f64 {
    let discount = |index: usize| 1.0 / (index as f64 + 2.0).log2();
    let ranked = fuse(&Fusion::Convex { dense_weight }, &query.candidates);
    let mut seen = HashSet::new();
    let found: Vec<usize> = ranked
        .iter()
        .filter_map(|hit| documents.get(&hit.id))
        .filter(|document| seen.insert(*document))
        .take(10)
        .enumerate()
        .filter(|(_, document)| query.relevant.contains(*document))
        .map(|(index, _)| index)
        .collect();
    let Some(first) = found.first() else { return 0.0 };
    let gain: f64 = found.iter().map(|&index| discount(index)).sum();
    let ideal: f64 = (0..query.relevant.len().min(10)).map(discount).sum();
    (gain / ideal + 1.0 / (*first as f64 + 1.0)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(id: u64, lexical: f32, dense: f32) -> Candidate {
        Candidate { id: ChunkId(id), lexical, dense }
    }

    fn order(fused: &[Fused]) -> Vec<u64> {
        fused.iter().map(|hit| hit.id.0).collect()
    }

    fn rank_of(fused: &[Fused], id: ChunkId) -> usize {
        fused.iter().position(|hit| hit.id == id).unwrap()
    }

    /// Scores from a coarse scale, so that ties happen, with a share of lexical zeros.
    fn pools() -> impl Strategy<Value = Vec<Candidate>> {
        prop::collection::vec((0..30i32, -20..=20i32), 1..25).prop_map(|scores| {
            scores
                .iter()
                .enumerate()
                .map(|(i, &(l, d))| candidate(i as u64, (l - 10).max(0) as f32 * 0.7, d as f32 / 20.0))
                .collect()
        })
    }

    fn fusions() -> impl Strategy<Value = Fusion> {
        prop_oneof![
            (0.0f32..=1.0).prop_map(|dense_weight| Fusion::Convex { dense_weight }),
            (1u32..100).prop_map(|k| Fusion::Rrf { k }),
        ]
    }

    proptest! {
        #[test]
        fn the_order_of_the_candidates_makes_no_difference(
            (pool, shuffled) in pools().prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle())), fusion in fusions(),
        ) {
            prop_assert_eq!(fuse(&fusion, &pool), fuse(&fusion, &shuffled));
        }

        #[test]
        fn a_better_score_never_means_a_worse_rank(
            pool in pools(), at in any::<prop::sample::Index>(), lexical in 0.0f32..5.0, dense in 0.0f32..0.5,
            fusion in fusions(),
        ) {
            let at = at.index(pool.len());
            let before = rank_of(&fuse(&fusion, &pool), pool[at].id);
            let mut better = pool.clone();
            better[at].lexical += lexical;
            better[at].dense = (better[at].dense + dense).min(1.0);
            prop_assert!(rank_of(&fuse(&fusion, &better), pool[at].id) <= before);
        }

        #[test]
        fn a_candidate_that_leads_on_both_sides_leads(pool in pools(), weight in 0.0f32..=1.0) {
            let mut pool = pool;
            let leader = candidate(1000, 99.0, 1.0);
            pool.iter_mut().for_each(|c| c.dense = c.dense.min(0.95));
            pool.push(leader);
            for fusion in [Fusion::Convex { dense_weight: weight }, Fusion::RRF] {
                prop_assert_eq!(fuse(&fusion, &pool)[0].id, leader.id);
            }
        }

        #[test]
        fn a_lone_hit_scores_above_zero(lexical in 0.0f32..50.0, dense in -0.99f32..=1.0, fusion in fusions()) {
            let hit = fuse(&fusion, &[candidate(1, lexical, dense)]);
            let counts = lexical > 0.0 || !matches!(fusion, Fusion::Convex { dense_weight: 0.0 });
            prop_assert!(hit[0].score > 0.0 || !counts);
        }

        #[test]
        fn candidates_added_at_the_bottom_change_no_convex_score(pool in pools(), weight in 0.0f32..=1.0) {
            let fusion = Fusion::Convex { dense_weight: weight };
            let before = fuse(&fusion, &pool);
            let mut more = pool.clone();
            more.extend((0..5).map(|i| candidate(2000 + i, 0.0, -1.0)));
            for hit in before {
                let after = fuse(&fusion, &more);
                prop_assert_eq!(after[rank_of(&after, hit.id)].score, hit.score);
            }
        }

        #[test]
        fn whatever_comes_in_a_finite_score_goes_out(
            scores in prop::collection::vec((any::<f32>(), any::<f32>()), 0..10), fusion in fusions(),
        ) {
            let pool: Vec<_> = scores.iter().enumerate().map(|(i, &(l, d))| candidate(i as u64, l, d)).collect();
            let fused = fuse(&fusion, &pool);
            prop_assert_eq!(fused.len(), pool.len());
            for hit in fused {
                prop_assert!(hit.score.is_finite() && hit.lexical.is_finite() && hit.dense.is_finite());
                prop_assert!((0.0..=2.0).contains(&hit.score));
            }
        }
    }

    #[test]
    fn the_ends_of_the_convex_scale_are_the_two_sides() {
        let pool = [candidate(1, 9.0, 0.1), candidate(2, 0.0, 0.9), candidate(3, 3.0, -0.5)];
        assert_eq!(order(&fuse(&Fusion::Convex { dense_weight: 0.0 }, &pool)), [1, 3, 2]);
        assert_eq!(order(&fuse(&Fusion::Convex { dense_weight: 1.0 }, &pool)), [2, 1, 3]);
        let half = fuse(&Fusion::Convex { dense_weight: 0.5 }, &pool);
        assert_eq!(order(&half), [1, 2, 3]);
        let expected = 0.5 + 0.5 * (0.02 + 0.98 * 0.1) / (0.02 + 0.98 * 0.9);
        assert!((half[0].score - expected).abs() < 1e-6, "{}", half[0].score);
    }

    #[test]
    fn rank_fusion_counts_from_one_and_shares_ranks() {
        let pool =
            [candidate(7, 5.0, 0.9), candidate(8, 5.0, 0.2), candidate(9, 0.0, 0.9), candidate(10, 0.0, 0.1)];
        let fused = fuse(&Fusion::RRF, &pool);
        assert_eq!(order(&fused), [7, 8, 9, 10]);
        let expected = [1. / 61. + 1. / 61., 1. / 61. + 1. / 63., 1. / 64. + 1. / 61., 1. / 64. + 1. / 64.];
        for (hit, expected) in fused.iter().zip(expected) {
            assert!((hit.score - expected as f32).abs() < 1e-7, "{hit:?} {expected}");
        }
    }

    #[test]
    fn ties_break_by_id() {
        let pool = [candidate(5, 1.0, 0.5), candidate(2, 1.0, 0.5), candidate(9, 1.0, 0.5)];
        assert_eq!(order(&fuse(&Fusion::default(), &pool)), [2, 5, 9]);
        assert_eq!(order(&fuse(&Fusion::RRF, &pool)), [2, 5, 9]);
    }

    #[test]
    fn options_are_checked_and_kept_as_json() {
        assert!(Fusion::default().validate().is_ok() && Fusion::RRF.validate().is_ok());
        for dense_weight in [-0.1, 1.1, f32::NAN] {
            assert!(Fusion::Convex { dense_weight }.validate().is_err());
        }
        assert!(Fusion::Rrf { k: 0 }.validate().is_err());
        for fusion in [Fusion::default(), Fusion::RRF] {
            let json = serde_json::to_string(&fusion).unwrap();
            assert_eq!(serde_json::from_str::<Fusion>(&json).unwrap(), fusion, "{json}");
        }
        let json = serde_json::to_string(&Fusion::default()).unwrap();
        assert_eq!(json, r#"{"mode":"convex","dense_weight":0.7}"#);
    }

    fn relevant(document: &str) -> BTreeSet<String> {
        BTreeSet::from([document.to_string()])
    }

    /// Every chunk is a document of its own.
    fn learn(queries: &[Judged]) -> Option<f32> {
        let ids = queries.iter().flat_map(|query| &query.candidates).map(|one| one.id);
        learn_dense_weight(
            &queries.iter().collect::<Vec<_>>(),
            &ids.map(|id| (id, id.0.to_string())).collect(),
        )
    }

    /// A query whose right answer only the lexical side knows, among ten that the dense side prefers.
    fn lexical_query() -> Judged {
        let mut candidates: Vec<_> = (1..=12).map(|i| candidate(i, 1.0, 0.7 - i as f32 / 100.0)).collect();
        candidates.push(candidate(99, 2.0, 0.4));
        Judged { candidates, relevant: relevant("99") }
    }

    #[test]
    fn the_learned_weight_follows_the_judgements_and_shrinks_with_few_of_them() {
        let many = learn(&vec![lexical_query(); 400]).unwrap();
        let few = learn(&vec![lexical_query(); 15]).unwrap();
        assert!(many < few && few < Fusion::DEFAULT_DENSE_WEIGHT, "{many} {few}");
        assert!(Fusion::Convex { dense_weight: many }.validate().is_ok());
    }

    #[test]
    fn nothing_is_learned_from_queries_that_tell_nothing() {
        assert_eq!(learn(&[]), None);
        let alone = Judged { candidates: vec![candidate(1, 1.0, 0.5)], relevant: relevant("1") };
        let absent = Judged { relevant: relevant("12345"), ..lexical_query() };
        assert_eq!(learn(&[alone, absent]), None);
    }

    #[test]
    fn judgements_that_the_default_ranks_right_give_the_default() {
        let right = Judged {
            candidates: vec![candidate(1, 0.0, 0.9), candidate(2, 5.0, 0.1)],
            relevant: relevant("1"),
        };
        assert_eq!(learn(&vec![right; 50]), Some(Fusion::DEFAULT_DENSE_WEIGHT));
    }

    #[test]
    fn a_document_counts_once_by_its_best_chunk() {
        let documents: HashMap<ChunkId, String> =
            (1..=12).map(|id| (ChunkId(id), "long".into())).chain([(ChunkId(99), "99".into())]).collect();
        // Second of two documents, though thirteenth of the chunks.
        let second = (1.0 / 3f64.log2() + 0.5) / 2.0;
        assert!((quality(&lexical_query(), &documents, 1.0) - second).abs() < 1e-12);
    }
}
