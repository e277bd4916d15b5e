//! `retune rounds`: lists the rounds of learning.

use retune::learn::Measurement;
use retune::{Result, RoundReport};
use serde::Serialize;

use super::args::StoredPlace;
use super::print::{Output, Text, change, folded};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: StoredPlace,
}

#[derive(Serialize)]
struct Rounds {
    rounds: Vec<RoundReport>,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let engine = args.place.open()?;
    out.print(&Rounds { rounds: engine.rounds()? }, |all| folded(text(all)))?;
    engine.close()
}

fn text(all: &Rounds) -> Text {
    if all.rounds.is_empty() {
        return Text::of("no round has been run: judge answers, then run `retune learn`");
    }
    let mut text = Text::default();
    all.rounds.iter().for_each(|round| text.line(line(round)));
    text
}

fn line(round: &RoundReport) -> String {
    let decision = round.gate.decision.name();
    let tier = round.tier.map_or_else(String::new, |tier| format!(" {tier}"));
    let mut text = format!(
        "round {}: {decision}{tier} · {} training rows, {} held-out queries",
        round.round, round.examples, round.held_out
    );
    if let (Some(before), Some(after)) = (&round.gate.before, &round.gate.after) {
        let of = round.gate.intervals;
        let hybrid = change(before.hybrid.ndcg_10, after.hybrid.ndcg_10, of.map(|of| of.hybrid.ndcg_10));
        let dense = change(before.dense.ndcg_10, after.dense.ndcg_10, of.map(|of| of.dense.ndcg_10));
        text.push_str(&format!(" · hybrid nDCG@10 {hybrid} · dense {dense}"));
    }
    if let (Some(p_value), Some(allowed)) = (round.gate.p_value, round.gate.allowed) {
        text.push_str(&format!(" · p {p_value:.4}, significance level {allowed:.4}"));
    }
    if let Some(golden) = round.gate.golden {
        text.push_str(&format!(" · golden {}", change(golden.before, golden.after, golden.intervals)));
    }
    if let Some(guard) = round.gate.guard {
        text.push_str(&format!(" · titles {}", change(guard.before, guard.after, guard.intervals)));
    }
    if let Some(monitor) = round.training.as_ref().and_then(|training| training.monitor.as_ref()) {
        let harder = |one: &Measurement| -> u64 { one.sources.values().map(|source| source.harder).sum() };
        let all = |one: &Measurement| -> u64 { one.sources.values().map(|source| source.margin.count).sum() };
        if let (Some(before), Some(after)) = (monitor.measurements.first(), monitor.measurements.last()) {
            text.push_str(&format!(
                " · of {} negatives {} → {} are harder than the answer",
                all(before),
                harder(before),
                harder(after)
            ));
        }
    }
    if let Some(trial) = &round.trial {
        text.push_str(&format!(" · trial of generation {}: {}", trial.candidate, trial.verdict()));
    }
    text.push_str(&format!(" · generation {} answers · {:.0} s", round.generation, round.seconds.total));
    text
}
