//! A simulation as a table of its rounds and a learning curve.

use retune::learn::Tier;
use retune::measure::{Simulation, SimulationReport};
use retune::{Decision, Mode};

use super::figures::interval;
use super::plot::{Series, plot};
use super::text::Text;
use super::width::columns;

const HEAD: [&str; COLUMNS] =
    ["#", "needs", "judged", "decision", "tier", "lexical", "dense", "hybrid (95 %)"];
const COLUMNS: usize = 8;
/// The columns of words. Those of numbers are aligned to the right.
const WORDS: [usize; 3] = [3, 4, 7];
/// A curve of fewer points shows nothing that the table doesn't.
const LEAST_POINTS: usize = 3;

/// A line for each round, and below them the curve, as wide as the terminal.
pub(crate) fn simulation_text(report: &SimulationReport) -> Text {
    text_of(report, columns())
}

fn text_of(report: &SimulationReport, columns: usize) -> Text {
    let mut text = Text::of(format!(
        "{}, {} users: {} on the test queries",
        report.collection,
        report.users,
        Simulation::TESTED
    ));
    table(report).into_iter().for_each(|line| text.line(line));
    if report.rounds.len() >= LEAST_POINTS {
        let series = [('L', Mode::Lexical), ('D', Mode::Dense), ('H', Mode::Hybrid)]
            .map(|(letter, mode)| Series { letter, points: report.learning_curve(mode, Simulation::TESTED) });
        text.empty_line();
        text.line(format!("{}: L lexical, D dense, H hybrid, * several", Simulation::TESTED));
        text.append(plot("needs", &series, columns));
    }
    text
}

/// The rounds in columns that are as wide as they need be.
fn table(report: &SimulationReport) -> Vec<String> {
    let lines: Vec<_> = std::iter::once(HEAD.map(String::from)).chain(rows(report)).collect();
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let aligned = |(column, cell): (usize, &String)| match (WORDS.contains(&column), widths[column]) {
        (true, width) => format!("{cell:<width$}"),
        (false, width) => format!("{cell:>width$}"),
    };
    let line =
        |cells: &[String; COLUMNS]| cells.iter().enumerate().map(aligned).collect::<Vec<_>>().join("  ");
    lines.iter().map(|cells| line(cells).trim_end().to_string()).collect()
}

fn rows(report: &SimulationReport) -> impl Iterator<Item = [String; COLUMNS]> {
    report.rounds.iter().map(|round| {
        let name = Simulation::TESTED.to_string();
        let mean = |mode| format!("{:.4}", round.test.get(mode).get(&name).copied().unwrap_or(0.0));
        let bounds = round.intervals.hybrid.get(&name).map(|&bounds| format!(" {}", interval(bounds)));
        [
            round.round.to_string(),
            round.needs.to_string(),
            round.judgements.to_string(),
            round.decision.map(Decision::name).unwrap_or_default().to_string(),
            round.tier.map(Tier::name).unwrap_or_default().to_string(),
            mean(Mode::Lexical),
            mean(Mode::Dense),
            mean(Mode::Hybrid) + &bounds.unwrap_or_default(),
        ]
    })
}

#[cfg(test)]
mod tests {
    use retune::eval::Interval;
    use retune::measure::SimulatedRound;

    use super::*;

    fn round(number: u64, needs: usize, judgements: u64, means: [f64; 3]) -> SimulatedRound {
        let mut round = SimulatedRound::default();
        (round.round, round.needs, round.judgements) = (number, needs, judgements);
        let name = Simulation::TESTED.to_string();
        let [lexical, dense, hybrid] = means;
        round.test.lexical.insert(name.clone(), lexical);
        round.test.dense.insert(name.clone(), dense);
        round.test.hybrid.insert(name.clone(), hybrid);
        round.intervals.hybrid.insert(name, interval_around(hybrid));
        round
    }

    fn interval_around(mean: f64) -> Interval {
        serde_json::from_value(serde_json::json!({ "low": mean - 0.03, "high": mean + 0.03 })).unwrap()
    }

    fn report() -> SimulationReport {
        let mut report = SimulationReport::default();
        (report.collection, report.users) = ("tldr".into(), "sessions");
        report.rounds = vec![
            round(0, 0, 0, [0.6452, 0.5255, 0.6655]),
            round(1, 500, 611, [0.6452, 0.6360, 0.7069]),
            round(2, 1000, 1240, [0.6452, 0.6360, 0.7069]),
            round(3, 1500, 1871, [0.6452, 0.6688, 0.7191]),
        ];
        for (place, decision) in [(1, Decision::Published), (2, Decision::Rejected), (3, Decision::Published)]
        {
            report.rounds[place].decision = Some(decision);
        }
        report.rounds[1].tier = Some(Tier::Encoder);
        report.rounds[3].tier = Some(Tier::Encoder);
        report
    }

    #[test]
    fn a_simulation_is_a_table_and_a_curve() {
        let expected = "\
tldr, sessions users: ndcg@10 on the test queries
#  needs  judged  decision   tier     lexical   dense  hybrid (95 %)
0      0       0                       0.6452  0.5255  0.6655 (0.635–0.696)
1    500     611  published  encoder   0.6452  0.6360  0.7069 (0.677–0.737)
2   1000    1240  rejected             0.6452  0.6360  0.7069 (0.677–0.737)
3   1500    1871  published  encoder   0.6452  0.6688  0.7191 (0.689–0.749)

ndcg@10: L lexical, D dense, H hybrid, * several
0.720 |                                   ...........H
0.700 |         ......H..............H....
0.680 | ........
0.660 H.                                     ........D
0.640 L...............*..............*...............L
0.620 |           ...
0.600 |         ..
0.580 |      ...
0.560 |   ...
0.540 |...
0.520 D
      +---------------+--------------+---------------+ needs
      0              500           1000           1500
";
        assert_eq!(text_of(&report(), 60).render(), expected);
    }

    #[test]
    fn a_long_simulation_fits_a_terminal_of_80_columns() {
        let mut report = report();
        let decisions = [Decision::Published, Decision::Rejected, Decision::Skipped, Decision::OnTrial];
        report.rounds =
            (0..12).map(|at| round(at, 8192 * at as usize, 9999 * at, [0.6452, 0.6360, 0.7069])).collect();
        for (round, decision) in report.rounds.iter_mut().skip(1).zip(decisions.into_iter().cycle()) {
            round.decision = Some(decision);
            round.tier = (decision == Decision::Published).then_some(Tier::QuerySide);
        }
        let lines = table(&report);
        let longest = lines.iter().map(|line| line.chars().count()).max();
        assert_eq!(longest, Some(79), "{lines:#?}");
        assert!(lines[9].starts_with(" 8  65536   79992  on_trial  "), "{lines:#?}");
        assert!(lines[10].starts_with(" 9  73728   89991  published  query_side   0.6452  "), "{lines:#?}");
    }

    #[test]
    fn two_points_are_no_curve() {
        let mut report = report();
        report.rounds.truncate(2);
        assert_eq!(text_of(&report, 60).lines().count(), 4);
    }
}
