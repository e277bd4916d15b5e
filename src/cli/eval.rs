//! `retune eval`: measures this engine on a test collection or a folder, or scores a run.

use std::path::{Path, PathBuf};

use retune::eval::{Metric, RunScores, ScoreOptions, score_run};
use retune::measure::{
    CollectionReport, EvaluationOptions, FolderReport, JudgedFolder, TestSet, time_searches,
};
use retune::page::{self, EvaluationReport};
use retune::{Engine, Options, Result};

use super::args::{CollectionIndex, Measures, Over, PageFile, RunFiles, one_or_more};
use super::print::{Bars, Output, head, mode_lines, mode_table, query_lines, row};

/// Arguments that make no sense with `--run`, and with `--folder`.
const NOT_WITH_RUN: [&str; 11] = [
    "collection",
    "folder",
    "split",
    "limit",
    "index",
    "run_out",
    "report",
    "language",
    "model_folder",
    "precision",
    "embeddings",
];
const NOT_WITH_FOLDER: [&str; 4] = ["collection", "split", "limit", "run_out"];

#[derive(clap::Args)]
pub(super) struct Args {
    /// Test collection: a folder in BEIR layout (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv), of TREC files or of
    /// SMART's.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["run", "folder"])]
    collection: Option<PathBuf>,
    /// Judgements to use: the name of a file in qrels. Default: test, or the only one.
    #[arg(long)]
    split: Option<String>,
    /// Ask only the first N queries. All documents are indexed nevertheless.
    #[arg(long, value_name = "N", value_parser = one_or_more())]
    limit: Option<usize>,
    #[command(flatten)]
    index: CollectionIndex,
    #[command(flatten)]
    runs: RunFiles,
    #[command(flatten)]
    page: PageFile,
    #[command(flatten)]
    scored: Scored,
    #[command(flatten)]
    judged: Judged,
    #[command(flatten)]
    measures: Measures,
    /// Show the figures of every query, too.
    #[arg(long)]
    per_query: bool,
    /// Leave out documents whose id is the query's, as BEIR does.
    #[arg(long)]
    ignore_own_ids: bool,
}

/// A run to score.
#[derive(clap::Args)]
struct Scored {
    /// Score this run instead. It is in TREC's form: query Q0 document rank score tag.
    #[arg(
        long,
        value_name = "FILE",
        requires = "qrels",
        conflicts_with_all = NOT_WITH_RUN
    )]
    run: Option<PathBuf>,
    /// Judgements for --run, in TREC's or BEIR's form.
    #[arg(long, value_name = "FILE", requires = "run")]
    qrels: Option<PathBuf>,
    /// Queries that the means of --run are taken over.
    #[arg(long, value_enum, default_value = "judged", requires = "run")]
    over: Over,
}

/// A folder to measure by judged passages.
#[derive(clap::Args)]
struct Judged {
    /// Measure the index of this folder instead, by judged passages.
    #[arg(long, value_name = "DIR", requires = "queries", conflicts_with_all = NOT_WITH_FOLDER)]
    folder: Option<PathBuf>,
    /// Questions for --folder: one JSON object a line with _id and text.
    #[arg(long, value_name = "FILE", requires = "passages")]
    queries: Option<PathBuf>,
    /// Judged passages of the folder's files: one JSON object a line with query, path, start, end, grade, digest.
    #[arg(long, value_name = "FILE", requires = "folder")]
    passages: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    if let Judged { folder: Some(folder), queries: Some(queries), passages: Some(passages) } = &args.judged {
        args.page.check()?;
        return measure_folder(&JudgedFolder::read(folder, queries, passages)?, args, out);
    }
    match (&args.collection, &args.scored) {
        (Some(folder), _) => measure_collection(folder, args, out),
        (None, Scored { run: Some(run), qrels: Some(qrels), .. }) => score(run, qrels, args, out),
        // clap requires one of them.
        (None, _) => Ok(()),
    }
}

fn measure_collection(folder: &Path, args: &Args, out: &Output) -> Result<()> {
    args.page.check()?;
    args.runs.check(&args.page)?;
    let set = TestSet::read(folder, args.split.as_deref(), args.limit)?;
    if args.runs.are_wanted() {
        set.check_run_ids()?;
    }
    let index = args.index.open()?;
    let engine = &index.engine;
    let options = EvaluationOptions::default()
        .with_metrics(args.measures.or(&Metric::USUAL))
        .with_ignore_own_ids(args.ignore_own_ids);
    let mut bars = Bars::default();
    let mut report = set.evaluate(engine, &options, &mut |progress| bars.show(progress))?;
    bars.clear();
    args.runs.write(&report.runs)?;
    if args.per_query {
        report.scores.add_queries();
    }
    out.print(&report, |report| collection_text(report, &args.measures.shown()))?;
    if let Some(path) = args.page.path() {
        let metric = EvaluationReport::plotted(&options.metrics);
        let weights = set.by_weight(engine, &options, metric, &mut |progress| bars.show(progress))?;
        page::write(&EvaluationReport::from(&report).with_weights(weights), path)?;
    }
    engine.close()
}

fn measure_folder(judged: &JudgedFolder, args: &Args, out: &Output) -> Result<()> {
    let index = args.index.index.clone().unwrap_or_else(|| judged.folder.join(".retune"));
    let engine = Engine::open_read_only(index, args.index.model.apply(Options::default()))?;
    let mut bars = Bars::default();
    let took_ms = match args.page.path() {
        Some(_) => time_searches(&engine, &judged.queries, &mut |progress| bars.show(progress))?,
        None => Vec::new(),
    };
    let metrics = args.measures.or(&JudgedFolder::METRICS);
    let mut report = judged.evaluate(&engine, &metrics, &mut |progress| bars.show(progress))?;
    bars.clear();
    if args.per_query {
        report.scores.add_queries();
    }
    out.print(&report, |report| folder_text(report, &metrics))?;
    if let Some(path) = args.page.path() {
        let metric = EvaluationReport::plotted(&metrics);
        let weights = judged.by_weight(&engine, metric, &mut |progress| bars.show(progress))?;
        let page = EvaluationReport::from(&report).with_weights(weights).with_took_ms(took_ms);
        page::write(&page, path)?;
    }
    engine.close()
}

fn score(run: &Path, qrels: &Path, args: &Args, out: &Output) -> Result<()> {
    let options = ScoreOptions::default()
        .with_metrics(args.measures.or(&Metric::USUAL))
        .with_over(args.scored.over.into())
        .with_ignore_own_ids(args.ignore_own_ids);
    let mut scores = score_run(run, qrels, &options)?;
    if args.per_query {
        scores.add_queries();
    }
    out.print(&scores, |scores| run_text(scores, &args.measures.shown()))
}

fn collection_text(report: &CollectionReport, shown: &[Metric]) -> String {
    let CollectionReport { collection, split, documents, queries, encode, query_ms, .. } = report;
    let mut text = mode_lines(&report.scores);
    text.push_str(&format!("{collection}/{split}: {documents} documents, {queries} queries\n"));
    for (what, count) in report.inventory.odd().into_iter().filter(|(_, count)| *count > 0) {
        text.push_str(&format!("  {count} {what}\n"));
    }
    if !report.inventory.passed_over.is_empty() {
        text.push_str(&format!("  not read: {}\n", report.inventory.passed_over.join(", ")));
    }
    let rate = encode.documents as f64 / encode.seconds.max(f64::EPSILON);
    text.push_str(&format!(
        "\n{}\n\n{} documents encoded in {:.1} s ({rate:.1}/s); a query p50 {:.1} ms, p95 {:.1} ms",
        mode_table(&report.scores, shown),
        encode.documents,
        encode.seconds,
        query_ms.p50,
        query_ms.p95
    ));
    text
}

fn folder_text(report: &FolderReport, shown: &[Metric]) -> String {
    let FolderReport { folder, documents, chunks, queries, scores, .. } = report;
    let (lines, table) = (mode_lines(scores), mode_table(scores, shown));
    format!("{lines}{folder}: {documents} documents, {chunks} chunks, {queries} questions\n\n{table}")
}

fn run_text(scores: &RunScores, shown: &[Metric]) -> String {
    let mut text = match scores.per_query.is_empty() {
        true => String::new(),
        false => query_lines("", &scores.evaluation) + "\n",
    };
    text.push_str(&format!("{}: means over {} queries", scores.run, scores.queries));
    for (count, what) in [
        (scores.missing_queries, "judged queries that the run lacks"),
        (scores.unjudged_queries, "queries without judgements: left out"),
    ] {
        if count > 0 {
            text.push_str(&format!("\n  {count} {what}"));
        }
    }
    text.push_str(&format!("\n\n{}\n{}", head(shown), row(&scores.evaluation, shown)));
    text
}
