//! `retune simulate --collection DIR`: users as models, rounds as they would be.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use retune::eval::{ClickModel, Collection, Evaluation, Inventory, Metric, Qrels, compare};
use retune::{
    Chunking, Decision, Engine, Error, Language, LearnOptions, Mode, Options, Query, Result, Tier, Verdict,
    normalise_query,
};
use serde::Serialize;

use super::collection::{add, holds_nothing_else, judged_queries, measure};
use super::eval::failed;
use super::figures::{Figures, figures};
use super::index::fixed;
use super::learn;
use super::learning::Learning;
use super::modes::MODES;
use super::output::Output;
use super::place::{Kept, Model};

/// Documents of a ranking that is measured.
const DEPTH: usize = 100;
const METRICS: [Metric; 3] = [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::RecallAt(100)];
/// What the paired test is of, in the hybrid.
const TESTED: Metric = Metric::NdcgAt(10);

#[derive(clap::Args)]
pub(super) struct Args {
    /// A test collection with the splits train, which users ask, and test, which nobody learns from.
    #[arg(long, value_name = "DIR")]
    collection: PathBuf,
    /// How often to learn.
    #[arg(long, default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    rounds: usize,
    /// Queries that users ask before each round. Default: an even share of all.
    #[arg(long, value_name = "M", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    queries_per_round: Option<usize>,
    /// How users pick: perfect, cascade or noisy.
    #[arg(long, default_value = "perfect")]
    clicks: ClickModel,
    /// Of the order of the queries, the picks and the training.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Another collection, which must not get worse: measured with each encoder, without learning from it.
    #[arg(long, value_name = "DIR")]
    guard: Option<PathBuf>,
    /// Where to keep the index; one of the collection that has not learnt yet is used. Default: a temporary folder.
    #[arg(long, value_name = "PATH")]
    index: Option<PathBuf>,
    /// Language of the documents, for stemming; "none" for no stemming.
    #[arg(long, default_value = "english")]
    language: Language,
    #[command(flatten)]
    learning: Learning,
    #[command(flatten)]
    model: Model,
    #[command(flatten)]
    kept: Kept,
}

/// Means by mode and metric.
type Scores = BTreeMap<&'static str, Figures>;

#[derive(Serialize)]
struct Report {
    collection: String,
    clicks: &'static str,
    seed: u64,
    rounds: Vec<Round>,
}

#[derive(Serialize)]
struct Round {
    /// 0 before anything was learnt.
    round: u64,
    judgements: u64,
    decision: Option<Decision>,
    tier: Option<Tier>,
    reason: String,
    negatives: BTreeMap<String, u64>,
    test: Scores,
    /// Of the hybrid's nDCG@10 against round 0.
    p_value: Option<f64>,
    guard: Option<Scores>,
    seconds: Seconds,
}

#[derive(Serialize, Default)]
struct Seconds {
    train: f64,
    gate: f64,
    reindex: f64,
}

/// Queries with their ids, and what answers them.
struct Split {
    queries: Vec<(String, String)>,
    qrels: Qrels,
}

impl Split {
    fn read(collection: &Collection, name: &str) -> Result<Split> {
        let qrels = collection.qrels(name)?;
        Ok(Split { queries: judged_queries(collection, &qrels, None)?, qrels })
    }

    /// Leaves out the queries that `other` has too, in whatever spelling; returns how many.
    fn leave_out(&mut self, other: &Split) -> Result<usize> {
        let texts: HashSet<String> = other.queries.iter().map(|(_, text)| normalise_query(text)).collect();
        let before = self.queries.len();
        self.queries.retain(|(_, text)| !texts.contains(&normalise_query(text)));
        match self.queries.is_empty() {
            true => Err(Error::Invalid {
                what: "the split train",
                found: format!("{before} queries, all of which the split test has too"),
                expected: "queries that nobody is measured by".into(),
            }),
            false => Ok(before - self.queries.len()),
        }
    }
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let collection = Collection::open(&args.collection)?;
    let (mut train, test) = (Split::read(&collection, "train")?, Split::read(&collection, "test")?);
    let inventory = Inventory::of(&collection, &test.qrels)?;
    let guard = args.guard.as_ref().map(Collection::open).transpose()?;
    if let Some(guard) = &guard {
        // It is measured after hours, perhaps: a wrong line is known now.
        Inventory::of(guard, &Split::read(guard, "test")?.qrels)?;
    }
    let mut options = args.learning.options(args.model.precision);
    options.train = options.train.with_seed(args.seed);
    options.validate()?;
    let shared = train.leave_out(&test)?;
    args.model.ensure(out)?;
    let temporary = tempfile::tempdir().map_err(failed)?;
    let path = args.index.clone().unwrap_or_else(|| temporary.path().join("index"));
    let engine = open(&path, args)?;
    let status = engine.status()?;
    fixed("--language", Some(args.language), status.language, &path)?;
    holds_nothing_else(&engine, &status, &inventory)?;
    let asked = status.feedback.as_ref().is_some_and(|log| log.impressions > 0);
    if asked || status.generation.id.0 > 1 {
        return Err(Error::Invalid {
            what: "--index",
            found: format!("{}, which has been used", path.display()),
            expected:
                "a new folder, or an index that `retune eval` has made: users begin with an untrained engine"
                    .into(),
        });
    }
    if shared > 0 {
        out.say(&format!("{shared} train queries are not asked: the test queries have the same text"));
    }
    add(&engine, (&collection, &inventory), out)?;

    train.queries.shuffle(&mut ChaCha8Rng::seed_from_u64(args.seed));
    let share = train.queries.len().div_ceil(args.rounds);
    let per_round = args.queries_per_round.unwrap_or(share);
    let (first, scores) = measure_all(&engine, &test, out)?;
    let guarded = guard.as_ref().map(|guard| measure_guard(&engine, guard, args, out)).transpose()?;
    let mut rounds = vec![Round::untrained(scores, guarded)];
    out.say(&line(&rounds[0]));
    let mut asked = train.queries.iter().cycle();
    for round in 1..=args.rounds {
        for (number, (id, text)) in asked.by_ref().take(per_round).enumerate() {
            ask(
                &engine,
                (id, text),
                &train.qrels,
                args.clicks,
                args.seed ^ (round * per_round + number) as u64,
            )?;
        }
        let last = rounds.last().and_then(|round| round.guard.clone());
        let done = learn_and_measure(&engine, &options, (&test, &first), (guard.as_ref(), last), args, out)?;
        out.say(&line(&done));
        rounds.push(done);
    }
    let report =
        Report { collection: collection.name(), clicks: args.clicks.name(), seed: args.seed, rounds };
    out.print(&report, |report| {
        let of = |round: &Round| round.test["hybrid"][&TESTED.to_string()];
        let (first, last) = (of(&report.rounds[0]), report.rounds.last().map_or(0.0, of));
        format!("{}: hybrid {TESTED} {first:.4} → {last:.4}", report.collection)
    })?;
    engine.close()
}

fn open(path: &Path, args: &Args) -> Result<Engine> {
    let options = Options::default().with_chunking(Chunking::Whole).with_language(args.language);
    Engine::open(path, args.kept.apply(args.model.apply(options)))
}

/// A user asks a query of the collection and picks.
fn ask(
    engine: &Engine,
    (id, text): (&str, &str),
    qrels: &Qrels,
    clicks: ClickModel,
    seed: u64,
) -> Result<()> {
    let answer = engine.search(&Query::new(text))?;
    let is_right = |document: &str| qrels.get(id, document).is_some_and(|relevance| relevance > 0);
    let relevant: Vec<bool> = answer.hits.iter().map(|hit| is_right(&hit.document)).collect();
    let picked = clicks.clicks(&relevant, seed);
    for &place in &picked {
        engine.judge(answer.query_id, &answer.hits[place].document, Verdict::Chosen)?;
    }
    // Who knows everything knows what was not shown, too.
    if clicks == ClickModel::Perfect && picked.is_empty() {
        let known = qrels.judgements(id).into_iter().flatten().map(|(document, _)| document);
        if let Some(document) = known.into_iter().find(|document| is_right(document)) {
            engine.judge(answer.query_id, document, Verdict::Chosen)?;
        }
    }
    Ok(())
}

fn learn_and_measure(
    engine: &Engine,
    options: &LearnOptions,
    (test, first): (&Split, &Evaluation),
    (guard, last_guard): (Option<&Collection>, Option<Scores>),
    args: &Args,
    out: &Output,
) -> Result<Round> {
    let learnt = learn::round(engine, options, out)?;
    out.say(&learn::text(&learnt));
    let (evaluation, scores) = measure_all(engine, test, out)?;
    let p_value = compare(first, &evaluation, TESTED, args.seed)?.p_value;
    let guarded = match (guard, learnt.tier) {
        (Some(guard), Some(_)) => Some(measure_guard(engine, guard, args, out)?),
        _ => last_guard,
    };
    Ok(Round {
        round: learnt.round,
        judgements: engine.status()?.feedback.map_or(0, |log| log.judgements),
        decision: Some(learnt.gate.decision),
        tier: learnt.tier,
        reason: learnt.gate.reason,
        negatives: learnt.sources,
        test: scores,
        p_value: Some(p_value),
        guard: guarded,
        seconds: Seconds {
            train: learnt.seconds.train,
            gate: learnt.seconds.gate,
            reindex: learnt.seconds.reindex,
        },
    })
}

/// Every mode on the test queries; the hybrid query by query.
fn measure_all(engine: &Engine, test: &Split, out: &Output) -> Result<(Evaluation, Scores)> {
    let mut scores = Scores::new();
    let mut of = |mode: Mode| -> Result<Evaluation> {
        let evaluation = measure(engine, &test.queries, &test.qrels, mode, DEPTH, &METRICS, out)?;
        scores.insert(mode.name(), figures(&evaluation));
        Ok(evaluation)
    };
    of(Mode::Lexical)?;
    of(Mode::Dense)?;
    let hybrid = of(Mode::Hybrid)?;
    Ok((hybrid, scores))
}

/// The test queries of another collection, in an index made with this engine's encoders and fusion.
fn measure_guard(engine: &Engine, guard: &Collection, args: &Args, out: &Output) -> Result<Scores> {
    let folder = tempfile::tempdir().map_err(failed)?;
    let options = args
        .model
        .apply(Options::default().with_chunking(Chunking::Whole).with_language(args.language))
        .with_fusion(engine.status()?.generation.fusion)
        .with_model(engine.model_folder());
    let other = Engine::open(folder.path().join("index"), options)?;
    let test = Split::read(guard, "test")?;
    add(&other, (guard, &Inventory::of(guard, &test.qrels)?), out)?;
    other.adopt_query_side(engine)?;
    let (_, scores) = measure_all(&other, &test, out)?;
    other.close()?;
    Ok(scores)
}

impl Round {
    fn untrained(test: Scores, guard: Option<Scores>) -> Round {
        Round {
            round: 0,
            judgements: 0,
            decision: None,
            tier: None,
            reason: String::new(),
            negatives: BTreeMap::new(),
            test,
            p_value: None,
            guard,
            seconds: Seconds::default(),
        }
    }
}

fn line(round: &Round) -> String {
    let scores = |scores: &Scores| {
        let of = |mode: &Mode| format!("{} {:.4}", mode.name(), scores[mode.name()][&TESTED.to_string()]);
        MODES.iter().map(of).collect::<Vec<_>>().join(", ")
    };
    let mut text =
        format!("round {}, {} judgements: {TESTED} {}", round.round, round.judgements, scores(&round.test));
    if let Some(p_value) = round.p_value {
        text.push_str(&format!(", p {p_value:.4}"));
    }
    if let Some(guard) = &round.guard {
        text.push_str(&format!("; guard {}", scores(guard)));
    }
    text
}
