//! `retune compare A B --qrels Q`: compares runs with a first one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use retune::Result;
use retune::eval::{self, Comparison, RunComparisons, ScoreOptions, compare_runs};
use retune::page::{self, ComparisonReport};
use serde::Serialize;

use super::args::{Excluded, Metrics, Over, PageFile, metrics};
use super::print::{Output, Text};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Run in TREC's form that the others are compared with.
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The other runs.
    #[arg(value_name = "B", required = true)]
    others: Vec<PathBuf>,
    /// Judgements in TREC's or BEIR's form.
    #[arg(long, value_name = "FILE")]
    qrels: PathBuf,
    /// Metrics to compare. The first decides which queries are won and lost.
    #[arg(
        long,
        value_name = "METRIC,…",
        value_parser = metrics,
        default_value = "ndcg@10,mrr@10,map,recall@100"
    )]
    metrics: Metrics,
    /// Which queries to compare.
    #[arg(long, value_enum, default_value = "judged")]
    over: Over,
    /// Number of queries to name of those won most, and of those lost most.
    #[arg(long, value_name = "N", default_value_t = 5)]
    most: usize,
    /// Leave out documents whose id is the query's, as BEIR does.
    #[arg(long)]
    ignore_own_ids: bool,
    #[command(flatten)]
    excluded: Excluded,
    #[command(flatten)]
    page: PageFile,
}

#[derive(Serialize)]
struct Report<'a> {
    first: &'a str,
    missing_queries: &'a BTreeMap<String, usize>,
    comparisons: Vec<Compared<'a>>,
}

#[derive(Serialize)]
struct Compared<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    won_most: Vec<Change<'a>>,
    lost_most: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    query: &'a str,
    difference: f64,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    args.page.check()?;
    let options = ScoreOptions::default()
        .with_metrics(args.metrics.0.as_slice())
        .with_over(args.over.into())
        .with_ignore_own_ids(args.ignore_own_ids)
        .with_excluded_by(args.excluded.read()?);
    let compared = compare_runs(&args.first, &args.others, &args.qrels, &options)?;
    out.print(&report(&compared, args.most), text)?;
    match args.page.path() {
        Some(path) => {
            let page = ComparisonReport::new(compared.first, compared.comparisons).with_most(args.most);
            page::write(&page, path)
        }
        None => Ok(()),
    }
}

fn report(compared: &RunComparisons, most: usize) -> Report<'_> {
    let comparisons = compared.comparisons.iter().map(|comparison| Compared {
        comparison,
        won_most: comparison.won_most(most).map(Change::from).collect(),
        lost_most: comparison.lost_most(most).map(Change::from).collect(),
    });
    Report {
        first: &compared.first,
        missing_queries: &compared.missing_queries,
        comparisons: comparisons.collect(),
    }
}

impl<'a> From<&'a eval::Change> for Change<'a> {
    fn from(change: &'a eval::Change) -> Change<'a> {
        Change { query: &change.query, difference: change.difference() }
    }
}

fn text(report: &Report<'_>) -> Text {
    let mut text = Text::of(format!("against {}", report.first));
    for (run, missing) in report.missing_queries.iter().filter(|(_, missing)| **missing > 0) {
        text.line(format!("  {missing} judged queries that {run} lacks"));
    }
    // The first metric begins a run's comparisons. Its name would not do: the same run may be given twice.
    let begins = |one: &Compared| one.comparison.metric == report.comparisons[0].comparison.metric;
    for of_run in report.comparisons.chunk_by(|_, next| !begins(next)) {
        let Comparison { run, queries, .. } = of_run[0].comparison;
        text.empty_line();
        text.line(format!("{run}, {queries} queries"));
        text.line(format!(
            "{:12}{:>7}{:>7}{:>8}{:>17}{:>7}{:>7}{:>5}{:>5}{:>5}",
            "", "first", "this", "change", "95 %", "p", "Holm", "won", "lost", "tied"
        ));
        for Compared { comparison: one, .. } in of_run {
            text.line(format!(
                "{:12}{:>7.4}{:>7.4}{:>+8.4}{:>17}{:>7.4}{:>7.4}{:>5}{:>5}{:>5}",
                one.metric.to_string(),
                one.first,
                one.second,
                one.difference,
                format!("{:+.3} to {:+.3}", one.interval.low, one.interval.high),
                one.p_value,
                one.p_holm,
                one.won,
                one.lost,
                one.tied
            ));
        }
        text.append(most(&of_run[0]));
    }
    text
}

/// The queries that a run wins and loses most.
fn most(one: &Compared<'_>) -> Text {
    let mut text = Text::default();
    for (what, changes) in [("won", &one.won_most), ("lost", &one.lost_most)] {
        if !changes.is_empty() {
            let list = changes.iter().map(|change| format!("{} {:+.4}", change.query, change.difference));
            let list = list.collect::<Vec<_>>().join(", ");
            text.line(format!("  {what} most ({}): {list}", one.comparison.metric));
        }
    }
    text
}
