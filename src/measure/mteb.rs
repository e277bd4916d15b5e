//! Results in MTEB's format.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::test_set::TestSet;
use crate::error::{Error, Result};
use crate::eval::{AveragedOver, Metric, Run, evaluate};
use crate::storage::write_atomic;

/// The cut-offs of MTEB's retrieval tasks.
const RANKS: [usize; 7] = [1, 3, 5, 10, 20, 100, 1000];

/// MTEB's metrics at a cut-off, with MTEB's names.
fn measures(rank: usize) -> [(&'static str, Metric); 6] {
    [
        ("ndcg", Metric::NdcgAt(rank)),
        ("map", Metric::MapAt(rank)),
        ("recall", Metric::RecallAt(rank)),
        ("precision", Metric::PrecisionAt(rank)),
        ("mrr", Metric::MrrAt(rank)),
        ("hit_rate", Metric::SuccessAt(rank)),
    ]
}

/// The results of one task, as MTEB's `TaskResult` reads them. The main score is nDCG@10.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct MtebResults {
    /// The task name: the name of the collection.
    pub task_name: String,
    /// The revision of the data set; unknown.
    pub dataset_revision: &'static str,
    /// The version of MTEB; none.
    pub mteb_version: Option<String>,
    /// The scores by split. Each has a single subset, the default one.
    pub scores: BTreeMap<String, [Map<String, Value>; 1]>,
    /// Evaluation time in seconds; not recorded.
    pub evaluation_time: Option<f64>,
    /// Not recorded.
    pub kg_co2_emissions: Option<f64>,
}

impl TestSet {
    /// The results of a run on this collection.
    pub fn mteb_results(&self, run: &Run) -> MtebResults {
        let at = |rank| measures(rank).map(|(name, metric)| (format!("{name}_at_{rank}"), metric));
        let named: Vec<(String, Metric)> = RANKS.into_iter().flat_map(at).collect();
        let metrics: Vec<Metric> = named.iter().map(|(_, metric)| *metric).collect();
        let evaluation = evaluate(run, &self.split.judgements(), &metrics, AveragedOver::Judged);
        let mean = |metric: Metric| Value::from(evaluation.mean(metric).unwrap_or(0.0));
        let mut scores: Map<String, Value> =
            named.into_iter().map(|(name, metric)| (name, mean(metric))).collect();
        scores.insert("main_score".into(), mean(Metric::NdcgAt(10)));
        scores.insert("hf_subset".into(), "default".into());
        scores.insert("languages".into(), Value::Array(Vec::new()));
        MtebResults {
            task_name: self.collection.name(),
            dataset_revision: "revision_not_applicable",
            mteb_version: None,
            scores: [(self.split.name.clone(), [scores])].into(),
            evaluation_time: None,
            kg_co2_emissions: None,
        }
    }
}

impl MtebResults {
    /// Writes the results as JSON.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).map_err(|error| Error::io("write", path)(error.into()))?;
        write_atomic(path, &json)
    }
}
