//! Evaluates an index on a cluster on a collection.

use std::ops::ControlFlow;

use serde::Serialize;

use super::by_mode::ByMode;
use super::evaluation::EvaluationOptions;
use super::progress::Progress;
use super::scores::ModeScores;
use super::test_set::TestSet;
use super::timing::{Percentiles, time_searches};
use crate::engine::Cluster;
use crate::error::{Error, Result};
use crate::eval::{AveragedOver, Run, evaluate};
use crate::ids::GenerationId;

/// The evaluation of an index on a cluster.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ClusterReport {
    /// The collection's name.
    pub collection: String,
    /// The split.
    pub split: String,
    /// Number of queries.
    pub queries: usize,
    /// The generation that has answered.
    pub generation: GenerationId,
    /// The scores.
    #[serde(flatten)]
    pub scores: ModeScores,
    /// Times of hybrid searches, with the encoding of the query.
    pub query_ms: Percentiles,
    /// The rankings.
    #[serde(skip)]
    pub runs: ByMode<Run>,
}

impl TestSet {
    /// Measures each mode on the queries, asked of an index that was migrated to a cluster. Nothing is added or logged.
    /// That it holds the collection's documents is not checked.
    ///
    /// # Errors
    /// As [`Cluster::search`]; [`Error::Invalid`] if another generation was published meanwhile;
    /// [`Error::Cancelled`] when `progress` breaks.
    pub fn evaluate_cluster(
        &self,
        cluster: &Cluster,
        options: &EvaluationOptions,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<ClusterReport> {
        let (topics, generation) = (&self.split.queries, cluster.generation());
        let took_ms = time_searches(cluster, topics, progress)?;
        let runs = ByMode::make(|mode| options.ranking(mode).run(cluster, topics, progress))?;
        if cluster.generation() != generation {
            return Err(Error::Invalid {
                what: "the index on the cluster",
                found: format!("generation {}, where {generation} was when it began", cluster.generation()),
                expected: "one that stays while it is measured".into(),
            });
        }
        let judgements = self.split.judgements();
        let scores = runs.map(|run| evaluate(run, &judgements, &options.metrics, AveragedOver::Judged));
        Ok(ClusterReport {
            collection: self.collection.name(),
            split: self.split.name.clone(),
            queries: topics.len(),
            generation,
            scores: ModeScores::new(scores),
            query_ms: Percentiles::of(&took_ms),
            runs,
        })
    }
}
