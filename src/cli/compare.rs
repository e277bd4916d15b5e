//! `retune compare A B --qrels Q`: whether one run is better than another.

use std::path::{Path, PathBuf};

use retune::Result;
use retune::eval::{Evaluation, Metric, Qrels, compare, evaluate, holm};
use serde::Serialize;

use super::figures::{Over, SEED};
use super::output::Output;
use super::score::read;

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
}

#[derive(Serialize)]
struct Report {
    first: String,
    comparisons: Vec<Comparison>,
}

/// A run against the first by one metric.
#[derive(Serialize)]
struct Comparison {
    run: String,
    metric: String,
    queries: usize,
    first: f64,
    second: f64,
    difference: f64,
    p_value: f64,
    /// Corrected for all comparisons of the report.
    p_holm: f64,
    won: usize,
    lost: usize,
    tied: usize,
    won_most: Vec<Change>,
    lost_most: Vec<Change>,
}

#[derive(Serialize, Clone)]
struct Change {
    query: String,
    difference: f64,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let qrels = Qrels::read(&args.qrels)?;
    let evaluated = |file: &Path| -> Result<Evaluation> {
        Ok(evaluate(&read(file, &qrels)?, &qrels, &args.metrics, args.over.into()))
    };
    let first = evaluated(&args.first)?;
    let mut comparisons = Vec::new();
    for file in &args.others {
        let second = evaluated(file)?;
        for &metric in &args.metrics {
            comparisons.push(Comparison::of(file, metric, (&first, &second), args.most)?);
        }
    }
    let adjusted = holm(&comparisons.iter().map(|one| one.p_value).collect::<Vec<_>>());
    for (comparison, p_holm) in comparisons.iter_mut().zip(adjusted) {
        comparison.p_holm = p_holm;
    }
    let report = Report { first: args.first.display().to_string(), comparisons };
    out.print(&report, text)
}

impl Comparison {
    fn of(
        file: &Path,
        metric: Metric,
        (first, second): (&Evaluation, &Evaluation),
        most: usize,
    ) -> Result<Comparison> {
        let test = compare(first, second, metric, SEED)?;
        let (before, after) =
            (first.by_query(metric).unwrap_or_default(), second.by_query(metric).unwrap_or_default());
        let mut changes: Vec<Change> = before
            .iter()
            .filter_map(|(query, was)| {
                Some(Change { query: query.to_string(), difference: after.get(query)? - was })
            })
            .collect();
        changes.sort_by(|a, b| b.difference.total_cmp(&a.difference));
        let mean = |of: &Change, values: &std::collections::BTreeMap<&str, f64>| values[of.query.as_str()];
        let over =
            |values| changes.iter().map(|one| mean(one, values)).sum::<f64>() / changes.len().max(1) as f64;
        let won = changes.iter().filter(|one| one.difference > 0.0).count();
        let lost = changes.iter().filter(|one| one.difference < 0.0).count();
        Ok(Comparison {
            run: file.display().to_string(),
            metric: metric.to_string(),
            queries: test.pairs,
            first: over(&before),
            second: over(&after),
            difference: test.difference,
            p_value: test.p_value,
            p_holm: test.p_value,
            won,
            lost,
            tied: changes.len() - won - lost,
            won_most: changes[..won.min(most)].to_vec(),
            lost_most: changes.iter().rev().take(lost.min(most)).cloned().collect(),
        })
    }
}

fn text(report: &Report) -> String {
    let mut text = format!("against {}", report.first);
    let mut run = "";
    for one in &report.comparisons {
        if run != one.run {
            run = &one.run;
            text.push_str(&format!(
                "\n\n{run}, {} queries\n{:12}{:>9}{:>9}{:>10}{:>9}{:>9}{:>7}{:>7}{:>7}",
                one.queries, "", "first", "this", "change", "p", "p Holm", "won", "lost", "tied"
            ));
        }
        text.push_str(&format!(
            "\n{:12}{:>9.4}{:>9.4}{:>+10.4}{:>9.4}{:>9.4}{:>7}{:>7}{:>7}",
            one.metric,
            one.first,
            one.second,
            one.difference,
            one.p_value,
            one.p_holm,
            one.won,
            one.lost,
            one.tied
        ));
        let last = report.comparisons.iter().rfind(|other| other.run == one.run);
        if last.is_some_and(|last| last.metric == one.metric) {
            text.push_str(&most(report, run));
        }
    }
    text
}

/// The queries that a run wins and loses most, by the first metric.
fn most(report: &Report, run: &str) -> String {
    let Some(one) = report.comparisons.iter().find(|one| one.run == run) else { return String::new() };
    let mut text = String::new();
    for (what, changes) in [("won", &one.won_most), ("lost", &one.lost_most)] {
        if !changes.is_empty() {
            let list = changes.iter().map(|change| format!("{} {:+.4}", change.query, change.difference));
            text.push_str(&format!(
                "\n  {what} most ({}): {}",
                one.metric,
                list.collect::<Vec<_>>().join(", ")
            ));
        }
    }
    text
}
