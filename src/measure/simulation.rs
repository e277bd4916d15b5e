//! Simulated users ask the train queries and pick documents, the engine learns, and the test queries evaluate it.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::by_mode::ByMode;
use super::guard::{Measures, measure_guard};
use super::progress::Progress;
use super::scores::score_modes;
use super::simulation_report::{SimulatedRound, SimulationEvent, SimulationReport};
use super::test_set::TestSet;
use super::users::{Crowd, Users};
use crate::error::{Error, Result};
use crate::eval::{Evaluation, Figures, Metric, Query as Topic, Split, compare};
use crate::feedback::normalise_query;
use crate::{Chunking, Engine, GenerationId, LearnOptions, Options, Reader};

const METRICS: [Metric; 3] = [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::RecallAt(100)];
/// Simulated users don't wait ten minutes between two needs.
const ALL_NEEDS: u64 = u64::MAX;
const MEASURES: Measures<'_> = Measures { depth: 100, metrics: &METRICS };

/// Options of a simulation: how users behave, and how the engine learns from them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SimulationOptions {
    /// Rounds of learning. Default 1.
    pub rounds: usize,
    /// The needs of all users together, an equal share of them before each round. Default: one for each train query. If
    /// there are more, the queries come again.
    pub needs: Option<usize>,
    /// How users behave. Default: perfect.
    pub users: Users,
    /// The seed for the order of the queries, the picks and the test. Default 42.
    pub seed: u64,
    /// The options of each round.
    pub learn: LearnOptions,
    /// Options for opening the guard's index. Its documents are one chunk each; its model, fusion and query encoder are
    /// the engine's.
    pub guard_index: Options,
}

impl Default for SimulationOptions {
    fn default() -> Self {
        SimulationOptions {
            rounds: 1,
            needs: None,
            users: Users::Perfect,
            seed: 42,
            learn: LearnOptions::default(),
            guard_index: Options::default(),
        }
    }
}

impl SimulationOptions {
    /// Sets [`rounds`](SimulationOptions::rounds).
    pub fn with_rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// Sets [`needs`](SimulationOptions::needs).
    pub fn with_needs(mut self, needs: Option<usize>) -> Self {
        self.needs = needs;
        self
    }

    /// Sets [`users`](SimulationOptions::users).
    pub fn with_users(mut self, users: Users) -> Self {
        self.users = users;
        self
    }

    /// Sets [`seed`](SimulationOptions::seed).
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets [`learn`](SimulationOptions::learn).
    pub fn with_learn(mut self, learn: LearnOptions) -> Self {
        self.learn = learn;
        self
    }

    /// Sets [`guard_index`](SimulationOptions::guard_index).
    pub fn with_guard_index(mut self, options: Options) -> Self {
        self.guard_index = options;
        self
    }
}

/// A collection whose `train` split is asked and whose `test` split evaluates, optionally with another collection as a
/// guard.
#[derive(Debug, Clone)]
pub struct Simulation {
    train: Split,
    /// Number of train queries that are skipped.
    left_out: usize,
    test: TestSet,
    guard: Option<TestSet>,
}

impl Simulation {
    /// The metric for comparing rounds.
    pub const TESTED: Metric = METRICS[0];

    /// Reads a collection and its guard. Train queries that repeat a test query in any spelling are skipped.
    ///
    /// # Errors
    /// As [`TestSet::read`]; [`Error::Invalid`] if no train query is left.
    pub fn read(collection: &Path, guard: Option<&Path>) -> Result<Simulation> {
        let test = TestSet::read(collection, Some("test"), None)?;
        let mut train = Split::read(&test.collection, "train", None)?;
        let guard = guard.map(|guard| TestSet::read(guard, Some("test"), None)).transpose()?;
        let left_out = leave_out(&mut train.queries, &test.split.queries)?;
        Ok(Simulation { train, left_out, test, guard })
    }

    /// Runs on a new index, or on one that holds this collection and has neither logged a query nor learnt.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other index and for invalid options; any error of indexing, searching and learning;
    /// [`Error::Cancelled`] when `tell` breaks.
    pub fn run(
        &self,
        engine: &Engine,
        options: &SimulationOptions,
        tell: &mut dyn FnMut(SimulationEvent<'_>) -> ControlFlow<()>,
    ) -> Result<SimulationReport> {
        options.learn.validate()?;
        self.check_index(engine)?;
        if self.left_out > 0 {
            report(tell, SimulationEvent::LeftOut(self.left_out))?;
        }
        self.test.add_to(engine, &mut |progress| tell(SimulationEvent::Progress(progress)))?;
        let mut queries: Vec<&Topic> = self.train.queries.iter().collect();
        queries.shuffle(&mut ChaCha8Rng::seed_from_u64(options.seed));
        let per_round = options.needs.unwrap_or(queries.len()).div_ceil(options.rounds.max(1));
        let crowd = Crowd::new(&self.train, options.users, options.seed);
        let mut steps = Steps { simulation: self, engine, options, crowd, tell, guarded: GenerationId(1) };
        let first = steps.score()?;
        let guard = steps.score_guard()?;
        let mut rounds = vec![SimulatedRound::untrained(&first, guard)];
        report(steps.tell, SimulationEvent::Measured(&rounds[0]))?;
        let mut asked = queries.into_iter().cycle();
        for round in 1..=options.rounds {
            let queries: Vec<&Topic> = asked.by_ref().take(per_round).collect();
            steps.ask(&queries, round * per_round)?;
            engine.advance_trial(ALL_NEEDS)?;
            let last_guard = rounds.last().and_then(|round| round.guard.clone());
            let mut done = steps.learn(&first.hybrid, last_guard)?;
            // A round that waits for a trial has no number of its own.
            (done.round, done.needs) = (round as u64, round * per_round);
            report(steps.tell, SimulationEvent::Measured(&done))?;
            rounds.push(done);
        }
        let collection = self.test.collection.name();
        Ok(SimulationReport { collection, users: options.users.name(), seed: options.seed, rounds })
    }

    fn check_index(&self, engine: &Reader) -> Result<()> {
        let status = engine.status()?;
        self.test.check_index(engine, &status)?;
        let asked = status.feedback.as_ref().is_some_and(|log| log.impressions > 0);
        if asked || status.generation.id.0 > 1 {
            return Err(Error::invalid(
                "the index",
                format!("{}, which has already been used", engine.path().display()),
                "a new index, or one of this collection without logged queries and rounds",
            ));
        }
        Ok(())
    }
}

/// Removes the queries that repeat one of `others` in any spelling. Returns how many.
fn leave_out(queries: &mut Vec<Topic>, others: &[Topic]) -> Result<usize> {
    let texts: HashSet<String> = others.iter().map(|other| normalise_query(&other.text)).collect();
    let before = queries.len();
    queries.retain(|query| !texts.contains(&normalise_query(&query.text)));
    match queries.is_empty() {
        true => Err(Error::invalid(
            "the split train",
            format!("{before} queries, all of them also in the split test"),
            "at least one query that is not in the split test",
        )),
        false => Ok(before - queries.len()),
    }
}

/// Calls `tell`.
///
/// # Errors
/// [`Error::Cancelled`] when it breaks.
fn report(
    tell: &mut dyn FnMut(SimulationEvent<'_>) -> ControlFlow<()>,
    event: SimulationEvent<'_>,
) -> Result<()> {
    match tell(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled { doing: "simulating" }),
    }
}

/// A simulation on one engine, step by step.
struct Steps<'a, 't> {
    simulation: &'a Simulation,
    engine: &'a Engine,
    options: &'a SimulationOptions,
    crowd: Crowd<'a>,
    tell: &'t mut dyn FnMut(SimulationEvent<'_>) -> ControlFlow<()>,
    /// The generation that was measured on the guard last.
    guarded: GenerationId,
}

impl<'a> Steps<'a, '_> {
    /// Asks these queries, the first of them for the need number `first`.
    fn ask(&mut self, queries: &[&'a Topic], first: usize) -> Result<()> {
        let total = queries.len();
        for (done, query) in queries.iter().enumerate() {
            report(self.tell, SimulationEvent::Progress(Progress::Asking { done, total }))?;
            self.crowd.ask(self.engine, query, first + done)?;
        }
        Ok(())
    }

    /// Runs one round of learning and compares it with the hybrid of round 0.
    fn learn(&mut self, first: &Evaluation, last_guard: Option<ByMode<Figures>>) -> Result<SimulatedRound> {
        let round = self.engine.learn(&self.options.learn, &mut |progress| {
            (self.tell)(SimulationEvent::Progress(Progress::Learning(progress)))
        })?;
        report(self.tell, SimulationEvent::Learnt(&round))?;
        let scores = self.score()?;
        let test = compare(first, &scores.hybrid, Simulation::TESTED, self.options.seed)?;
        // A trial may have published a generation before the round.
        let status = self.engine.status()?;
        let guard = if status.generation.id != self.guarded { self.score_guard()? } else { last_guard };
        self.guarded = status.generation.id;
        let mut learnt = SimulatedRound::learnt(round, &scores);
        learnt.judgements = status.feedback.map_or(0, |log| log.judgements);
        learnt.p_value = Some(test.p_value);
        learnt.guard = guard;
        learnt.trial = self.engine.trial()?;
        Ok(learnt)
    }

    /// Evaluates every mode on the test queries.
    fn score(&mut self) -> Result<ByMode<Evaluation>> {
        let test = &self.simulation.test.split;
        let progress = &mut |progress| (self.tell)(SimulationEvent::Progress(progress));
        score_modes(self.engine, test, MEASURES.depth, MEASURES.metrics, progress)
    }

    /// Evaluates every mode on the guard's test queries, if there is a guard.
    fn score_guard(&mut self) -> Result<Option<ByMode<Figures>>> {
        let Some(guard) = &self.simulation.guard else { return Ok(None) };
        let options = self.options.guard_index.clone().with_chunking(Chunking::Whole);
        let progress = &mut |progress| (self.tell)(SimulationEvent::Progress(progress));
        measure_guard(self.engine, guard, options, &MEASURES, progress).map(Some)
    }
}
