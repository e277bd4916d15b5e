//! What users said of a generation on trial.

use super::super::colours::{AFTER, GREY, WORDS};
use super::super::markup::{figure, figures, key, paragraph, section, table};
use super::super::plots::{Axes, Series, lines};
use crate::RoundReport;
use crate::error::Result;
use crate::learn::{TrialPoint, TrialReport};

/// The votes and the evidence, if the round put a generation on trial.
pub(super) fn trial(report: &RoundReport) -> Result<String> {
    let Some(trial) = &report.trial else { return Ok(String::new()) };
    let TrialReport { candidate, serving, votes, wins, losses, most_votes, .. } = trial;
    let mut content = paragraph(&format!(
        "Generation {candidate} answered beside generation {serving}, and picks decide: {}.",
        trial.verdict()
    ));
    let rows = [
        ("votes, one for each need", format!("{votes} of at most {most_votes}")),
        ("for the candidate", wins.to_string()),
        ("for the serving generation", losses.to_string()),
        ("mean vote, in discounted gain", trial.mean.map_or("none".into(), |mean| format!("{mean:+.4}"))),
    ];
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(what, value)| vec![what.to_string(), value]).collect();
    content.push_str(&table("What users said", &["what", "value"], &rows));
    if trial.course.len() > 1 {
        content.push_str(&figures(&[course(trial)?]));
    }
    Ok(section("trial", "Trial", &content))
}

/// Both e-values as shares of what decides, on a logarithmic scale: 0 is no evidence, 1 decides.
fn course(trial: &TrialReport) -> Result<String> {
    let share =
        |e_value: f64, needed: f64| (e_value.max(f64::MIN_POSITIVE).ln() / needed.ln()).clamp(-1.0, 1.2);
    let of = |e_value: fn(&TrialPoint) -> f64, needed: f64| -> Vec<(f64, f64)> {
        trial.course.iter().map(|at| (f64::from(at.votes), share(e_value(at), needed))).collect()
    };
    let last = trial.course.last().map_or(1.0, |at| f64::from(at.votes));
    let series = [
        Series { colour: GREY, points: vec![(0.0, 1.0), (last, 1.0)] },
        Series { colour: AFTER, points: of(|at| at.better, trial.publish_at) },
        Series { colour: WORDS, points: of(|at| at.not_better, trial.reject_at) },
    ];
    let title = "Evidence over the votes";
    let svg = lines(title, Axes { x: "votes", y: "share of what decides" }, &series)?;
    let legend = [key(AFTER, "for the candidate"), key(WORDS, "against it"), key(GREY, "decides")];
    Ok(figure(title, &legend, &svg))
}
