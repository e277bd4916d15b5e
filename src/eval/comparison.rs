//! Compares runs with a baseline.

use serde::Serialize;

use super::metrics::Total;
use super::{Evaluation, Interval, Metric, bootstrap, compare, holm};
use crate::error::{Error, Result};

/// A run compared with the first by one metric, over the queries that both evaluations have.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The name of the run.
    pub run: String,
    /// The metric.
    pub metric: Metric,
    /// Number of queries.
    pub queries: usize,
    /// Mean of the first run.
    pub first: f64,
    /// Mean of this run.
    pub second: f64,
    /// This run's mean minus the first's.
    pub difference: f64,
    /// The 95 % interval of the difference: see [`bootstrap`].
    pub interval: Interval,
    /// The p-value of the paired [`randomisation_test`](super::randomisation_test).
    pub p_value: f64,
    /// The p-value after [`holm`]'s correction for all comparisons made at once.
    pub p_holm: f64,
    /// Number of queries on which this run is better.
    pub won: usize,
    /// Number of queries on which the first is better.
    pub lost: usize,
    /// Number of queries on which they are equal.
    pub tied: usize,
    /// Every query, largest gain of this run first.
    #[serde(skip)]
    pub changes: Vec<Change>,
}

/// A query's scores in both runs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The query's id.
    pub query: String,
    /// The score in the first run.
    pub first: f64,
    /// The score in the compared run.
    pub second: f64,
}

impl Change {
    /// The query's gain; negative for a loss.
    pub fn difference(&self) -> f64 {
        self.second - self.first
    }
}

impl Comparison {
    /// Compares every named run of `others` with `first`, by every metric of `first`. Results come run by run, then
    /// metric by metric. `seed` is for the random permutations of the tests and the samples of the intervals.
    ///
    /// # Errors
    /// [`Error::Invalid`] if one of the others lacks a metric of the first, or shares no query with it, and for a
    /// metric that is not averaged: a count, or GMAP.
    pub fn of_all(first: &Evaluation, others: &[(String, Evaluation)], seed: u64) -> Result<Vec<Comparison>> {
        if let Some(metric) = first.metrics().iter().find(|metric| metric.total() != Total::Mean) {
            let expected = "a metric with a mean over queries, such as map or ndcg@10";
            return Err(Error::invalid("the metric to compare by", metric, expected));
        }
        let mut comparisons = Vec::new();
        for (run, second) in others {
            for &metric in first.metrics() {
                comparisons.push(Comparison::of(run, metric, first, second, seed)?);
            }
        }
        let adjusted = holm(&comparisons.iter().map(|one| one.p_value).collect::<Vec<_>>());
        for (comparison, p_holm) in comparisons.iter_mut().zip(adjusted) {
            comparison.p_holm = p_holm;
        }
        Ok(comparisons)
    }

    fn of(
        run: &str,
        metric: Metric,
        first: &Evaluation,
        second: &Evaluation,
        seed: u64,
    ) -> Result<Comparison> {
        let test = compare(first, second, metric, seed)?;
        let (before, after) =
            (first.by_query(metric).unwrap_or_default(), second.by_query(metric).unwrap_or_default());
        let change = |(&query, &first): (&&str, &f64)| {
            Some(Change { query: query.to_string(), first, second: *after.get(query)? })
        };
        let mut changes: Vec<Change> = before.iter().filter_map(change).collect();
        if changes.is_empty() {
            return Err(Error::invalid(
                "the runs to compare",
                format!("no query in common with {run}"),
                "at least one common query",
            ));
        }
        let mean = |of: fn(&Change) -> f64| changes.iter().map(of).sum::<f64>() / changes.len().max(1) as f64;
        let (first, second) = (mean(|one| one.first), mean(|one| one.second));
        changes.sort_by(|a, b| b.difference().total_cmp(&a.difference()));
        let won = changes.iter().filter(|one| one.difference() > 0.0).count();
        let lost = changes.iter().filter(|one| one.difference() < 0.0).count();
        Ok(Comparison {
            run: run.to_string(),
            metric,
            queries: test.pairs,
            first,
            second,
            difference: test.difference,
            interval: bootstrap(&changes.iter().map(Change::difference).collect::<Vec<_>>(), seed),
            p_value: test.p_value,
            p_holm: test.p_value,
            won,
            lost,
            tied: changes.len() - won - lost,
            changes,
        })
    }

    /// The `most` queries with the largest gains, largest first.
    pub fn won_most(&self, most: usize) -> impl Iterator<Item = &Change> {
        self.changes.iter().take(self.won.min(most))
    }

    /// The `most` queries with the largest losses, largest first.
    pub fn lost_most(&self, most: usize) -> impl Iterator<Item = &Change> {
        self.changes.iter().rev().take(self.lost.min(most))
    }
}
