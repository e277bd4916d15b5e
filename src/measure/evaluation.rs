//! Evaluates an engine on a collection.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::Serialize;

use super::by_mode::ByMode;
use super::documents::Added;
use super::progress::Progress;
use super::ranking::Ranking;
use super::scores::ModeScores;
use super::test_set::TestSet;
use super::timing::{Percentiles, time_searches};
use super::weights::{WeightMean, by_weight};
use crate::error::Result;
use crate::eval::{AveragedOver, Inventory, Metric, Run, evaluate};
use crate::{Engine, Mode, Reader, Status, Took};

/// Options for evaluating an engine on a collection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EvaluationOptions {
    /// The metrics. Default [`Metric::USUAL`].
    pub metrics: Vec<Metric>,
    /// Whether to drop the document whose id equals the query's, as BEIR does. Default: no.
    pub ignore_own_ids: bool,
}

impl Default for EvaluationOptions {
    fn default() -> Self {
        EvaluationOptions { metrics: Metric::USUAL.to_vec(), ignore_own_ids: false }
    }
}

impl EvaluationOptions {
    /// Sets [`metrics`](EvaluationOptions::metrics).
    pub fn with_metrics(mut self, metrics: impl Into<Vec<Metric>>) -> Self {
        self.metrics = metrics.into();
        self
    }

    /// Sets [`ignore_own_ids`](EvaluationOptions::ignore_own_ids).
    pub fn with_ignore_own_ids(mut self, ignore: bool) -> Self {
        self.ignore_own_ids = ignore;
        self
    }

    pub(super) fn ranking(&self, mode: Mode) -> Ranking {
        Ranking { without_own: self.ignore_own_ids, ..Ranking::new(mode, CollectionReport::DEPTH) }
    }
}

/// The evaluation of an engine on a collection.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CollectionReport {
    /// The collection's name.
    pub collection: String,
    /// The split.
    pub split: String,
    /// Documents in the index.
    pub documents: usize,
    /// Number of queries.
    pub queries: usize,
    /// The size of the collection, and its defects.
    pub inventory: Inventory,
    /// The scores.
    #[serde(flatten)]
    pub scores: ModeScores,
    /// The cost of adding the documents.
    pub encode: Added,
    /// Times of hybrid searches.
    pub query_ms: Percentiles,
    /// The time of each search.
    #[serde(skip)]
    pub took_ms: Vec<Took>,
    /// The rankings.
    #[serde(skip)]
    pub runs: ByMode<Run>,
    /// The queries' texts by id.
    #[serde(skip)]
    pub texts: BTreeMap<String, String>,
    /// The status of the index at the time of the evaluation.
    #[serde(skip)]
    pub status: Status,
}

impl CollectionReport {
    /// Length of a ranking, as is usual with trec_eval and BEIR. Each side proposes this many candidates.
    pub const DEPTH: usize = 1000;
}

impl TestSet {
    /// Adds the documents that the index lacks, and measures each mode on the queries. Nothing is logged.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for an index of other documents, before anything is added; any error
    /// of adding or searching; [`Error::Cancelled`](crate::Error::Cancelled) when `progress` breaks.
    pub fn evaluate(
        &self,
        engine: &Engine,
        options: &EvaluationOptions,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<CollectionReport> {
        self.check_index(engine, &engine.status()?)?;
        let encode = self.add_to(engine, progress)?;
        let topics = &self.split.queries;
        let reader: &Reader = engine;
        let took_ms = time_searches(reader, topics, progress)?;
        let runs = ByMode::make(|mode| options.ranking(mode).run(reader, topics, progress))?;
        let judgements = self.split.judgements();
        let scores = runs.map(|run| evaluate(run, &judgements, &options.metrics, AveragedOver::Judged));
        let status = engine.status()?;
        Ok(CollectionReport {
            collection: self.collection.name(),
            split: self.split.name.clone(),
            documents: status.documents,
            queries: topics.len(),
            inventory: self.inventory.clone(),
            scores: ModeScores::new(scores),
            encode,
            query_ms: Percentiles::of(&took_ms),
            took_ms,
            runs,
            texts: topics.iter().map(|topic| (topic.id.clone(), topic.text.clone())).collect(),
            status,
        })
    }

    /// Measures the mean of `metric` for the hybrid with each dense weight from 0 to 1 in steps of 0.1, on an index
    /// built by [`evaluate`](TestSet::evaluate).
    ///
    /// # Errors
    /// As [`Reader::search`]; [`Error::Cancelled`](crate::Error::Cancelled) when `progress` breaks.
    pub fn by_weight(
        &self,
        engine: &Reader,
        options: &EvaluationOptions,
        metric: Metric,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<WeightMean>> {
        by_weight(&self.split.queries, progress, |topic, fusion| {
            // The same depth, but only the documents that the metric uses are fetched.
            let hybrid = options.ranking(Mode::Hybrid);
            let ranking = Ranking { fusion: Some(fusion), limit: metric.depth(), ..hybrid };
            let mut run = Run::new();
            run.insert(&topic.id, ranking.of(engine, topic)?)?;
            let judgements = self.split.judgements_of(std::slice::from_ref(topic));
            Ok(evaluate(&run, &judgements, &[metric], AveragedOver::Judged).mean(metric).unwrap_or(0.0))
        })
    }
}
