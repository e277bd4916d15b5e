//! Old against new on the held-out queries, over the whole corpus.

use std::ops::ControlFlow;

use super::examples::JudgedQuery;
use super::report::{Decision, GateScores, RankingScores};
use crate::error::{Error, Result};
use crate::eval::Metric;
use crate::search::{Mode, Query, Snapshot, rank};

/// Depth of the measures.
const DEPTH: usize = 10;

/// Ranks every held-out query in both modes. `progress` is told after each query.
pub(super) fn score(
    snapshot: &Snapshot,
    queries: &[JudgedQuery],
    progress: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<GateScores> {
    let zero = RankingScores { mrr_10: 0.0, ndcg_10: 0.0 };
    let mut scores = GateScores { hybrid: zero, dense: zero };
    for query in queries {
        for (mode, sum) in [(Mode::Hybrid, &mut scores.hybrid), (Mode::Dense, &mut scores.dense)] {
            let asked = Query::new(query.text.as_str()).with_limit(DEPTH).with_mode(mode).without_logging();
            let ranked = rank(snapshot, &asked)?;
            let documents: Vec<&str> = ranked.hits.iter().map(|hit| hit.document.as_str()).collect();
            let score =
                |metric: Metric| metric.of(documents.iter().copied(), &query.relevant) / queries.len() as f64;
            sum.mrr_10 += score(Metric::MrrAt(DEPTH));
            sum.ndcg_10 += score(Metric::NdcgAt(DEPTH));
        }
        if progress().is_break() {
            return Err(Error::Cancelled { doing: "comparing old and new" });
        }
    }
    Ok(scores)
}

/// Publishes only what is not worse, in either measure, in the mode that users get.
pub(super) fn decide(before: &GateScores, after: &GateScores, queries: usize) -> (Decision, String) {
    let (old, new) = (before.hybrid, after.hybrid);
    let figures = format!(
        "on {queries} held-out queries, hybrid MRR@10 {:.4} → {:.4}, nDCG@10 {:.4} → {:.4}",
        old.mrr_10, new.mrr_10, old.ndcg_10, new.ndcg_10
    );
    // Sums over queries in the same order: a difference is a difference in some rank.
    const ROUNDING: f64 = 1e-12;
    let worse = [
        (new.mrr_10 < old.mrr_10 - ROUNDING).then_some("MRR@10"),
        (new.ndcg_10 < old.ndcg_10 - ROUNDING).then_some("nDCG@10"),
    ];
    let worse: Vec<&str> = worse.into_iter().flatten().collect();
    match worse.is_empty() {
        true => (Decision::Published, format!("not worse: {figures}")),
        false => (Decision::Rejected, format!("worse in {}: {figures}", worse.join(" and "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(mrr_10: f64, ndcg_10: f64) -> GateScores {
        let dense = RankingScores { mrr_10: 0.5, ndcg_10: 0.5 };
        GateScores { hybrid: RankingScores { mrr_10, ndcg_10 }, dense }
    }

    #[test]
    fn either_measure_can_reject_and_equal_is_enough() {
        let before = scores(0.5, 0.6);
        assert_eq!(decide(&before, &scores(0.5, 0.6), 9).0, Decision::Published);
        assert_eq!(decide(&before, &scores(0.7, 0.6), 9).0, Decision::Published);
        let (decision, reason) = decide(&before, &scores(0.7, 0.59), 9);
        assert_eq!(decision, Decision::Rejected);
        assert!(reason.starts_with("worse in nDCG@10: on 9 held-out"), "{reason}");
        assert_eq!(decide(&before, &scores(0.4, 0.7), 9).0, Decision::Rejected);
    }
}
