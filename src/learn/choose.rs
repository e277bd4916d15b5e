//! What is chosen by the held-out queries themselves, and how that is kept from flattering them.
//!
//! The queries are cut into two halves along their clusters. What is chosen on one half scores the other: so the gate
//! judges a choice by queries that had no part in it. What is published is chosen on all.

use std::collections::HashMap;

use super::examples::JudgedQuery;
use super::gate::{QueryScores, mean};
use super::options::LearnOptions;
use super::pool::Scored;
use crate::fusion::{Fusion, Judged, learn_class_weights, learn_dense_weight};
use crate::ids::ChunkId;

/// The half that each query is in: clusters alternate in the order of their numbers.
pub(super) fn halves(clusters: &[usize]) -> Vec<usize> {
    let mut numbers = clusters.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    clusters.iter().map(|cluster| numbers.partition_point(|number| number < cluster) % 2).collect()
}

/// What is learnt of the fusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It stays as it is.
    Nothing,
    /// One weight for all queries.
    OneWeight,
    /// A weight for each kind of query, where that is better.
    Classes,
}

impl Fit {
    pub(super) fn of(options: &LearnOptions) -> Fit {
        match (options.learn_fusion, options.fusion_classes) {
            (false, _) => Fit::Nothing,
            (true, false) => Fit::OneWeight,
            (true, true) => Fit::Classes,
        }
    }
}

/// The fusion that ranks some judged queries best; the present one where it is not to be learnt, or they say nothing.
pub(super) fn fusion_by(
    judged: &[&Judged],
    documents: &HashMap<ChunkId, String>,
    present: Fusion,
    fit: Fit,
) -> Fusion {
    let learnt = match (present, fit) {
        (Fusion::Rrf { .. }, _) | (_, Fit::Nothing) => None,
        (_, Fit::OneWeight) => {
            learn_dense_weight(judged, documents).map(|dense_weight| Fusion::Convex { dense_weight })
        }
        (_, Fit::Classes) => learn_class_weights(judged, documents),
    };
    learnt.unwrap_or(present)
}

/// Which of several encoders, by their place, is best with its own best fusion, and what the held-out queries say of that
/// choice. Of equals the last.
pub(super) struct Choice {
    pub(super) place: usize,
    /// Each query's figures under what the other half chose.
    pub(super) scores: Vec<QueryScores>,
}

pub(super) fn choose(
    tried: &[Scored<'_>],
    queries: &[JudgedQuery],
    clusters: &[usize],
    present: Fusion,
    fit: Fit,
) -> Choice {
    let halves = halves(clusters);
    let best = |part: &[usize]| {
        let scored = tried.iter().enumerate().map(|(place, tried)| {
            let judged: Vec<&Judged> = part.iter().map(|&query| &tried.judged[query]).collect();
            let fusion = fusion_by(&judged, tried.documents(), present, fit);
            let scores: Vec<QueryScores> =
                part.iter().map(|&query| tried.score(query, &queries[query], fusion)).collect();
            (place, fusion, mean(&scores).hybrid.ndcg_10)
        });
        scored.max_by(|a, b| a.2.total_cmp(&b.2).then(a.0.cmp(&b.0)))
    };
    let of_half =
        |half: usize| -> Vec<usize> { (0..queries.len()).filter(|&query| halves[query] == half).collect() };
    let all: Vec<usize> = (0..queries.len()).collect();
    let by_other = [best(&of_half(1)), best(&of_half(0))];
    let scores = (0..queries.len()).map(|query| {
        let (place, fusion, _) = by_other[halves[query]].unwrap_or((0, present, 0.0));
        tried[place].score(query, &queries[query], fusion)
    });
    Choice { scores: scores.collect(), place: best(&all).map_or(0, |(place, _, _)| place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_never_cut() {
        assert_eq!(halves(&[0, 1, 0, 3, 3, 5]), [0, 1, 0, 0, 0, 1]);
        assert_eq!(halves(&[]), [0; 0]);
    }
}
