//! `retune simulate --collection DIR`: rounds of learning from simulated users.

use std::ops::ControlFlow;
use std::path::PathBuf;

use retune::eval::Figures;
use retune::measure::{SimulatedRound, Simulation, SimulationEvent, SimulationOptions, Users};
use retune::{Result, page};

use super::args::{CollectionIndex, Learning, PageFile, one_or_more};
use super::print::{Bars, Output, Text, interval, round_text, simulation_text};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Test collection with the splits train and test. Users ask the train queries; the test queries measure.
    #[arg(long, value_name = "DIR")]
    collection: PathBuf,
    /// Number of rounds of learning.
    #[arg(long, default_value_t = 1, value_parser = one_or_more())]
    rounds: usize,
    /// Needs of all users together, an even share of them before each round. Default: one for each train query.
    #[arg(long, value_name = "N", value_parser = one_or_more())]
    needs: Option<usize>,
    /// How users behave: perfect, cascade, noisy, sessions or noisy-sessions.
    #[arg(long, default_value = "perfect")]
    users: Users,
    /// Another collection that should not get worse. Each new encoder is measured on it; nothing is learnt from it.
    #[arg(long, value_name = "DIR")]
    guard: Option<PathBuf>,
    #[command(flatten)]
    index: CollectionIndex,
    #[command(flatten)]
    learning: Learning,
    #[command(flatten)]
    page: PageFile,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    args.page.check()?;
    let simulation = Simulation::read(&args.collection, args.guard.as_deref())?;
    let options = options(args);
    options.learn.validate()?;
    let index = args.index.open()?;
    let mut bars = Bars::default();
    let report = simulation.run(&index.engine, &options, &mut |event| match event {
        SimulationEvent::Progress(progress) => bars.show(progress),
        event => {
            bars.clear();
            out.say(&event_text(event));
            ControlFlow::Continue(())
        }
    })?;
    out.print(&report, simulation_text)?;
    if let Some(path) = args.page.path() {
        page::write(&report, path)?;
    }
    index.engine.close()
}

fn options(args: &Args) -> SimulationOptions {
    let options = SimulationOptions::default()
        .with_rounds(args.rounds)
        .with_needs(args.needs)
        .with_users(args.users)
        .with_learn(args.learning.options())
        .with_guard_index(args.index.options());
    match args.learning.seed() {
        Some(seed) => options.with_seed(seed),
        None => options,
    }
}

fn event_text(event: SimulationEvent<'_>) -> Text {
    match event {
        SimulationEvent::LeftOut(queries) => {
            Text::of(format!("{queries} train queries are not asked: the test queries have the same text"))
        }
        SimulationEvent::Learnt(round) => round_text(round),
        SimulationEvent::Measured(round) => measured(round),
        _ => Text::default(),
    }
}

fn measured(round: &SimulatedRound) -> Text {
    let p_value = round.p_value.map(|p_value| format!(", p {p_value:.4}")).unwrap_or_default();
    let SimulatedRound { round: number, judgements, test, intervals, guard, .. } = round;
    let name = Simulation::TESTED.to_string();
    let mut text = Text::of(format!("round {number}, {judgements} judgements: {name}{p_value}"));
    for (mode, figures) in test.iter() {
        let interval = intervals.get(mode).get(&name).map(|&one| interval(one)).unwrap_or_default();
        let guard = guard.as_ref().map(|guard| format!(", guard {:.4}", tested(guard.get(mode))));
        let guard = guard.unwrap_or_default();
        text.line(format!("  {:8} {:.4} {interval}{guard}", mode.name(), tested(figures)));
    }
    text
}

fn tested(figures: &Figures) -> f64 {
    figures.get(&Simulation::TESTED.to_string()).copied().unwrap_or(0.0)
}
