//! `retune demo`: the whole loop on a handbook that is built into the program.

use std::path::PathBuf;
use std::time::Instant;

use include_dir::{Dir, include_dir};
use retune::eval::{Metric, Split};
use retune::measure::{ByMode, replay, score_modes};
use retune::{Engine, Error, LearnOptions, Mode, Options, Result, RoundReport};
use serde::Serialize;

use super::args::{Model, Scratch};
use super::print::{Bars, Output, round_text};

/// 99 documents of a canal authority, with judged queries in the words of its staff.
static HANDBOOK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/handbook");

const METRIC: Metric = Metric::MrrAt(10);
/// Documents that each side proposes.
const DEPTH: usize = 100;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Keep the index in this folder, which must not exist. Default: a temporary folder.
    #[arg(long, value_name = "PATH")]
    index: Option<PathBuf>,
    #[command(flatten)]
    model: Model,
}

#[derive(Serialize)]
struct Report {
    documents: usize,
    train_queries: usize,
    test_queries: usize,
    before: ByMode<f64>,
    after: ByMode<f64>,
    round: RoundReport,
    seconds: f64,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let started = Instant::now();
    if let Some(path) = args.index.as_deref().filter(|path| path.exists()) {
        return Err(Error::Invalid {
            what: "--index",
            found: format!("{}, which exists", path.display()),
            expected: "a new folder: the demo learns, and must not change an index of yours".into(),
        });
    }
    args.model.ensure()?;
    let scratch = Scratch::new()?;
    let handbook = scratch.folder("handbook", |folder| HANDBOOK.extract(folder))?;
    let (train, test) = (Split::read_beir(&handbook, "train")?, Split::read_beir(&handbook, "test")?);
    let path = args.index.clone().unwrap_or_else(|| scratch.join("index"));
    let engine = Engine::open(path, args.model.apply(Options::default()))?;

    let mut bars = Bars::default();
    let indexed =
        engine.index_folder(&handbook.join("documents"), &mut |progress| bars.show_indexing(progress))?;
    bars.clear();
    out.say(&format!("indexed {} documents in {:.1} s", indexed.read, indexed.seconds));

    let (train_queries, test_queries) = (train.queries.len(), test.queries.len());
    let before = scores(&engine, &test, &mut bars)?;
    let table = table(&before, None);
    out.say(&format!("\nMRR@10 on {test_queries} test queries, as the model comes:\n{table}"));
    replay(&engine, &train, &mut |progress| bars.show(progress))?;
    bars.clear();
    out.say(&format!("\nasked {train_queries} other queries and picked the right document of each"));
    let round = engine.learn(&LearnOptions::default(), &mut |progress| bars.show_learning(progress))?;
    bars.clear();
    out.say(&format!("\n{}", round_text(&round)));
    let after = scores(&engine, &test, &mut bars)?;
    let seconds = started.elapsed().as_secs_f64();
    let documents = indexed.read;
    out.print(&Report { documents, train_queries, test_queries, before, after, round, seconds }, text)?;
    engine.close()
}

fn scores(engine: &Engine, test: &Split, bars: &mut Bars) -> Result<ByMode<f64>> {
    let scores = score_modes(engine, test, DEPTH, &[METRIC], &mut |progress| bars.show(progress))?;
    bars.clear();
    Ok(scores.map(|evaluation| evaluation.mean(METRIC).unwrap_or(0.0)))
}

fn text(report: &Report) -> String {
    let table = table(&report.after, Some(&report.before));
    let seconds = report.seconds;
    format!("\nMRR@10 on the same test queries, after learning:\n{table}\n\nall of it took {seconds:.0} s")
}

fn table(scores: &ByMode<f64>, before: Option<&ByMode<f64>>) -> String {
    let line = |mode: Mode| {
        let now = scores.get(mode);
        match before.map(|before| before.get(mode)) {
            None => format!("  {:8} {now:.4}", mode.name()),
            Some(was) => format!("  {:8} {was:.4} → {now:.4}  ({:+.4})", mode.name(), now - was),
        }
    };
    [Mode::Hybrid, Mode::Lexical, Mode::Dense].map(line).join("\n")
}
