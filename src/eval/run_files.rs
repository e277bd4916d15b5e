//! Scores and compares runs in files, by judgements in a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::collection::Query;
use super::comparison::Comparison;
use super::evaluation::{AveragedOver, Evaluation, Figures, evaluate};
use super::interval::{Interval, SEED};
use super::metrics::Metric;
use super::qrels::Qrels;
use super::run::Run;
use crate::error::{Error, Result};

/// Options for scoring runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ScoreOptions {
    /// The metrics. Default [`Metric::USUAL`].
    pub metrics: Vec<Metric>,
    /// The queries that means are taken over. Default: all judged ones.
    pub over: AveragedOver,
    /// Whether to drop documents whose id equals their query's: see [`Run::remove_own_ids`]. Default: no.
    pub ignore_own_ids: bool,
    /// Documents to drop from a query's ranking, by the query's id: see [`Query::excluded`]. Default: none.
    pub excluded: BTreeMap<String, Vec<String>>,
}

impl Default for ScoreOptions {
    fn default() -> Self {
        ScoreOptions {
            metrics: Metric::USUAL.to_vec(),
            over: AveragedOver::Judged,
            ignore_own_ids: false,
            excluded: BTreeMap::new(),
        }
    }
}

impl ScoreOptions {
    /// Sets [`metrics`](ScoreOptions::metrics).
    pub fn with_metrics(mut self, metrics: impl Into<Vec<Metric>>) -> Self {
        self.metrics = metrics.into();
        self
    }

    /// Sets [`over`](ScoreOptions::over).
    pub fn with_over(mut self, over: AveragedOver) -> Self {
        self.over = over;
        self
    }

    /// Sets [`ignore_own_ids`](ScoreOptions::ignore_own_ids).
    pub fn with_ignore_own_ids(mut self, ignore: bool) -> Self {
        self.ignore_own_ids = ignore;
        self
    }

    /// Sets [`excluded`](ScoreOptions::excluded) to the documents that these queries exclude.
    pub fn with_excluded_by(mut self, queries: impl IntoIterator<Item = Query>) -> Self {
        self.excluded = queries.into_iter().map(|query| (query.id, query.excluded)).collect();
        self
    }
}

/// The scores of a run.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RunScores {
    /// The run's file.
    pub run: String,
    /// The number of queries the means are over.
    pub queries: usize,
    /// Queries of the run without judgements, which are ignored.
    pub unjudged_queries: usize,
    /// Judged queries that the run lacks.
    pub missing_queries: usize,
    /// The means.
    pub figures: Figures,
    /// The 95 % confidence intervals of the means.
    pub intervals: BTreeMap<String, Interval>,
    /// The scores of every query; empty until [`add_queries`](RunScores::add_queries).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub per_query: BTreeMap<String, Figures>,
    /// The evaluation behind the scores.
    #[serde(skip)]
    pub evaluation: Evaluation,
}

impl RunScores {
    /// Adds the scores of every query.
    pub fn add_queries(&mut self) {
        self.per_query = self.evaluation.per_query();
    }
}

/// Runs compared with a baseline.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunComparisons {
    /// The file of the baseline.
    pub first: String,
    /// Number of judged queries that each run lacks, by its file.
    pub missing_queries: BTreeMap<String, usize>,
    /// Run by run, metric by metric: see [`Comparison::of_all`].
    pub comparisons: Vec<Comparison>,
}

/// Scores a run in TREC's format by judgements in TREC's or BEIR's.
///
/// # Errors
/// [`Error::Io`]; [`Error::Invalid`] with the invalid line, if there are no judgements, or if no query of the run is
/// judged: every figure would be 0.
pub fn score_run(run: &Path, qrels: &Path, options: &ScoreOptions) -> Result<RunScores> {
    let qrels = read_qrels(qrels)?;
    let scored = score(run, &qrels, options)?;
    Ok(RunScores {
        run: run.display().to_string(),
        queries: scored.evaluation.len(),
        unjudged_queries: scored.unjudged,
        missing_queries: scored.missing,
        figures: scored.evaluation.means(),
        intervals: scored.evaluation.intervals(),
        per_query: BTreeMap::new(),
        evaluation: scored.evaluation,
    })
}

/// Compares runs with the run `first`, all in TREC's format, by judgements in TREC's or BEIR's.
///
/// # Errors
/// As [`score_run`] and [`Comparison::of_all`].
pub fn compare_runs(
    first: &Path,
    others: &[PathBuf],
    qrels: &Path,
    options: &ScoreOptions,
) -> Result<RunComparisons> {
    let qrels = read_qrels(qrels)?;
    let mut missing_queries = BTreeMap::new();
    let mut scored = |run: &Path| -> Result<Evaluation> {
        let scored = score(run, &qrels, options)?;
        missing_queries.insert(run.display().to_string(), scored.missing);
        Ok(scored.evaluation)
    };
    let evaluation = scored(first)?;
    let others = others.iter().map(|run| Ok((run.display().to_string(), scored(run)?)));
    let comparisons = Comparison::of_all(&evaluation, &others.collect::<Result<Vec<_>>>()?, SEED)?;
    Ok(RunComparisons { first: first.display().to_string(), missing_queries, comparisons })
}

/// A run's evaluation, and the differences between its queries and the judged ones.
struct Scored {
    evaluation: Evaluation,
    unjudged: usize,
    missing: usize,
}

fn score(file: &Path, qrels: &Qrels, options: &ScoreOptions) -> Result<Scored> {
    let mut run = Run::read_trec(file)?;
    if options.ignore_own_ids {
        run.remove_own_ids();
    }
    for (query, documents) in &options.excluded {
        run.remove(query, documents);
    }
    let judged = run.iter().filter(|(query, _)| qrels.judgements(query).is_some()).count();
    if judged == 0 {
        return Err(Error::invalid(
            "the run",
            format!("{}, with {} queries, none of them judged", file.display(), run.len()),
            "a run and qrels that share query ids",
        ));
    }
    let evaluation = evaluate(&run, qrels, &options.metrics, options.over);
    Ok(Scored { evaluation, unjudged: run.len() - judged, missing: qrels.len() - judged })
}

/// Reads judgements; at least one is required.
fn read_qrels(file: &Path) -> Result<Qrels> {
    let qrels = Qrels::read(file)?;
    match qrels.is_empty() {
        false => Ok(qrels),
        true => {
            let found = format!("none in {}", file.display());
            Err(Error::invalid("the judgements", found, "at least one"))
        }
    }
}
