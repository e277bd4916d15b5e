//! `retune demo`: the whole loop on a handbook that comes with the program.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use include_dir::{Dir, include_dir};
use retune::eval::{AveragedOver, Metric, Qrels, Queries, Run, evaluate};
use retune::{Engine, Error, LearnOptions, Mode, Options, Query, Result, RoundReport, Verdict};
use serde::Serialize;

use super::eval::failed;
use super::learn;
use super::output::Output;
use super::place::Model;

/// 99 documents of a canal authority, with judged queries in its staff's own words.
static HANDBOOK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/handbook");

const MODES: [Mode; 3] = [Mode::Hybrid, Mode::Lexical, Mode::Dense];
const METRIC: Metric = Metric::MrrAt(10);

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where to keep the index: a new folder. Default: a temporary one.
    #[arg(long, value_name = "PATH")]
    index: Option<PathBuf>,
    #[command(flatten)]
    model: Model,
}

/// MRR@10 on the test queries, by mode.
type Scores = BTreeMap<&'static str, f64>;

#[derive(Serialize)]
struct Report {
    documents: usize,
    train_queries: usize,
    test_queries: usize,
    before: Scores,
    after: Scores,
    round: RoundReport,
    seconds: f64,
}

/// Queries with their ids, and what answers them.
struct Split {
    queries: Vec<(String, String)>,
    qrels: Qrels,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let started = Instant::now();
    if let Some(path) = args.index.as_deref().filter(|path| path.exists()) {
        return Err(Error::Invalid {
            what: "--index",
            found: format!("{}, which exists", path.display()),
            expected: "a new folder: the demo learns, and must not do so to an index of yours".into(),
        });
    }
    args.model.ensure(out)?;
    let temporary = tempfile::tempdir().map_err(failed)?;
    let handbook = temporary.path().join("handbook");
    fs::create_dir(&handbook).and_then(|()| HANDBOOK.extract(&handbook)).map_err(failed)?;
    let (train, test) = (read_split(&handbook, "train")?, read_split(&handbook, "test")?);
    let path = args.index.clone().unwrap_or_else(|| temporary.path().join("index"));
    let engine = Engine::open(path, args.model.apply(Options::default()))?;

    let spinner = out.spinner();
    let indexed = engine.index_folder(&handbook.join("documents"), &mut |progress| {
        spinner.set_message(format!("{} chunks encoded", progress.chunks));
        ControlFlow::Continue(())
    });
    spinner.finish_and_clear();
    let indexed = indexed?;
    out.say(&format!("indexed {} documents in {:.1} s", indexed.read, indexed.seconds));

    let before = measure(&engine, &test)?;
    out.say(&format!(
        "\nMRR@10 on {} test queries, as the model comes:\n{}",
        test.queries.len(),
        table(&before, None)
    ));
    replay(&engine, &train, out)?;
    out.say(&format!("\nasked {} other queries and picked the right document of each", train.queries.len()));
    let round = learn::round(&engine, &LearnOptions::default(), out)?;
    out.say(&format!("\n{}", learn::text(&round)));
    let after = measure(&engine, &test)?;
    let report = Report {
        documents: indexed.read,
        train_queries: train.queries.len(),
        test_queries: test.queries.len(),
        before,
        after,
        round,
        seconds: started.elapsed().as_secs_f64(),
    };
    out.print(&report, |report| {
        let table = table(&report.after, Some(&report.before));
        format!(
            "\nMRR@10 on the same test queries, after learning:\n{table}\n\nall of it took {:.0} s",
            report.seconds
        )
    })?;
    engine.close()
}

fn read_split(handbook: &Path, split: &str) -> Result<Split> {
    let qrels = Qrels::read_beir(&handbook.join("qrels").join(format!("{split}.tsv")))?;
    let mut queries = Vec::new();
    for query in Queries::open(&handbook.join("queries.jsonl"))? {
        let query = query?;
        if qrels.judgements(&query.id).is_some() {
            queries.push((query.id, query.text));
        }
    }
    Ok(Split { queries, qrels })
}

fn measure(engine: &Engine, split: &Split) -> Result<Scores> {
    let mut scores = Scores::new();
    for mode in MODES {
        let mut run = Run::new();
        for (id, text) in &split.queries {
            let answer = engine.search(&Query::new(text.as_str()).with_mode(mode).without_logging())?;
            run.insert(id, answer.hits.into_iter().map(|hit| (hit.document, hit.score)).collect())?;
        }
        let evaluation = evaluate(&run, &split.qrels, &[METRIC], AveragedOver::Judged);
        scores.insert(mode.name(), evaluation.mean(METRIC).unwrap_or(0.0));
    }
    Ok(scores)
}

/// Asks every query and picks the right document: of several, the one that stands highest.
fn replay(engine: &Engine, split: &Split, out: &Output) -> Result<()> {
    let bar = out.bar("searching, judging", split.queries.len() as u64);
    for (id, text) in &split.queries {
        let answer = engine.search(&Query::new(text.as_str()))?;
        let is_right = |document: &str| split.qrels.get(id, document).is_some_and(|relevance| relevance > 0);
        let shown = answer.hits.iter().map(|hit| hit.document.as_str()).find(|document| is_right(document));
        let known = split.qrels.judgements(id).into_iter().flatten().map(|(document, _)| document.as_str());
        // A user who doesn't find the right document among the hits knows it all the same.
        let right = shown.or_else(|| known.into_iter().find(|document| is_right(document)));
        let right = right.ok_or_else(|| Error::Invalid {
            what: "the handbook's qrels",
            found: format!("no answer to query {id}"),
            expected: "one at least".into(),
        })?;
        engine.judge(answer.query_id, right, Verdict::Chosen)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn table(scores: &Scores, before: Option<&Scores>) -> String {
    let line = |mode: &Mode| {
        let score = |scores: &Scores| scores.get(mode.name()).copied().unwrap_or(0.0);
        let now = score(scores);
        match before.map(score) {
            None => format!("  {:8} {now:.4}", mode.name()),
            Some(was) => format!("  {:8} {was:.4} → {now:.4}  ({:+.4})", mode.name(), now - was),
        }
    };
    MODES.iter().map(line).collect::<Vec<_>>().join("\n")
}
