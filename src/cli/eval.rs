//! `retune eval`: of this engine on a test collection, or of anyone's run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
use retune::eval::{AveragedOver, Collection, Evaluation, Interval, Inventory, evaluate};
use retune::{Chunking, Engine, Error, Language, Mode, Options, Query, Result};
use serde::Serialize;

use super::collection::{Encode, add, holds_nothing_else, judged_queries, of_queries, rank};
use super::figures::{Figures, Measures, by_query, figures, heads, intervals, lines_by_query, row, sure};
use super::index::fixed;
use super::output::Output;
use super::passages::{Asked, Judged};
use super::place::{Kept, Model};
use super::score::{self, Scored};

/// How deep a run is: trec_eval's and BEIR's custom.
const DEPTH: usize = 1000;
const MODES: [Mode; 3] = [Mode::Lexical, Mode::Dense, Mode::Hybrid];

#[derive(clap::Args)]
pub(super) struct Args {
    /// A test collection: a folder in BEIR layout (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv), of TREC files or of SMART's.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["run", "folder"])]
    collection: Option<PathBuf>,
    /// Which judgements: the name of a file in qrels. Default: test, or the only one.
    #[arg(long)]
    split: Option<String>,
    /// Only the first N queries. All documents are indexed all the same.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    limit: Option<usize>,
    /// Where to keep the index; one that is there already is used. Default: a temporary folder.
    #[arg(long, value_name = "PATH")]
    index: Option<PathBuf>,
    /// Writes the rankings as TREC runs: to FILE with the mode before its ending, out.trec as out.dense.trec.
    #[arg(long, value_name = "FILE")]
    run_out: Option<PathBuf>,
    /// Language of the documents, for stemming; "none" for no stemming.
    #[arg(long, default_value = "english")]
    language: Language,
    #[command(flatten)]
    model: Model,
    #[command(flatten)]
    kept: Kept,
    #[command(flatten)]
    scored: Scored,
    #[command(flatten)]
    judged: Judged,
    #[command(flatten)]
    measures: Measures,
    /// Every query's figures, too.
    #[arg(long)]
    per_query: bool,
    /// Leave out documents whose id is the query's, as BEIR does, where queries are documents of the corpus.
    #[arg(long)]
    ignore_own_ids: bool,
}

#[derive(Serialize)]
struct Report {
    collection: String,
    split: String,
    documents: usize,
    queries: usize,
    inventory: Inventory,
    modes: BTreeMap<&'static str, Figures>,
    /// Of 95 %.
    intervals: BTreeMap<&'static str, BTreeMap<String, Interval>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    per_query: BTreeMap<&'static str, BTreeMap<String, Figures>>,
    encode: Encode,
    query_ms: Percentiles,
}

#[derive(Serialize)]
struct Percentiles {
    p50: f64,
    p95: f64,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let asked = Asked {
        index: args.index.as_deref(),
        model: &args.model,
        metrics: args.measures.given(),
        per_query: args.per_query,
    };
    if let Some(done) = args.judged.run(&asked, out) {
        return done;
    }
    match &args.collection {
        Some(folder) => evaluate_collection(folder, args, out),
        None => score::run(&args.scored, &args.measures, (args.per_query, args.ignore_own_ids), out),
    }
}

fn evaluate_collection(folder: &Path, args: &Args, out: &Output) -> Result<()> {
    let collection = Collection::open(folder)?;
    let split = match (&args.split, &collection.splits()[..]) {
        (Some(split), _) => split.clone(),
        (None, [only]) => only.to_string(),
        (None, _) => "test".into(),
    };
    let qrels = collection.qrels(&split)?;
    let queries = judged_queries(&collection, &qrels, args.limit)?;
    // Before anything is fetched or encoded: a wrong line is known now.
    let inventory = Inventory::of(&collection, &qrels)?;
    args.model.ensure(out)?;
    let temporary = tempfile::tempdir().map_err(failed)?;
    let path = args.index.clone().unwrap_or_else(|| temporary.path().join("index"));
    let options = Options::default().with_chunking(Chunking::Whole).with_language(args.language);
    let engine = Engine::open(&path, args.kept.apply(args.model.apply(options)))?;
    let status = engine.status()?;
    fixed("--language", Some(args.language), status.language, &path)?;
    holds_nothing_else(&engine, &status, &inventory)?;
    let encode = add(&engine, &collection, out)?;
    // First: a search for the same words again finds their vector remembered.
    let query_ms = time(&engine, &queries, out)?;
    let (metrics, judged) = (args.measures.metrics(), of_queries(&qrels, &queries));
    let mut evaluations = BTreeMap::new();
    for mode in MODES {
        let run = rank(&engine, &queries, (mode, DEPTH, args.ignore_own_ids), out)?;
        if let Some(file) = &args.run_out {
            run.write_trec(&with_mode(file, mode), &format!("retune-{}", mode.name()))?;
        }
        evaluations.insert(mode.name(), evaluate(&run, &judged, &metrics, AveragedOver::Judged));
    }
    let of = |details: bool| evaluations.iter().filter(move |_| details).map(|(&mode, one)| (mode, one));
    let report = Report {
        collection: collection.name(),
        split,
        documents: engine.status()?.documents,
        queries: queries.len(),
        inventory,
        modes: of(true).map(|(mode, one)| (mode, figures(one, &metrics))).collect(),
        intervals: of(true).map(|(mode, one)| (mode, intervals(one))).collect(),
        per_query: of(args.per_query).map(|(mode, one)| (mode, by_query(one))).collect(),
        encode,
        query_ms,
    };
    out.print(&report, |report| text(report, &evaluations, args))?;
    engine.close()
}

/// `out.trec` of a mode is `out.dense.trec`.
fn with_mode(file: &Path, mode: Mode) -> PathBuf {
    let ending = file.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    file.with_file_name(format!("{stem}.{}{ending}", mode.name()))
}

/// Times of hybrid searches as users make them: ten documents.
fn time(engine: &Engine, queries: &[(String, String)], out: &Output) -> Result<Percentiles> {
    let bar = out.bar("timing", queries.len() as u64);
    let mut times = Vec::with_capacity(queries.len());
    for (_, text) in queries {
        times.push(engine.search(&Query::new(text.as_str()).without_logging())?.took_ms.total);
        bar.inc(1);
    }
    bar.finish_and_clear();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    Ok(Percentiles { p50: at(0.5), p95: at(0.95) })
}

fn text(report: &Report, evaluations: &BTreeMap<&'static str, Evaluation>, args: &Args) -> String {
    let shown = args.measures.shown();
    let mut text = String::new();
    if args.per_query {
        for (mode, evaluation) in evaluations {
            text.push_str(&lines_by_query(&format!("{mode}\t"), evaluation));
        }
        text.push('\n');
    }
    text.push_str(&format!(
        "{}/{}: {} documents, {} queries\n",
        report.collection, report.split, report.documents, report.queries
    ));
    for oddity in report.inventory.oddities() {
        text.push_str(&format!("  {oddity}\n"));
    }
    text.push_str(&format!("\n{:10}{}", "", heads(&shown)));
    for mode in MODES {
        let evaluation = &evaluations[mode.name()];
        text.push_str(&format!(
            "\n{:10}{}{}",
            mode.name(),
            row(evaluation, &shown),
            sure(evaluation, shown[0])
        ));
    }
    let rate = report.encode.documents as f64 / report.encode.seconds.max(f64::EPSILON);
    text.push_str(&format!(
        "\n\n{} documents encoded in {:.1} s ({rate:.1}/s); a query p50 {:.1} ms, p95 {:.1} ms",
        report.encode.documents, report.encode.seconds, report.query_ms.p50, report.query_ms.p95
    ));
    text
}

pub(super) fn failed(source: std::io::Error) -> Error {
    Error::Io { doing: "create a folder in", path: std::env::temp_dir(), source }
}
