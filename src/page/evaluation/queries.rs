//! Query by query: where the hybrid beats the better single side, and where it doesn't.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::super::colours::{EQUAL, GAINED, LOST};
use super::super::markup::{cut, figure, figures, key, paragraph, section, signed, texts};
use super::super::plots::{Axes, Series, clouds, gains};
use super::report::EvaluationReport;
use crate::error::Result;

/// The most queries that a table names.
const MOST: usize = 10;
/// Smaller differences are rounding errors.
const NOTHING: f64 = 1e-9;

/// The scores of a query in each mode.
struct Query<'a> {
    id: &'a str,
    lexical: f64,
    dense: f64,
    hybrid: f64,
}

impl Query<'_> {
    fn better_side(&self) -> f64 {
        self.lexical.max(self.dense)
    }

    /// The gain from fusion over the better side.
    fn gain(&self) -> f64 {
        let gain = self.hybrid - self.better_side();
        if gain.abs() < NOTHING { 0.0 } else { gain }
    }

    fn colour(&self) -> RGBColor {
        match self.gain() {
            gain if gain > 0.0 => GAINED,
            gain if gain < 0.0 => LOST,
            _ => EQUAL,
        }
    }
}

/// The scores of every query in all modes, and the queries that gain and lose most from fusion.
pub(super) fn queries(report: &EvaluationReport) -> Result<String> {
    let metric = report.metric();
    let by_query = |place: usize| report.modes()[place].evaluation.by_query(metric).unwrap_or_default();
    let (lexical, dense, hybrid) = (by_query(0), by_query(1), by_query(2));
    let of = |values: &BTreeMap<&str, f64>, id: &str| values.get(id).copied().unwrap_or(0.0);
    let query = |(&id, &hybrid)| Query { id, lexical: of(&lexical, id), dense: of(&dense, id), hybrid };
    let mut all: Vec<Query<'_>> = hybrid.iter().map(query).collect();
    all.sort_by(|a, b| b.gain().total_cmp(&a.gain()));
    let mut content = paragraph(&summary(&all, report));
    content.push_str(&drawings(&all, &metric.to_string())?);
    let head = ["query", "gain", "words", "meaning", "both"];
    let row = |query: &Query<'_>| {
        let text = report.texts.get(query.id).map_or("", String::as_str);
        let mut row = vec![cut(&format!("{}: {text}", query.id)), signed(query.gain())];
        row.extend([query.lexical, query.dense, query.hybrid].map(|value| format!("{value:.4}")));
        row
    };
    let gained = all.iter().filter(|query| query.gain() > 0.0).take(MOST).map(row).collect::<Vec<_>>();
    let lost = all.iter().rev().filter(|query| query.gain() < 0.0).take(MOST).map(row).collect::<Vec<_>>();
    content.push_str(&texts(&format!("Queries that gain most by fusion, {metric}"), &head, &gained));
    content.push_str(&texts(&format!("Queries that lose most by fusion, {metric}"), &head, &lost));
    Ok(section("queries", "Queries", &content))
}

fn summary(all: &[Query<'_>], report: &EvaluationReport) -> String {
    let count = |colour: RGBColor| all.iter().filter(|query| query.colour() == colour).count();
    let best = all.iter().map(Query::better_side).sum::<f64>() / all.len().max(1) as f64;
    format!(
        "Of {} queries, both together are above the better of words and meaning on {}, equal on {}, below on {}. \
         Picking the better one for every query would give a mean {} of {best:.4}. \
         Larger points stand for more queries.",
        all.len(),
        count(GAINED),
        count(EQUAL),
        count(LOST),
        report.metric()
    )
}

fn drawings(all: &[Query<'_>], metric: &str) -> Result<String> {
    let of = |colour: RGBColor, place: &dyn Fn(&Query<'_>) -> (f64, f64)| Series {
        colour,
        points: all.iter().filter(|query| query.colour() == colour).map(place).collect(),
    };
    let scatter = |label: &str, axes: Axes<'_>, place: &dyn Fn(&Query<'_>) -> (f64, f64)| {
        clouds(label, axes, &[GAINED, EQUAL, LOST].map(|colour| of(colour, place)))
    };
    let legend = [key(GAINED, "both above either"), key(EQUAL, "equal to the better"), key(LOST, "below it")];
    let [lexical, dense, hybrid, better] =
        ["words", "meaning", "both", "the better one"].map(|name| format!("{metric} by {name}"));
    let sides = scatter(
        "each query by its scores by words and by meaning",
        Axes { x: &lexical, y: &dense },
        &|query| (query.lexical, query.dense),
    )?;
    let fused = scatter(
        "each query by the better of words and meaning and by both",
        Axes { x: &better, y: &hybrid },
        &|query| (query.better_side(), query.hybrid),
    )?;
    let differences: Vec<f64> = all.iter().map(Query::gain).collect();
    let axes = Axes { x: "queries, by gain", y: "both minus the better one" };
    let sorted = gains("what each query gains by fusion", axes, &differences)?;
    Ok(figures(&[
        figure("Words and meaning", &legend, &sides),
        figure("The better one, and both", &legend, &fused),
        figure("Gain by fusion", &[key(GAINED, "gained"), key(LOST, "lost")], &sorted),
    ]))
}
