//! Scores of the three modes on the same queries.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::Serialize;

use super::by_mode::ByMode;
use super::progress::Progress;
use super::ranking::Ranking;
use crate::Reader;
use crate::error::Result;
use crate::eval::{AveragedOver, Evaluation, Figures, Interval, Metric, Split, evaluate};

/// The scores of each mode.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ModeScores {
    /// The means.
    pub modes: ByMode<Figures>,
    /// The 95 % confidence intervals of the means.
    pub intervals: ByMode<BTreeMap<String, Interval>>,
    /// The scores of every query; empty until [`add_queries`](ModeScores::add_queries).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_query: Option<ByMode<BTreeMap<String, Figures>>>,
    /// The evaluations behind the scores.
    #[serde(skip)]
    pub evaluations: ByMode<Evaluation>,
}

impl ModeScores {
    pub(super) fn new(evaluations: ByMode<Evaluation>) -> ModeScores {
        ModeScores {
            modes: evaluations.map(Evaluation::means),
            intervals: evaluations.map(Evaluation::intervals),
            per_query: None,
            evaluations,
        }
    }

    /// Adds the scores of every query.
    pub fn add_queries(&mut self) {
        self.per_query = Some(self.evaluations.map(Evaluation::per_query));
    }
}

/// Evaluates each mode on the queries of a split. Each side proposes `depth` candidates per query; only as many are
/// returned as the metrics use.
///
/// # Errors
/// As [`Reader::search`]; [`Error::Cancelled`](crate::Error::Cancelled) when `progress` breaks.
pub fn score_modes(
    engine: &Reader,
    split: &Split,
    depth: usize,
    metrics: &[Metric],
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<ByMode<Evaluation>> {
    let judgements = split.judgements();
    let depths: Option<Vec<usize>> = metrics.iter().map(Metric::depth).collect();
    let limit = depths.and_then(|depths| depths.into_iter().max());
    ByMode::make(|mode| {
        let ranking = Ranking { limit, ..Ranking::new(mode, depth) };
        let run = ranking.run(engine, &split.queries, progress)?;
        Ok(evaluate(&run, &judgements, metrics, AveragedOver::Judged))
    })
}
