//! `retune demo`: the whole loop on a handbook that is built into the program.

use std::path::PathBuf;
use std::time::Instant;

use include_dir::{Dir, include_dir};
use retune::eval::{Evaluation, Interval, Metric, SEED, Split};
use retune::measure::{ByMode, replay, score_modes};
use retune::{Engine, Error, LearnOptions, Mode, Options, Result, RoundReport};
use serde::Serialize;

use super::args::{Model, Scratch};
use super::print::{Bars, Output, Text, cell, round_text};

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
    intervals: Intervals,
    round: RoundReport,
    seconds: f64,
    #[serde(skip)]
    evaluations: Evaluations,
}

/// The 95 % intervals of the means.
#[derive(Serialize)]
struct Intervals {
    before: ByMode<Option<Interval>>,
    after: ByMode<Option<Interval>>,
}

struct Evaluations {
    before: ByMode<Evaluation>,
    after: ByMode<Evaluation>,
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
    let engine = Engine::open(path, args.model.apply(Options::default().with_trial_share(0.0)))?;

    let mut bars = Bars::default();
    let indexed =
        engine.index_folder(&handbook.join("documents"), &mut |progress| bars.show_indexing(progress))?;
    bars.clear();
    out.say(&Text::of(format!("indexed {} documents in {:.1} s", indexed.read, indexed.seconds)));

    let (train_queries, test_queries) = (train.queries.len(), test.queries.len());
    let before = scores(&engine, &test, &mut bars)?;
    let head = format!("MRR@10 on {test_queries} test queries, as the model comes, with 95 % intervals:");
    out.say(&below(head, table(&before, None)));
    replay(&engine, &train, &mut |progress| bars.show(progress))?;
    bars.clear();
    let asked = format!("asked {train_queries} other queries and picked the right document of each");
    out.say(&below(asked, Text::default()));
    let round = engine.learn(&LearnOptions::default(), &mut |progress| bars.show_learning(progress))?;
    bars.clear();
    out.say(&below(String::new(), round_text(&round)));
    let after = scores(&engine, &test, &mut bars)?;
    let seconds = started.elapsed().as_secs_f64();
    let documents = indexed.read;
    let mean = |evaluation: &Evaluation| evaluation.mean(METRIC).unwrap_or(0.0);
    let interval = |evaluation: &Evaluation| evaluation.interval(METRIC, SEED);
    let report = Report {
        documents,
        train_queries,
        test_queries,
        before: before.map(mean),
        after: after.map(mean),
        intervals: Intervals { before: before.map(interval), after: after.map(interval) },
        round,
        seconds,
        evaluations: Evaluations { before, after },
    };
    out.print(&report, text)?;
    engine.close()
}

fn scores(engine: &Engine, test: &Split, bars: &mut Bars) -> Result<ByMode<Evaluation>> {
    let scores = score_modes(engine, test, DEPTH, &[METRIC], &mut |progress| bars.show(progress))?;
    bars.clear();
    Ok(scores)
}

/// An empty line, a head unless it is empty, and a text.
fn below(head: String, text: Text) -> Text {
    let mut all = Text::of("");
    if !head.is_empty() {
        all.line(head);
    }
    all.append(text);
    all
}

fn text(report: &Report) -> Text {
    let Evaluations { before, after } = &report.evaluations;
    let mut text =
        below("MRR@10 on the same test queries, after learning:".into(), table(after, Some(before)));
    text.append(below(format!("all of it took {:.0} s", report.seconds), Text::default()));
    text
}

fn table(scores: &ByMode<Evaluation>, before: Option<&ByMode<Evaluation>>) -> Text {
    let mut text = Text::default();
    for mode in [Mode::Hybrid, Mode::Lexical, Mode::Dense] {
        let (name, now) = (mode.name(), scores.get(mode));
        let shown = cell(now, METRIC);
        text.line(match before.map(|before| before.get(mode)) {
            None => format!("  {name:8} {}", shown.trim_end()),
            Some(was) => {
                let mean = |evaluation: &Evaluation| evaluation.mean(METRIC).unwrap_or(0.0);
                let (before, change) = (cell(was, METRIC), mean(now) - mean(was));
                format!("  {name:8} {} → {shown} {change:+.4}", before.trim_end())
            }
        });
    }
    text
}
