//! Metrics of whole runs: query by query, means, and how sure they are.

use std::collections::BTreeMap;

use super::interval::{Interval, bootstrap};
use super::{Metric, Qrels, Run};

/// Which queries a mean is taken over. They differ where a system returned nothing, or nothing is relevant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AveragedOver {
    /// Those in both the run and the qrels: what trec_eval does by itself, and pytrec_eval's and BEIR's users report.
    InBoth,
    /// All in the qrels; those missing from the run count 0: trec_eval's `-c`.
    Judged,
    /// All in the qrels that have a relevant document; those missing from the run count 0.
    WithRelevant,
}

/// Metrics of a run, by query.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    metrics: Vec<Metric>,
    queries: BTreeMap<String, Vec<f64>>,
}

impl Evaluation {
    /// Of the values of each query, in the order of the metrics.
    pub(super) fn new(metrics: &[Metric], queries: BTreeMap<String, Vec<f64>>) -> Evaluation {
        Evaluation { metrics: metrics.to_vec(), queries }
    }

    /// The mean of a metric; 0 over no queries, `None` if it was not asked for.
    pub fn mean(&self, metric: Metric) -> Option<f64> {
        let values = self.by_query(metric)?;
        let sum: f64 = values.values().sum();
        Some(if values.is_empty() { 0.0 } else { sum / values.len() as f64 })
    }

    /// The values of a metric; `None` if it was not asked for.
    pub fn by_query(&self, metric: Metric) -> Option<BTreeMap<&str, f64>> {
        let column = self.metrics.iter().position(|&known| known == metric)?;
        Some(self.queries.iter().map(|(query, values)| (query.as_str(), values[column])).collect())
    }

    /// The range that holds the mean of a metric with a confidence of 95 %, as far as the choice of queries goes; `None` if
    /// the metric was not asked for. See [`bootstrap`].
    pub fn interval(&self, metric: Metric, seed: u64) -> Option<Interval> {
        let values: Vec<f64> = self.by_query(metric)?.into_values().collect();
        Some(bootstrap(&values, seed))
    }

    /// The metrics, in the order asked for.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The number of queries the means are over.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether the means are over no queries.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }
}

/// Scores a run against judgements. Queries of the run that were not judged are left out, always.
pub fn evaluate(run: &Run, qrels: &Qrels, metrics: &[Metric], over: AveragedOver) -> Evaluation {
    let mut queries = BTreeMap::new();
    for (query, judgements) in qrels.iter() {
        let ranking = run.ranking(query);
        let counts = match over {
            AveragedOver::InBoth => ranking.is_some(),
            AveragedOver::Judged => true,
            AveragedOver::WithRelevant => judgements.values().any(|&judgement| judgement > 0),
        };
        if counts {
            let documents = || ranking.unwrap_or_default().iter().map(|(document, _)| document.as_str());
            let values = metrics.iter().map(|metric| metric.of(documents(), judgements)).collect();
            queries.insert(query.to_string(), values);
        }
    }
    Evaluation::new(metrics, queries)
}
