//! `retune eval`: measures this engine on a test collection or a folder, or scores a run.

use std::path::{Path, PathBuf};

use retune::eval::{Metric, RunScores, ScoreOptions, score_run};
#[cfg(feature = "opensearch")]
use retune::measure::ClusterReport;
use retune::measure::{
    CollectionReport, EvaluationOptions, FolderReport, JudgedFolder, TestSet, time_searches,
};
use retune::page::{self, EvaluationReport};
use retune::{Options, Reader, Result};

use super::args::{CollectionIndex, Excluded, Measures, Over, PageFile, RunFiles, one_or_more};
use super::print::{Bars, Output, Text, mode_lines, mode_table, query_lines, run_table};

/// Arguments that make no sense with `--run`, and with `--folder`.
const NOT_WITH_RUN: [&str; 12] = [
    "collection",
    "folder",
    "split",
    "limit",
    "index",
    "run_out",
    "mteb_out",
    "report",
    "language",
    "model_folder",
    "precision",
    "embeddings",
];
const NOT_WITH_FOLDER: [&str; 8] =
    ["collection", "split", "limit", "run_out", "mteb_out", "language", "embeddings", "ignore_own_ids"];
#[cfg(feature = "opensearch")]
const NOT_WITH_STORE: [&str; 6] = ["run", "folder", "index", "language", "embeddings", "report"];

const USAGE: &str = "retune eval --collection DIR [OPTIONS]
       retune eval --run FILE --qrels FILE [OPTIONS]
       retune eval --folder DIR --queries FILE --passages FILE [OPTIONS]";

#[derive(clap::Args)]
#[command(override_usage = USAGE)]
pub(super) struct Args {
    #[command(flatten)]
    measures: Measures,
    /// Show the figures of every query, too.
    #[arg(long)]
    per_query: bool,
    /// Leave out documents whose id is the query's, as BEIR does. Not for a folder.
    #[arg(long)]
    ignore_own_ids: bool,
    #[command(flatten, next_help_heading = "Measure all three modes on a test collection")]
    tested: Tested,
    #[command(flatten, next_help_heading = "Score a run, of whatever system")]
    scored: Scored,
    #[command(flatten, next_help_heading = "Measure a folder's index by judged passages")]
    judged: Judged,
    #[command(flatten, next_help_heading = "For a collection and a folder")]
    index: CollectionIndex,
    #[command(flatten)]
    page: PageFile,
}

/// A test collection to measure on.
#[derive(clap::Args)]
struct Tested {
    /// Folder in BEIR's layout (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv), of TREC's files or of SMART's. Documents
    /// are scored whole.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["run", "folder"])]
    collection: Option<PathBuf>,
    /// Judgements to use: the name of a file in qrels. Default: test, or the only one.
    #[arg(long)]
    split: Option<String>,
    /// Ask only the first N queries. All documents are indexed nevertheless.
    #[arg(long, value_name = "N", value_parser = one_or_more())]
    limit: Option<usize>,
    /// Ask an index that `retune migrate` has copied to an OpenSearch cluster, instead of one of this machine:
    /// http://search-1:9200/NAME.
    #[cfg(feature = "opensearch")]
    #[arg(long, value_name = "URL", requires = "collection", conflicts_with_all = NOT_WITH_STORE)]
    store: Option<String>,
    #[command(flatten)]
    runs: RunFiles,
}

/// A run to score.
#[derive(clap::Args)]
struct Scored {
    /// Run in TREC's form: query Q0 document rank score tag. The rank is not used; ties go by id, descending.
    #[arg(
        long,
        value_name = "FILE",
        requires = "qrels",
        conflicts_with_all = NOT_WITH_RUN
    )]
    run: Option<PathBuf>,
    /// Judgements in TREC's or BEIR's form.
    #[arg(long, value_name = "FILE", requires = "run")]
    qrels: Option<PathBuf>,
    /// Queries that the means are taken over.
    #[arg(long, value_enum, default_value = "judged", requires = "run")]
    over: Over,
    #[command(flatten)]
    excluded: Excluded,
}

/// A folder to measure by judged passages.
#[derive(clap::Args)]
struct Judged {
    /// Folder that `retune index` has indexed. Nothing is indexed or logged.
    #[arg(long, value_name = "DIR", requires = "queries", conflicts_with_all = NOT_WITH_FOLDER)]
    folder: Option<PathBuf>,
    /// Questions: one JSON object a line with _id and text.
    #[arg(long, value_name = "FILE", requires = "passages")]
    queries: Option<PathBuf>,
    /// Judged passages of the folder's files: one JSON object a line with query, path, grade, digest and a place: start
    /// and end (bytes), page or quote.
    #[arg(long, value_name = "FILE", requires = "folder")]
    passages: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    if let Judged { folder: Some(folder), queries: Some(queries), passages: Some(passages) } = &args.judged {
        args.page.check()?;
        return measure_folder(&JudgedFolder::read(folder, queries, passages)?, args, out);
    }
    match (&args.tested.collection, &args.scored) {
        (Some(folder), _) => measure_collection(folder, args, out),
        (None, Scored { run: Some(run), qrels: Some(qrels), .. }) => score(run, qrels, args, out),
        // clap requires one of them.
        (None, _) => Ok(()),
    }
}

fn measure_collection(folder: &Path, args: &Args, out: &Output) -> Result<()> {
    args.page.check()?;
    let Tested { split, limit, runs, .. } = &args.tested;
    runs.check(&args.page)?;
    let set = TestSet::read(folder, split.as_deref(), *limit)?;
    if runs.has_runs() {
        set.check_run_ids()?;
    }
    let options = EvaluationOptions::default()
        .with_metrics(args.measures.or(&Metric::USUAL))
        .with_ignore_own_ids(args.ignore_own_ids);
    #[cfg(feature = "opensearch")]
    if let Some(store) = &args.tested.store {
        return measure_cluster(&set, store, &options, args, out);
    }
    let index = args.index.open()?;
    let engine = &index.engine;
    let mut bars = Bars::default();
    let mut report = set.evaluate(engine, &options, &mut |progress| bars.show(progress))?;
    bars.clear();
    runs.write(&set, &report.runs)?;
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

#[cfg(feature = "opensearch")]
fn measure_cluster(
    set: &TestSet,
    store: &str,
    options: &EvaluationOptions,
    args: &Args,
    out: &Output,
) -> Result<()> {
    let cluster = retune::cluster::Cluster::open(store, &args.index.model.apply(Options::default()))?;
    let mut bars = Bars::default();
    let mut report = set.evaluate_cluster(&cluster, options, &mut |progress| bars.show(progress))?;
    bars.clear();
    args.tested.runs.write(set, &report.runs)?;
    if args.per_query {
        report.scores.add_queries();
    }
    out.print(&report, |report| {
        let ClusterReport { collection, split, queries, generation, query_ms, .. } = report;
        let mut text = mode_lines(&report.scores);
        text.line(format!("{collection}/{split}: {queries} queries, asked of generation {generation}"));
        text.empty_line();
        text.append(mode_table(&report.scores, &args.measures.shown()));
        text.empty_line();
        text.line(format!("a query p50 {:.1} ms, p95 {:.1} ms", query_ms.p50, query_ms.p95));
        text
    })
}

fn measure_folder(judged: &JudgedFolder, args: &Args, out: &Output) -> Result<()> {
    let index = args.index.index.clone().unwrap_or_else(|| judged.folder.join(".retune"));
    let engine = Reader::open(index, args.index.model.apply(Options::default()))?;
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
        .with_excluded_by(args.scored.excluded.read()?)
        .with_ignore_own_ids(args.ignore_own_ids);
    let mut scores = score_run(run, qrels, &options)?;
    if args.per_query {
        scores.add_queries();
    }
    out.print(&scores, |scores| run_text(scores, &args.measures.shown()))
}

fn collection_text(report: &CollectionReport, shown: &[Metric]) -> Text {
    let CollectionReport { collection, split, documents, queries, encode, query_ms, .. } = report;
    let mut text = mode_lines(&report.scores);
    text.line(format!("{collection}/{split}: {documents} documents, {queries} queries"));
    for (what, count) in report.inventory.odd().into_iter().filter(|(_, count)| *count > 0) {
        text.line(format!("  {count} {what}"));
    }
    if !report.inventory.passed_over.is_empty() {
        text.line(format!("  not read: {}", report.inventory.passed_over.join(", ")));
    }
    text.empty_line();
    text.append(mode_table(&report.scores, shown));
    let rate = encode.documents as f64 / encode.seconds.max(f64::EPSILON);
    text.empty_line();
    text.line(format!(
        "{} documents encoded in {:.1} s ({rate:.1}/s); a query p50 {:.1} ms, p95 {:.1} ms",
        encode.documents, encode.seconds, query_ms.p50, query_ms.p95
    ));
    text
}

fn folder_text(report: &FolderReport, shown: &[Metric]) -> Text {
    let FolderReport { folder, documents, chunks, queries, scores, .. } = report;
    let mut text = mode_lines(scores);
    text.line(format!("{folder}: {documents} documents, {chunks} chunks, {queries} questions"));
    text.empty_line();
    text.append(mode_table(scores, shown));
    text
}

fn run_text(scores: &RunScores, shown: &[Metric]) -> Text {
    let mut text = Text::default();
    if !scores.per_query.is_empty() {
        text.append(query_lines(None, &scores.evaluation));
        text.empty_line();
    }
    text.line(format!("{}: means over {} queries", scores.run, scores.queries));
    for (count, what) in [
        (scores.missing_queries, "judged queries that the run lacks"),
        (scores.unjudged_queries, "queries without judgements: left out"),
    ] {
        if count > 0 {
            text.line(format!("  {count} {what}"));
        }
    }
    text.empty_line();
    text.append(run_table(&scores.evaluation, shown));
    text
}
