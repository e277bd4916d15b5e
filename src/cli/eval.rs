//! `retune eval`: of this engine on a test collection, or of anyone's run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
use retune::eval::{AveragedOver, Collection, Inventory, Metric, Run, evaluate, quantile};
use retune::page::{self, EvaluationReport};
use retune::{Chunking, Engine, Error, Language, Mode, Options, Query, Result, Took};
use serde::Serialize;

use super::collection::{Encode, Ranking, add, holds_nothing_else, judged_queries, of_queries};
use super::drawn::drawn;
use super::figures::Measures;
use super::file::check_place_of;
use super::index::fixed;
use super::modes::{MODES, Modes};
use super::output::Output;
use super::passages::{Asked, Judged};
use super::place::{Kept, Model};
use super::score::{self, Scored};
use super::weights::by_weight;

/// How deep a run is: trec_eval's and BEIR's custom.
const DEPTH: usize = 1000;

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
    /// Draws the evaluation as a page: one HTML file with everything in it.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
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
    #[serde(flatten)]
    modes: Modes,
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
        report: args.report.as_deref(),
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
    check_places(args)?;
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
    if args.run_out.is_some() {
        Run::check_ids(queries.iter().map(|(id, _)| id.as_str()).chain(inventory.document_ids()))?;
    }
    args.model.ensure(out)?;
    let temporary = tempfile::tempdir().map_err(failed)?;
    let path = args.index.clone().unwrap_or_else(|| temporary.path().join("index"));
    let options = Options::default().with_chunking(Chunking::Whole).with_language(args.language);
    let engine = Engine::open(&path, args.kept.apply(args.model.apply(options)))?;
    let status = engine.status()?;
    fixed("--language", Some(args.language), status.language, &path)?;
    holds_nothing_else(&engine, &status, &inventory)?;
    let encode = add(&engine, (&collection, &inventory), out)?;
    // First: a search for the same words again finds their vector remembered.
    let took_ms = time(&engine, &queries, out)?;
    let (metrics, judged) = (args.measures.metrics(), of_queries(&qrels, &queries));
    let ranking = |mode| Ranking { without_own: args.ignore_own_ids, ..Ranking::new(mode, DEPTH) };
    let runs = runs(|mode| ranking(mode).run(&engine, &queries, out), args.run_out.as_deref())?;
    let evaluate_mode =
        |mode: Mode| Ok(evaluate(&runs[mode.name()], &judged, &metrics, AveragedOver::Judged));
    let report = Report {
        collection: collection.name(),
        split,
        documents: engine.status()?.documents,
        queries: queries.len(),
        modes: Modes::of(evaluate_mode, args.per_query)?,
        inventory,
        encode,
        query_ms: Percentiles::of(&took_ms),
    };
    out.print(&report, |report| text(report, &args.measures.shown()))?;
    if let Some(file) = &args.report {
        let metric = EvaluationReport::plotted(&metrics);
        let mut page = drawn(&report.modes, &engine.status()?, DEPTH);
        page.weights = by_weight(&queries, out, |query, fusion| {
            // As deep, but only the documents that the metric looks at are fetched.
            let hybrid = ranking(Mode::Hybrid);
            let asked = Ranking { fusion: Some(fusion), limit: metric.depth(), ..hybrid };
            let mut run = Run::new();
            run.insert(&query.0, asked.of(&engine, query)?)?;
            let judged = of_queries(&judged, std::slice::from_ref(query));
            Ok(evaluate(&run, &judged, &[metric], AveragedOver::Judged).mean(metric).unwrap_or(0.0))
        })?;
        (page.collection, page.split, page.inventory) =
            (report.collection, report.split, Some(report.inventory));
        (page.encoded, page.encode_seconds) = (report.encode.documents, report.encode.seconds);
        page.texts = queries.into_iter().collect();
        page.took_ms = took_ms;
        page::write(&page, file)?;
    }
    engine.close()
}

/// Whether all that is asked for can be written, each to a file of its own.
fn check_places(args: &Args) -> Result<()> {
    check_place_of("the report's file", args.report.as_deref())?;
    let Some(file) = &args.run_out else { return Ok(()) };
    for run in MODES.map(|mode| with_mode(file, mode)) {
        check_place_of("the file of a run", Some(&run))?;
        if args.report.as_ref() == Some(&run) {
            let found = run.display().to_string();
            return Err(Error::Invalid {
                what: "the report's file",
                found,
                expected: "another than that of a run".into(),
            });
        }
    }
    Ok(())
}

/// The run of each mode by its name; written beside `file`, where one is named, once all are made.
fn runs(made: impl Fn(Mode) -> Result<Run>, file: Option<&Path>) -> Result<BTreeMap<&'static str, Run>> {
    let mut runs = BTreeMap::new();
    for mode in MODES {
        runs.insert(mode.name(), made(mode)?);
    }
    if let Some(file) = file {
        for mode in MODES {
            runs[mode.name()].write_trec(&with_mode(file, mode), &format!("retune-{}", mode.name()))?;
        }
    }
    Ok(runs)
}

/// `out.trec` of a mode is `out.dense.trec`.
fn with_mode(file: &Path, mode: Mode) -> PathBuf {
    let ending = file.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    file.with_file_name(format!("{stem}.{}{ending}", mode.name()))
}

/// Times of hybrid searches as users make them: ten documents.
pub(super) fn time(engine: &Engine, queries: &[(String, String)], out: &Output) -> Result<Vec<Took>> {
    let bar = out.bar("timing", queries.len() as u64);
    let mut times = Vec::with_capacity(queries.len());
    for (_, text) in queries {
        times.push(engine.search(&Query::new(text.as_str()).without_logging())?.took_ms);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(times)
}

impl Percentiles {
    fn of(took_ms: &[Took]) -> Percentiles {
        let mut times: Vec<f64> = took_ms.iter().map(|took| took.total).collect();
        times.sort_by(f64::total_cmp);
        Percentiles { p50: quantile(&times, 0.5), p95: quantile(&times, 0.95) }
    }
}

fn text(report: &Report, shown: &[Metric]) -> String {
    let Report { collection, split, documents, queries, encode, query_ms, .. } = report;
    let mut text = report.modes.lines();
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
        report.modes.table(shown),
        encode.documents,
        encode.seconds,
        query_ms.p50,
        query_ms.p95
    ));
    text
}

pub(super) fn failed(source: std::io::Error) -> Error {
    Error::Io { doing: "create a folder in", path: std::env::temp_dir(), source }
}
