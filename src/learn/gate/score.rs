//! What a generation makes of judged queries, over the whole corpus.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::eval::Metric;
use crate::fusion::Fusion;
use crate::learn::examples::JudgedQuery;
use crate::learn::report::{GateScores, RankingScores};
use crate::search::{Mode, Query, Snapshot, rank};

/// Documents of a ranking that are looked at: as many as either side proposes.
pub(in crate::learn) const DEPTH: usize = 100;
/// Those that users look at.
const SEEN: usize = 10;

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

/// The figures of one ranking of documents, of which no more than [`DEPTH`] count.
pub(in crate::learn) fn ranking_scores(documents: &[&str], query: &JudgedQuery) -> RankingScores {
    let score = |metric: Metric| metric.of(documents.iter().copied(), &query.relevant);
    RankingScores {
        mrr_10: score(Metric::MrrAt(SEEN)),
        ndcg_10: score(Metric::NdcgAt(SEEN)),
        gmap_100: score(Metric::MapAt(DEPTH)).max(RankingScores::LEAST_PRECISION),
    }
}

/// The means over queries, geometric of average precision; 0 of none.
pub(in crate::learn) fn mean(scores: &[QueryScores]) -> GateScores {
    let of = |mode: fn(&QueryScores) -> &RankingScores| {
        let of = |value: fn(&RankingScores) -> f64| {
            scores.iter().map(|one| value(mode(one))).sum::<f64>() / scores.len().max(1) as f64
        };
        RankingScores {
            mrr_10: of(|scores| scores.mrr_10),
            ndcg_10: of(|scores| scores.ndcg_10),
            gmap_100: if scores.is_empty() { 0.0 } else { of(|scores| scores.gmap_100.ln()).exp() },
        }
    };
    GateScores { hybrid: of(|scores| &scores.hybrid), dense: of(|scores| &scores.dense) }
}
