//! `retune eval --collection DIR`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use clap::builder::RangedU64ValueParser;
use retune::eval::{AveragedOver, Collection, Metric, Qrels, Run, evaluate};
use retune::{Chunking, Document, Engine, Error, Language, Mode, Options, Query, Result, Status};
use serde::Serialize;

use super::index::fixed;
use super::output::Output;
use super::place::Model;

/// How deep a run is: trec_eval's and BEIR's custom.
const DEPTH: usize = 1000;
/// Documents that are added in one commit.
const COMMIT: usize = 512;
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

/// A map from a metric's name to its mean.
type Figures = BTreeMap<String, f64>;

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
struct Encode {
    documents: usize,
    seconds: f64,
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
        modes.insert(mode.name(), measure(&engine, &queries, &qrels, mode, out)?);
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

/// Refuses, before anything is added, an index that is not this collection's or the beginning of one.
fn holds_nothing_else(engine: &Engine, status: &Status, collection: &Collection) -> Result<()> {
    let mut others: BTreeSet<String> = engine.documents()?.into_iter().collect();
    for document in collection.documents()? {
        others.remove(&document?.id);
    }
    if others.is_empty() && status.chunking == Chunking::Whole {
        return Ok(());
    }
    let found = match others.first() {
        Some(other) => {
            format!("an index of other documents too ({} of them, such as {other:?})", others.len())
        }
        None => "an index of passages".into(),
    };
    Err(Error::Invalid { what: "--index", found, expected: "one of this collection, or a new folder".into() })
}

/// The queries that the qrels judge, in the order of the file, with their ids.
fn judged_queries(
    collection: &Collection,
    qrels: &Qrels,
    limit: Option<usize>,
) -> Result<Vec<(String, String)>> {
    let mut queries = Vec::new();
    for query in collection.queries()? {
        let query = query?;
        if qrels.judgements(&query.id).is_some() {
            queries.push((query.id, query.text));
        }
    }
    queries.truncate(limit.unwrap_or(usize::MAX));
    match queries.is_empty() {
        false => Ok(queries),
        true => Err(Error::Invalid {
            what: "the collection",
            found: "no query that is judged".into(),
            expected: "queries.jsonl and the qrels to share query ids, and a limit of 1 or more".into(),
        }),
    }
}

fn add(engine: &Engine, collection: &Collection, out: &Output) -> Result<Encode> {
    let started = Instant::now();
    let bar = out.spinner();
    let mut encode = Encode { documents: 0, seconds: 0.0 };
    let mut pending = Vec::new();
    let mut documents = collection.documents()?;
    loop {
        let next = documents.next().transpose()?;
        let done = next.is_none();
        // Collections have documents without a text. They can't be found, and count as not found.
        let next = next.filter(|one| !(one.text.trim().is_empty() && one.title.trim().is_empty()));
        pending.extend(next.map(|one| Document::new(one.id, one.text).with_title(one.title)));
        if pending.len() >= COMMIT || done {
            let before = encode.documents;
            let added = engine.add_with(std::mem::take(&mut pending), &mut |chunks| {
                encode.documents += chunks;
                bar.set_message(format!("{} documents encoded", encode.documents));
            })?;
            encode.documents = before + added.chunks_encoded;
        }
        if done {
            break;
        }
    }
    bar.finish_and_clear();
    encode.seconds = started.elapsed().as_secs_f64();
    Ok(encode)
}

fn measure(
    engine: &Engine,
    queries: &[(String, String)],
    qrels: &Qrels,
    mode: Mode,
    out: &Output,
) -> Result<Figures> {
    let bar = out.bar(mode.name(), queries.len() as u64);
    let (mut run, mut judged) = (Run::new(), Qrels::new());
    for (id, text) in queries {
        let asked = Query::new(text.as_str()).with_limit(DEPTH).with_candidates(DEPTH).with_mode(mode);
        let answer = engine.search(&asked.without_logging())?;
        run.insert(id, answer.hits.into_iter().map(|hit| (hit.document, hit.score)).collect())?;
        for (document, &relevance) in qrels.judgements(id).into_iter().flatten() {
            judged.insert(id, document, relevance);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let evaluation = evaluate(&run, &judged, &METRICS, AveragedOver::Judged);
    Ok(METRICS.iter().map(|metric| (metric.to_string(), evaluation.mean(*metric).unwrap_or(0.0))).collect())
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
