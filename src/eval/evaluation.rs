//! Evaluates runs: metrics per query, means, confidence intervals.

use std::collections::BTreeMap;

use super::interval::{Interval, SEED, bootstrap};
use super::metrics::{Metric, Total};
use super::{Qrels, Run};

/// The queries that a mean is taken over. They differ if a system returned nothing, or nothing is relevant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AveragedOver {
    /// Queries in both the run and the qrels: the default of trec_eval, and of pytrec_eval and BEIR.
    InBoth,
    /// All queries in the qrels. Those missing from the run count 0: trec_eval's `-c`.
    Judged,
    /// All queries in the qrels with a relevant document. Those missing from the run count 0.
    WithRelevant,
}

/// Values by the name of their metric, such as `ndcg@10`.
pub type Figures = BTreeMap<String, f64>;

/// Metrics of a run, by query.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    metrics: Vec<Metric>,
    queries: BTreeMap<String, Vec<f64>>,
}

impl Evaluation {
    /// `queries` gives the values of each query, in the order of the metrics.
    pub(super) fn new(metrics: &[Metric], queries: BTreeMap<String, Vec<f64>>) -> Evaluation {
        Evaluation { metrics: metrics.to_vec(), queries }
    }

    /// The mean of a metric, or the sum of one that [counts](Metric::is_count); 0 if there are no queries, `None` if
    /// the metric was not evaluated.
    pub fn mean(&self, metric: Metric) -> Option<f64> {
        let values = self.by_query(metric)?;
        let mean = |of: fn(f64) -> f64| values.values().copied().map(of).sum::<f64>() / values.len() as f64;
        Some(match metric.total() {
            _ if values.is_empty() => 0.0,
            Total::Mean => mean(|value| value),
            Total::GeometricMean => mean(f64::ln).exp(),
            Total::Sum => values.values().sum(),
        })
    }

    /// The values of a metric by query; `None` if the metric was not evaluated.
    pub fn by_query(&self, metric: Metric) -> Option<BTreeMap<&str, f64>> {
        let column = self.metrics.iter().position(|&known| known == metric)?;
        Some(self.queries.iter().map(|(query, values)| (query.as_str(), values[column])).collect())
    }

    /// The 95 % confidence interval of a metric's mean; `None` if the metric was not evaluated. It covers only the
    /// choice of queries. See [`bootstrap`].
    pub fn interval(&self, metric: Metric, seed: u64) -> Option<Interval> {
        let values: Vec<f64> = self.by_query(metric)?.into_values().collect();
        let total = |of: &dyn Fn(f64) -> f64, back: &dyn Fn(f64) -> f64| {
            let Interval { low, high } = bootstrap(&values.iter().copied().map(of).collect::<Vec<_>>(), seed);
            Interval { low: back(low), high: back(high) }
        };
        Some(match metric.total() {
            Total::GeometricMean if !values.is_empty() => total(&f64::ln, &f64::exp),
            Total::Sum => total(&|value| value, &|mean| mean * values.len() as f64),
            _ => bootstrap(&values, seed),
        })
    }

    /// The mean of every metric, by the metric's name.
    pub fn means(&self) -> Figures {
        self.metrics.iter().map(|&metric| (metric.to_string(), self.mean(metric).unwrap_or(0.0))).collect()
    }

    /// The [`interval`](Evaluation::interval) of every metric with the seed [`SEED`], by the metric's name.
    pub fn intervals(&self) -> BTreeMap<String, Interval> {
        let of = |&metric: &Metric| Some((metric.to_string(), self.interval(metric, SEED)?));
        self.metrics.iter().filter_map(of).collect()
    }

    /// Every metric of every query: by query, then by the metric's name.
    pub fn per_query(&self) -> BTreeMap<String, Figures> {
        let names: Vec<String> = self.metrics.iter().map(Metric::to_string).collect();
        let figures = |values: &Vec<f64>| names.iter().cloned().zip(values.iter().copied()).collect();
        self.queries.iter().map(|(query, values)| (query.clone(), figures(values))).collect()
    }

    /// The metrics in the requested order.
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

/// Evaluates a run. Queries of the run without judgements are ignored.
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
