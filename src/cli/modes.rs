//! The three modes on the same queries.

use std::collections::BTreeMap;

use retune::eval::{Evaluation, Interval, Metric};
use retune::{Mode, Result};
use serde::Serialize;

use super::figures::{Figures, by_query, figures, heads, intervals, lines_by_query, row};

pub(super) const MODES: [Mode; 3] = [Mode::Lexical, Mode::Dense, Mode::Hybrid];

/// What each mode comes to.
#[derive(Serialize)]
pub(super) struct Modes {
    modes: BTreeMap<&'static str, Figures>,
    /// Of 95 %.
    intervals: BTreeMap<&'static str, BTreeMap<String, Interval>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    per_query: BTreeMap<&'static str, BTreeMap<String, Figures>>,
    #[serde(skip)]
    evaluations: BTreeMap<&'static str, Evaluation>,
}

impl Modes {
    /// What `evaluate` makes of each mode; with `per_query`, every query's figures are told too.
    pub(super) fn of(evaluate: impl Fn(Mode) -> Result<Evaluation>, per_query: bool) -> Result<Modes> {
        let evaluations = MODES
            .into_iter()
            .map(|mode| Ok((mode.name(), evaluate(mode)?)))
            .collect::<Result<BTreeMap<_, _>>>()?;
        let of = |told: bool| evaluations.iter().filter(move |_| told).map(|(&mode, one)| (mode, one));
        Ok(Modes {
            modes: of(true).map(|(mode, one)| (mode, figures(one))).collect(),
            intervals: of(true).map(|(mode, one)| (mode, intervals(one))).collect(),
            per_query: of(per_query).map(|(mode, one)| (mode, by_query(one))).collect(),
            evaluations,
        })
    }

    pub(super) fn evaluation(&self, mode: Mode) -> &Evaluation {
        &self.evaluations[mode.name()]
    }

    /// Every query's figures, if they are told: what stands before the rest.
    pub(super) fn lines(&self) -> String {
        if self.per_query.is_empty() {
            return String::new();
        }
        let lines = self.evaluations.iter().map(|(mode, one)| lines_by_query(&format!("{mode}\t"), one));
        lines.collect::<String>() + "\n"
    }

    /// The means of these metrics, a row for each mode.
    pub(super) fn table(&self, metrics: &[Metric]) -> String {
        let rows =
            MODES.map(|mode| format!("\n{:10}{}", mode.name(), row(&self.evaluations[mode.name()], metrics)));
        format!("{:10}{}{}", "", heads(metrics), rows.concat())
    }
}
