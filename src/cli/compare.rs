//! `retune compare A B --qrels Q`: whether one run is better than another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use retune::Result;
use retune::eval::{self, Comparison, Evaluation, Metric, evaluate};
use retune::page::{self, ComparisonReport};
use serde::Serialize;

use super::figures::{Over, SEED};
use super::file::check_place_of;
use super::output::Output;
use super::score::{judged, read, read_qrels};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The run that the others are held against, in TREC's form.
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The other runs.
    #[arg(value_name = "B", required = true)]
    others: Vec<PathBuf>,
    /// The judgements, in TREC's or BEIR's form.
    #[arg(long, value_name = "FILE")]
    qrels: PathBuf,
    /// What to compare. The first is what queries are won and lost by.
    #[arg(
        long,
        value_name = "METRIC,…",
        value_delimiter = ',',
        default_value = "ndcg@10,mrr@10,map,recall@100"
    )]
    metrics: Vec<Metric>,
    /// Which queries are compared; one that a run lacks counts 0 in it, but for `both`.
    #[arg(long, value_enum, default_value = "judged")]
    over: Over,
    /// How many of the queries won and lost most to name.
    #[arg(long, value_name = "N", default_value_t = 5)]
    most: usize,
    /// Leave out documents whose id is the query's, as BEIR does, where queries are documents of the corpus.
    #[arg(long)]
    ignore_own_ids: bool,
    /// Draws the comparison as a page: one HTML file with everything in it.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    first: &'a str,
    /// How many judged queries each run lacks.
    missing_queries: BTreeMap<String, usize>,
    comparisons: Vec<Told<'a>>,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    won_most: Vec<Change>,
    lost_most: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    query: String,
    difference: f64,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    check_place_of("the report's file", args.report.as_deref())?;
    let qrels = read_qrels(&args.qrels)?;
    let mut missing_queries = BTreeMap::new();
    let mut evaluated = |file: &Path| -> Result<Evaluation> {
        let run = read(file, &qrels, args.ignore_own_ids)?;
        missing_queries.insert(file.display().to_string(), qrels.len() - judged(&run, &qrels));
        Ok(evaluate(&run, &qrels, &args.metrics, args.over.into()))
    };
    let first = evaluated(&args.first)?;
    let others = args.others.iter().map(|file| Ok((file.display().to_string(), evaluated(file)?)));
    let comparisons = Comparison::of_all(&first, &others.collect::<Result<Vec<_>>>()?, SEED)?;
    let page = ComparisonReport::new(args.first.display().to_string(), comparisons).with_most(args.most);
    let told = page.comparisons.iter().map(|comparison| Told {
        comparison,
        won_most: comparison.won_most(args.most).map(Change::from).collect(),
        lost_most: comparison.lost_most(args.most).map(Change::from).collect(),
    });
    out.print(&Report { first: &page.first, missing_queries, comparisons: told.collect() }, text)?;
    args.report.as_deref().map_or(Ok(()), |path| page::write(&page, path))
}

impl From<&eval::Change> for Change {
    fn from(change: &eval::Change) -> Change {
        Change { query: change.query.clone(), difference: change.difference() }
    }
}

fn text(report: &Report<'_>) -> String {
    let mut text = format!("against {}", report.first);
    for (run, missing) in report.missing_queries.iter().filter(|(_, missing)| **missing > 0) {
        text.push_str(&format!("\n  {missing} judged queries that {run} lacks"));
    }
    // A run's comparisons begin with the first metric; the same run may be given twice.
    let begins = |one: &Told| one.comparison.metric == report.comparisons[0].comparison.metric;
    for of_run in report.comparisons.chunk_by(|_, next| !begins(next)) {
        let Comparison { run, queries, .. } = of_run[0].comparison;
        text.push_str(&format!(
            "\n\n{run}, {queries} queries\n{:12}{:>9}{:>9}{:>10}{:>9}{:>9}{:>7}{:>7}{:>7}",
            "", "first", "this", "change", "p", "p Holm", "won", "lost", "tied"
        ));
        for Told { comparison: one, .. } in of_run {
            text.push_str(&format!(
                "\n{:12}{:>9.4}{:>9.4}{:>+10.4}{:>9.4}{:>9.4}{:>7}{:>7}{:>7}",
                one.metric.to_string(),
                one.first,
                one.second,
                one.difference,
                one.p_value,
                one.p_holm,
                one.won,
                one.lost,
                one.tied
            ));
        }
        text.push_str(&most(&of_run[0]));
    }
    text
}

/// The queries that a run wins and loses most, by the first metric.
fn most(one: &Told<'_>) -> String {
    let mut text = String::new();
    for (what, changes) in [("won", &one.won_most), ("lost", &one.lost_most)] {
        if !changes.is_empty() {
            let list = changes.iter().map(|change| format!("{} {:+.4}", change.query, change.difference));
            text.push_str(&format!(
                "\n  {what} most ({}): {}",
                one.comparison.metric,
                list.collect::<Vec<_>>().join(", ")
            ));
        }
    }
    text
}
