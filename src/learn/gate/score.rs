//! What a generation makes of judged queries, over the whole corpus.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::eval::Metric;
use crate::fusion::Fusion;
use crate::learn::examples::JudgedQuery;
use crate::learn::report::{GateScores, RankingScores};
use crate::search::{Mode, Query, Snapshot, rank};

/// Depth of the measures.
pub(in crate::learn) const DEPTH: usize = 10;

/// One query's figures in both modes.
pub(in crate::learn) type QueryScores = GateScores;

/// Ranks every query in both modes, the hybrid with `fusion`. `progress` is told after each query.
pub(in crate::learn) fn score(
    snapshot: &Snapshot,
    fusion: Fusion,
    queries: &[JudgedQuery],
    progress: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Vec<QueryScores>> {
    let mut scores = Vec::with_capacity(queries.len());
    for query in queries {
        let of = |mode| -> Result<RankingScores> {
            let asked =
                Query::new(query.text.as_str()).with_limit(DEPTH).with_mode(mode).without_highlights();
            let ranked = rank(snapshot, &asked.with_fusion(fusion))?;
            let documents: Vec<&str> = ranked.hits.iter().map(|hit| hit.document.as_str()).collect();
            Ok(ranking_scores(&documents, query))
        };
        scores.push(QueryScores { hybrid: of(Mode::Hybrid)?, dense: of(Mode::Dense)? });
        if progress().is_break() {
            return Err(Error::Cancelled { doing: "comparing old and new" });
        }
    }
    Ok(scores)
}

/// The figures of one ranking of documents.
pub(in crate::learn) fn ranking_scores(documents: &[&str], query: &JudgedQuery) -> RankingScores {
    let score = |metric: Metric| metric.of(documents.iter().copied(), &query.relevant);
    RankingScores { mrr_10: score(Metric::MrrAt(DEPTH)), ndcg_10: score(Metric::NdcgAt(DEPTH)) }
}

/// The means over queries; 0 of none.
pub(in crate::learn) fn mean(scores: &[QueryScores]) -> GateScores {
    let of = |value: &dyn Fn(&QueryScores) -> f64| {
        scores.iter().map(value).sum::<f64>() / scores.len().max(1) as f64
    };
    GateScores {
        hybrid: RankingScores {
            mrr_10: of(&|one| one.hybrid.mrr_10),
            ndcg_10: of(&|one| one.hybrid.ndcg_10),
        },
        dense: RankingScores { mrr_10: of(&|one| one.dense.mrr_10), ndcg_10: of(&|one| one.dense.ndcg_10) },
    }
}
