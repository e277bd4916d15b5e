//! `retune eval --collection DIR`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use retune::eval::{Collection, Metric};
use retune::{Chunking, Engine, Error, Language, Mode, Options, Query, Result};
use serde::Serialize;

use super::collection::{Encode, Figures, add, figures, holds_nothing_else, judged_queries, measure};
use super::index::fixed;
use super::output::Output;
use super::place::Model;

/// How deep a run is: trec_eval's and BEIR's custom.
const DEPTH: usize = 1000;
const MODES: [Mode; 3] = [Mode::Lexical, Mode::Dense, Mode::Hybrid];
const METRICS: [Metric; 4] = [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::Map, Metric::RecallAt(100)];

#[derive(clap::Args)]
pub(super) struct Args {
    /// A folder in BEIR layout: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv.
    #[arg(long, value_name = "DIR")]
    collection: PathBuf,
    /// Which judgements: the name of a file in qrels.
    #[arg(long, default_value = "test")]
    split: String,
    /// Only the first N queries. All documents are indexed all the same.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    limit: Option<usize>,
    /// Where to keep the index; one that is there already is used. Default: a temporary folder.
    #[arg(long, value_name = "PATH")]
    index: Option<PathBuf>,
    /// Language of the documents, for stemming; "none" for no stemming.
    #[arg(long, default_value = "english")]
    language: Language,
    #[command(flatten)]
    model: Model,
}

#[derive(Serialize)]
struct Report {
    collection: String,
    split: String,
    documents: usize,
    queries: usize,
    modes: BTreeMap<&'static str, Figures>,
    encode: Encode,
    query_ms: Percentiles,
}

#[derive(Serialize)]
struct Percentiles {
    p50: f64,
    p95: f64,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let collection = Collection::open(&args.collection)?;
    let qrels = collection.qrels(&args.split)?;
    let queries = judged_queries(&collection, &qrels, args.limit)?;
    args.model.ensure(out)?;
    let temporary = tempfile::tempdir().map_err(failed)?;
    let path = args.index.clone().unwrap_or_else(|| temporary.path().join("index"));
    let options = Options::default().with_chunking(Chunking::Whole).with_language(args.language);
    let engine = Engine::open(&path, args.model.apply(options))?;
    let status = engine.status()?;
    fixed("--language", Some(args.language), status.language, &path)?;
    holds_nothing_else(&engine, &status, &collection)?;
    let encode = add(&engine, &collection, out)?;
    // First: a search for the same words again finds their vector remembered.
    let query_ms = time(&engine, &queries, out)?;
    let mut modes = BTreeMap::new();
    for mode in MODES {
        let evaluation = measure(&engine, &queries, &qrels, mode, DEPTH, &METRICS, out)?;
        modes.insert(mode.name(), figures(&evaluation, &METRICS));
    }
    let report = Report {
        collection: collection.name(),
        split: args.split.clone(),
        documents: engine.status()?.documents,
        queries: queries.len(),
        modes,
        encode,
        query_ms,
    };
    out.print(&report, text)?;
    engine.close()
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

fn text(report: &Report) -> String {
    let mut text = format!(
        "{}/{}: {} documents, {} queries\n\n{:10}",
        report.collection, report.split, report.documents, report.queries, ""
    );
    for metric in METRICS {
        text.push_str(&format!("{:>12}", metric.to_string()));
    }
    for mode in MODES {
        text.push_str(&format!("\n{:10}", mode.name()));
        for metric in METRICS {
            let value = report.modes.get(mode.name()).and_then(|figures| figures.get(&metric.to_string()));
            text.push_str(&format!("{:>12.4}", value.copied().unwrap_or(0.0)));
        }
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
