//! The page of a simulation: what the test queries gain as users go on asking.

use super::colours::{BOTH, MEANING, WORDS};
use super::markup::{figure, figures, key, paragraph, prose, section, table};
use super::parts::Parts;
use super::plots::{Axes, Reach, Series, means};
use crate::error::Result;
use crate::measure::{SimulatedRound, Simulation, SimulationReport};
use crate::{Decision, Mode};

impl Parts for SimulationReport {
    fn title(&self) -> String {
        format!("Simulation on {}, {} users", self.collection, self.users)
    }

    fn content(&self) -> Result<String> {
        let text = format!(
            "Before the first round and after each, {} on the test queries, which nobody asks. Seed {}.",
            Simulation::TESTED,
            self.seed
        );
        Ok(paragraph(&text) + &curve(self)? + &reasons(self))
    }
}

/// The learning curve, as a plot and as a table.
fn curve(report: &SimulationReport) -> Result<String> {
    let name = Simulation::TESTED.to_string();
    let series = [(Mode::Lexical, WORDS), (Mode::Dense, MEANING), (Mode::Hybrid, BOTH)]
        .map(|(mode, colour)| Series { colour, points: report.learning_curve(mode, Simulation::TESTED) });
    let reach = |round: &SimulatedRound| {
        let bounds = round.intervals.hybrid.get(&name)?;
        Some(Reach { x: round.needs as f64, low: bounds.low, high: bounds.high, colour: BOTH })
    };
    let reaches: Vec<Reach> = report.rounds.iter().filter_map(reach).collect();
    let y = format!("mean {name}");
    let svg =
        means("the means after each round", Axes { x: "needs of users so far", y: &y }, &series, &reaches)?;
    let legend = [key(BOTH, "both (bars: 95 % intervals)"), key(MEANING, "meaning"), key(WORDS, "words")];
    let guarded = report.rounds.iter().any(|round| round.guard.is_some());
    let rows: Vec<Vec<String>> = report.rounds.iter().map(|round| row(round, &name, guarded)).collect();
    let mut head = vec!["round", "needs", "judgements", "words", "meaning", "both", "p"];
    head.extend(guarded.then_some("guard, both"));
    let caption = format!("{name}, 95 % intervals by the bootstrap, and p against round 0");
    let plot = figures(&[figure(&format!("{name} by needs"), &legend, &svg)]);
    Ok(section("curve", "Learning curve", &(plot + &table(&caption, &head, &rows))))
}

/// No-break spaces keep a mean and its interval in one line.
fn row(round: &SimulatedRound, name: &str, guarded: bool) -> Vec<String> {
    let mean = |mode| format!("{:.4}", round.test.get(mode).get(name).copied().unwrap_or(0.0));
    let bounds = round.intervals.hybrid.get(name);
    let bounds = bounds.map(|of| format!("\u{a0}({:.3}\u{a0}to\u{a0}{:.3})", of.low, of.high));
    let guard = round.guard.as_ref().and_then(|guard| guard.hybrid.get(name));
    let guard = guard.map(|mean| format!("{mean:.4}")).unwrap_or_default();
    let mut row = vec![
        round.round.to_string(),
        round.needs.to_string(),
        round.judgements.to_string(),
        mean(Mode::Lexical),
        mean(Mode::Dense),
        mean(Mode::Hybrid) + &bounds.unwrap_or_default(),
        round.p_value.map(|p| format!("{p:.4}")).unwrap_or_default(),
    ];
    row.extend(guarded.then_some(guard));
    row
}

/// What the gate said.
fn reasons(report: &SimulationReport) -> String {
    let learnt = report.rounds.iter().filter(|round| round.decision.is_some());
    let rows = learnt.map(|round| {
        vec![
            round.round.to_string(),
            round.decision.map(Decision::name).unwrap_or_default().to_string(),
            round.tier.map(|tier| tier.to_string()).unwrap_or_default(),
            round.reason.clone(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    section("rounds", "Rounds", &prose("What the gate decided", &["round", "decision", "tier", "why"], &rows))
}
