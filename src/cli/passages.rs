//! `retune eval --folder DIR --queries FILE --passages FILE`: an index of a folder, by judged stretches of its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use retune::eval::{Metric, Passages, Queries, Shown};
use retune::page::{self, EvaluationReport};
use retune::{Engine, Error, Fusion, Mode, Options, Query, Result};
use serde::Serialize;

use super::drawn::drawn;
use super::eval::time;
use super::file::check_place_of;
use super::modes::Modes;
use super::output::Output;
use super::place::Model;
use super::weights::by_weight;

/// Hits of a query that are scored.
const DEPTH: usize = 100;
/// What a folder is measured by unless `--metrics` says otherwise.
const METRICS: [Metric; 4] =
    [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::SuccessAt(3), Metric::RecallAt(10)];

#[derive(clap::Args)]
pub(super) struct Judged {
    /// A folder that `retune index` has indexed, to be scored by judged passages instead of a collection.
    #[arg(long, value_name = "DIR", requires = "queries", conflicts_with_all = ["collection", "split", "limit", "run_out"])]
    folder: Option<PathBuf>,
    /// The questions: one JSON object a line with _id and text.
    #[arg(long, value_name = "FILE", requires = "passages")]
    queries: Option<PathBuf>,
    /// Judged stretches of the folder's files: one JSON object a line with query, path, start, end, grade, digest.
    #[arg(long, value_name = "FILE", requires = "folder")]
    passages: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    folder: String,
    documents: usize,
    chunks: usize,
    queries: usize,
    #[serde(flatten)]
    modes: Modes,
}

/// What is measured, where and how it is told.
pub(super) struct Asked<'a> {
    pub(super) index: Option<&'a Path>,
    pub(super) model: &'a Model,
    pub(super) metrics: Option<Vec<Metric>>,
    pub(super) per_query: bool,
    /// Where its page is to be.
    pub(super) report: Option<&'a Path>,
}

impl Judged {
    /// The folder that was asked for, if it was one.
    pub(super) fn run(&self, asked: &Asked<'_>, out: &Output) -> Option<Result<()>> {
        let (folder, queries, passages) =
            (self.folder.as_deref()?, self.queries.as_deref()?, self.passages.as_deref()?);
        Some(run((folder, queries, passages), asked, out))
    }
}

fn run((folder, queries, passages): (&Path, &Path, &Path), asked: &Asked<'_>, out: &Output) -> Result<()> {
    check_place_of("the report's file", asked.report)?;
    let judged = Passages::read(passages)?;
    judged.check(folder)?;
    let texts = texts(queries, &judged)?;
    let index = asked.index.map_or_else(|| folder.join(".retune"), Path::to_path_buf);
    let engine = Engine::open_read_only(&index, asked.model.apply(Options::default()))?;
    // First: a search for the same words again finds their vector remembered.
    let took_ms = asked.report.map(|_| time(&engine, &texts, out)).transpose()?;
    let metrics = asked.metrics.clone().unwrap_or_else(|| METRICS.to_vec());
    let evaluate = |mode: Mode| {
        let bar = out.bar(mode.name(), texts.len() as u64);
        let mut answers = BTreeMap::new();
        for query in &texts {
            answers.insert(query.0.clone(), shown(&engine, query, mode, None)?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(judged.evaluate(&answers, &metrics))
    };
    let modes = Modes::of(evaluate, asked.per_query)?;
    let status = engine.status()?;
    let report = Report {
        folder: folder.display().to_string(),
        documents: status.documents,
        chunks: status.chunks,
        queries: texts.len(),
        modes,
    };
    out.print(&report, |Report { folder, documents, chunks, queries, modes }| {
        let (lines, table) = (modes.lines(), modes.table(&metrics));
        format!("{lines}{folder}: {documents} documents, {chunks} chunks, {queries} questions\n\n{table}")
    })?;
    if let Some(file) = asked.report {
        let metric = EvaluationReport::plotted(&metrics);
        let mut page = drawn(&report.modes, &status, DEPTH);
        page.weights = by_weight(&texts, out, |query, fusion| {
            let shown = shown(&engine, query, Mode::Hybrid, Some(fusion))?;
            Ok(judged.measure(&query.0, &shown, &[metric]).iter().sum())
        })?;
        (page.collection, page.split) = (report.folder, passages.display().to_string());
        page.took_ms = took_ms.unwrap_or_default();
        page.texts = texts.into_iter().collect();
        page::write(&page, file)?;
    }
    engine.close()
}

/// What a query, which has an id and a text, shows.
fn shown(
    engine: &Engine,
    (_, text): &(String, String),
    mode: Mode,
    fusion: Option<Fusion>,
) -> Result<Vec<Shown>> {
    let mut query = Query::new(text.as_str()).with_limit(DEPTH).with_mode(mode);
    query.fusion = fusion;
    let hits = engine.search(&query.without_logging().without_highlights())?.hits.into_iter();
    Ok(hits.map(|hit| Shown { path: hit.document, bytes: hit.start..hit.end }).collect())
}

/// The judged queries, with their ids.
fn texts(queries: &Path, judged: &Passages) -> Result<Vec<(String, String)>> {
    let mut texts = BTreeMap::new();
    for query in Queries::open(queries)? {
        let query = query?;
        texts.insert(query.id, query.text);
    }
    if let Some(unknown) = judged.queries().find(|query| !texts.contains_key(*query)) {
        return Err(Error::Invalid {
            what: "the passages",
            found: format!("a judgement for {unknown}, which {} does not have", queries.display()),
            expected: "judgements of the queries alone".into(),
        });
    }
    texts.retain(|id, _| judged.queries().any(|query| query == id));
    Ok(texts.into_iter().collect())
}
