//! A simulation as a page.

use crate::common::html::check;
use retune::learn::Tier;
use retune::measure::{SimulatedRound, SimulationReport};
use retune::{Decision, Mode, page};

const METRIC: &str = "ndcg@10";

/// Four rounds of 300 needs each, after the untrained engine.
fn report() -> SimulationReport {
    let mut report = SimulationReport::default();
    (report.collection, report.users) = ("<tldr>".into(), "sessions");
    for number in 0..=4 {
        let mut round = SimulatedRound::default();
        (round.round, round.needs, round.judgements) = (number, 300 * number as usize, 411 * number);
        for (modes, mean) in [
            (&mut round.test.lexical, 0.64),
            (&mut round.test.dense, 0.52 + 0.03 * number as f64),
            (&mut round.test.hybrid, 0.66 + 0.01 * number as f64),
        ] {
            modes.insert(METRIC.into(), mean);
        }
        let interval = serde_json::json!({ "low": 0.63, "high": 0.72 });
        round.intervals.hybrid.insert(METRIC.into(), serde_json::from_value(interval).unwrap());
        round.decision = (number > 0).then_some(Decision::Published);
        round.tier = (number > 0).then_some(Tier::Encoder);
        round.reason = "better & <b>".into();
        report.rounds.push(round);
    }
    report
}

#[test]
fn the_page_of_a_simulation_has_a_point_for_each_round_and_needs_nothing_else() {
    let mut report = report();
    let html = page::html(&report).unwrap();
    assert_eq!(check(&html), ["curve", "rounds"]);
    assert_eq!(html.matches("<svg ").count(), 1);
    assert_eq!(html.matches("<circle").count(), 3 * 5);
    assert_eq!(report.learning_curve(Mode::Dense, "ndcg@10".parse().unwrap())[4].0, 1200.0);
    for text in [
        "<h1>Simulation on &lt;tldr&gt;, sessions users</h1>",
        "<th scope=\"row\">4</th><td>1200</td><td>1644</td><td>0.6400</td><td>0.6400</td>\
         <td>0.7000\u{a0}(0.630\u{a0}to\u{a0}0.720)</td><td></td></tr>",
        "<td data-label=\"why\">better &amp; &lt;b&gt;</td>",
        "needs of users so far",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    assert!(!html.contains("guard"));
    report.rounds[2].guard = Some(report.rounds[2].test.clone());
    assert!(page::html(&report).unwrap().contains("<td>0.6800</td></tr>"), "the guard's");
    report.rounds.clear();
    assert_eq!(check(&page::html(&report).unwrap()), ["curve", "rounds"]);
}
