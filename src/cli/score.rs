//! `retune eval --run FILE --qrels FILE`: anyone's run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use retune::eval::{Evaluation, Interval, Qrels, Run, evaluate};
use retune::{Error, Result};
use serde::Serialize;

use super::figures::{Figures, Measures, Over, by_query, figures, heads, intervals, lines_by_query, row};
use super::output::Output;

#[derive(clap::Args)]
pub(super) struct Scored {
    /// A run in TREC's form, to be scored instead: query Q0 document rank score tag.
    #[arg(
        long,
        value_name = "FILE",
        requires = "qrels",
        conflicts_with_all = ["collection", "folder", "split", "limit", "index", "run_out", "report", "language", "model_folder", "precision", "embeddings"]
    )]
    run: Option<PathBuf>,
    /// The judgements to score it by, in TREC's or BEIR's form.
    #[arg(long, value_name = "FILE", requires = "run")]
    qrels: Option<PathBuf>,
    /// Which queries the means are over.
    #[arg(long, value_enum, default_value = "judged", requires = "run")]
    over: Over,
}

#[derive(Serialize)]
struct Report {
    run: String,
    queries: usize,
    /// Queries of the run without judgements: left out.
    unjudged_queries: usize,
    /// Judged queries that the run lacks.
    missing_queries: usize,
    figures: Figures,
    /// Of 95 %.
    intervals: BTreeMap<String, Interval>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    per_query: BTreeMap<String, Figures>,
}

pub(super) fn run(
    args: &Scored,
    measures: &Measures,
    (per_query, ignore_own_ids): (bool, bool),
    out: &Output,
) -> Result<()> {
    let (Some(file), Some(judgements)) = (&args.run, &args.qrels) else { return Ok(()) };
    let qrels = read_qrels(judgements)?;
    let run = read(file, &qrels, ignore_own_ids)?;
    let metrics = measures.metrics();
    let evaluation = evaluate(&run, &qrels, &metrics, args.over.into());
    let judged = judged(&run, &qrels);
    let report = Report {
        run: file.display().to_string(),
        queries: evaluation.len(),
        unjudged_queries: run.len() - judged,
        missing_queries: qrels.len() - judged,
        figures: figures(&evaluation),
        intervals: intervals(&evaluation),
        per_query: if per_query { by_query(&evaluation) } else { BTreeMap::new() },
    };
    out.print(&report, |report| text(report, &evaluation, measures, per_query))
}

/// Judgements, one at least.
pub(super) fn read_qrels(file: &Path) -> Result<Qrels> {
    let qrels = Qrels::read(file)?;
    match qrels.is_empty() {
        false => Ok(qrels),
        true => Err(Error::Invalid {
            what: "the judgements",
            found: format!("none in {}", file.display()),
            expected: "one at least".into(),
        }),
    }
}

/// How many of a run's queries are judged.
pub(super) fn judged(run: &Run, qrels: &Qrels) -> usize {
    run.iter().filter(|(query, _)| qrels.judgements(query).is_some()).count()
}

/// A run that shares a query with the judgements; of others every figure would be 0. Without documents whose id is the query's, if so asked.
pub(super) fn read(file: &Path, qrels: &Qrels, ignore_own_ids: bool) -> Result<Run> {
    let mut run = Run::read_trec(file)?;
    if ignore_own_ids {
        run.remove_own_ids();
    }
    if judged(&run, qrels) > 0 {
        return Ok(run);
    }
    Err(Error::Invalid {
        what: "the run",
        found: format!("{}, of whose {} queries none is judged", file.display(), run.len()),
        expected: "a run and qrels that share query ids".into(),
    })
}

fn text(report: &Report, evaluation: &Evaluation, measures: &Measures, per_query: bool) -> String {
    let shown = measures.shown();
    let mut text = if per_query { lines_by_query("", evaluation) + "\n" } else { String::new() };
    text.push_str(&format!("{}: means over {} queries", report.run, report.queries));
    for (count, what) in [
        (report.missing_queries, "judged queries that the run lacks"),
        (report.unjudged_queries, "queries without judgements: left out"),
    ] {
        if count > 0 {
            text.push_str(&format!("\n  {count} {what}"));
        }
    }
    text.push_str(&format!("\n\n{}\n{}", heads(&shown), row(evaluation, &shown)));
    text
}
