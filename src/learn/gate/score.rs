//! Scores a generation on judged queries, over the whole corpus.

use crate::error::Result;
use crate::eval::Metric;
use crate::fusion::Fusion;
use crate::learn::progress::Tracker;
use crate::learn::queries::QueryRanking;
use crate::learn::report::{GateScores, RankingScores};
use crate::learn::stage::LearnStage;
use crate::learn::topic::Topic;
use crate::search::{Mode, Query, Snapshot, rank};

/// How many documents of a ranking count: two pages. Nobody looks further, so gains there must not decide.
pub(super) const DEPTH: usize = 20;
/// Documents of a ranking that users look at.
const SEEN: usize = 10;

/// The scores of one query in both modes.
pub(in crate::learn) type QueryScores = GateScores;

/// A query's scores, and the hybrid's ranking of it.
#[derive(Debug, Clone)]
pub(in crate::learn) struct ScoredQuery {
    pub(in crate::learn) scores: QueryScores,
    pub(in crate::learn) ranking: QueryRanking,
}

impl ScoredQuery {
    /// Scores two rankings of documents.
    pub(super) fn new(hybrid: &[&str], dense: &[&str], topic: &Topic) -> ScoredQuery {
        let scores =
            QueryScores { hybrid: ranking_scores(hybrid, topic), dense: ranking_scores(dense, topic) };
        ScoredQuery { ranking: QueryRanking::of(hybrid, topic, scores.hybrid.gmap_20), scores }
    }
}

/// The scores alone.
pub(in crate::learn) fn figures(queries: &[ScoredQuery]) -> Vec<QueryScores> {
    queries.iter().map(|query| query.scores).collect()
}

/// Ranks every topic in both modes, the hybrid with `fusion`. Each counts as a unit of `stage`.
pub(super) fn score(
    snapshot: &Snapshot,
    fusion: Fusion,
    topics: &[Topic],
    stage: LearnStage,
    tracker: &mut Tracker<'_>,
) -> Result<Vec<ScoredQuery>> {
    let mut scores = Vec::with_capacity(topics.len());
    for topic in topics {
        let of = |mode| -> Result<Vec<String>> {
            let query = Query::new(topic.text.as_str())
                .with_limit(DEPTH)
                .with_mode(mode)
                .without_highlights()
                .with_copies();
            let ranked = rank(snapshot, &query.with_fusion(fusion))?;
            Ok(ranked.hits.into_iter().map(|hit| hit.document).collect())
        };
        let (hybrid, dense) = (of(Mode::Hybrid)?, of(Mode::Dense)?);
        let hybrid: Vec<&str> = hybrid.iter().map(String::as_str).collect();
        let dense: Vec<&str> = dense.iter().map(String::as_str).collect();
        scores.push(ScoredQuery::new(&hybrid, &dense, topic));
        tracker.report(stage, scores.len(), topics.len())?;
    }
    Ok(scores)
}

/// Scores one ranking of documents. Only the first [`DEPTH`] count.
pub(super) fn ranking_scores(documents: &[&str], query: &Topic) -> RankingScores {
    let score = |metric: Metric| metric.of(documents.iter().copied(), &query.relevant);
    let answers = query.relevant.values().filter(|&&relevance| relevance > 0).count();
    // If none of them is an answer, count as if the last one were.
    let least = 1.0 / (DEPTH * answers.max(1)) as f64;
    RankingScores {
        mrr_10: score(Metric::MrrAt(SEEN)),
        ndcg_10: score(Metric::NdcgAt(SEEN)),
        gmap_20: score(Metric::MapAt(DEPTH)).max(least),
    }
}

/// Means over queries; that of average precision is geometric. 0 without queries.
pub(super) fn mean(scores: &[QueryScores]) -> GateScores {
    let of = |mode: fn(&QueryScores) -> &RankingScores| {
        let of = |value: fn(&RankingScores) -> f64| {
            scores.iter().map(|one| value(mode(one))).sum::<f64>() / scores.len().max(1) as f64
        };
        RankingScores {
            mrr_10: of(|scores| scores.mrr_10),
            ndcg_10: of(|scores| scores.ndcg_10),
            gmap_20: if scores.is_empty() { 0.0 } else { of(|scores| scores.gmap_20.ln()).exp() },
        }
    };
    GateScores { hybrid: of(|scores| &scores.hybrid), dense: of(|scores| &scores.dense) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_found_counts_as_the_last_place_and_the_mean_of_precision_is_geometric() {
        let judged = |answers: &[&str]| Topic::new("q", answers.iter().map(|answer| answer.to_string()));
        let documents: Vec<String> = (0..150).map(|number| number.to_string()).collect();
        let at = |rank: usize, query: &Topic| {
            let mut ranking: Vec<&str> = documents.iter().map(String::as_str).collect();
            ranking.insert(rank - 1, "right");
            ranking_scores(&ranking, query)
        };
        let (one, two) = (judged(&["right"]), judged(&["right", "missing"]));
        assert_eq!([1, 4, 20, 21].map(|rank| at(rank, &one).gmap_20), [1.0, 0.25, 0.05, 0.05]);
        assert_eq!([1, 4, 20, 21].map(|rank| at(rank, &two).gmap_20), [0.5, 0.125, 0.025, 0.025]);
        assert_eq!(ranking_scores(&[], &one).gmap_20, 0.05);
        // The first ten, as users see them.
        assert_eq!((at(11, &one).ndcg_10, at(11, &one).mrr_10, at(10, &one).mrr_10), (0.0, 0.0, 0.1));
        let scores = [1, 4].map(|rank| QueryScores { hybrid: at(rank, &one), dense: at(20, &one) });
        let mean = mean(&scores);
        assert!((mean.hybrid.gmap_20 - 0.5).abs() < 1e-12 && (mean.hybrid.mrr_10 - 0.625).abs() < 1e-12);
        assert!((mean.dense.gmap_20 - 0.05).abs() < 1e-12);
    }
}
