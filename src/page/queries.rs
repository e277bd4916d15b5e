//! Query by query: where the hybrid is better than the better of its two legs, and where it is not.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::evaluation::{EvaluationReport, LEXICAL};
use super::markup::{cut, figure, figures, paragraph, section, signed, texts};
use super::plots::{Axes, Series, clouds, gains, hexadecimal};
use super::{AFTER, BEFORE};
use crate::error::Result;

/// Queries that a table names.
const MOST: usize = 10;
const ABOVE: RGBColor = AFTER;
const EQUAL: RGBColor = BEFORE;
const BELOW: RGBColor = LEXICAL;
/// What is no difference: an error of rounding.
const NOTHING: f64 = 1e-9;

struct Query<'a> {
    id: &'a str,
    lexical: f64,
    dense: f64,
    hybrid: f64,
}

impl Query<'_> {
    fn better_leg(&self) -> f64 {
        self.lexical.max(self.dense)
    }

    /// What fusing them gives beyond the better one.
    fn gain(&self) -> f64 {
        let gain = self.hybrid - self.better_leg();
        if gain.abs() < NOTHING { 0.0 } else { gain }
    }

    fn colour(&self) -> RGBColor {
        match self.gain() {
            gain if gain > 0.0 => ABOVE,
            gain if gain < 0.0 => BELOW,
            _ => EQUAL,
        }
    }
}

/// The scores of every query in all modes, and the queries that the hybrid gains and loses most.
pub(super) fn queries(report: &EvaluationReport) -> Result<String> {
    let metric = report.metric();
    let by_query = |place: usize| report.modes()[place].2.by_query(metric).unwrap_or_default();
    let (lexical, dense, hybrid) = (by_query(0), by_query(1), by_query(2));
    let of = |values: &BTreeMap<&str, f64>, id: &str| values.get(id).copied().unwrap_or(0.0);
    let query = |(&id, &hybrid)| Query { id, lexical: of(&lexical, id), dense: of(&dense, id), hybrid };
    let mut all: Vec<Query<'_>> = hybrid.iter().map(query).collect();
    all.sort_by(|a, b| b.gain().total_cmp(&a.gain()));
    let mut content = paragraph(&summary(&all, report));
    content.push_str(&drawings(&all, &metric.to_string())?);
    let head = ["query", "gain", "lexical", "dense", "hybrid"];
    let row = |query: &Query<'_>| {
        let text = report.texts.get(query.id).map_or("", String::as_str);
        let mut row = vec![cut(&format!("{}: {text}", query.id)), signed(query.gain())];
        row.extend([query.lexical, query.dense, query.hybrid].map(|value| format!("{value:.4}")));
        row
    };
    let gained = all.iter().filter(|query| query.gain() > 0.0).take(MOST).map(row).collect::<Vec<_>>();
    let lost = all.iter().rev().filter(|query| query.gain() < 0.0).take(MOST).map(row).collect::<Vec<_>>();
    content.push_str(&texts(&format!("Queries that gain most by fusion, {metric}"), &head, &gained));
    content.push_str(&texts(&format!("Queries that lose most by it, {metric}"), &head, &lost));
    Ok(section("queries", "Queries", &content))
}

fn summary(all: &[Query<'_>], report: &EvaluationReport) -> String {
    let count = |colour: RGBColor| all.iter().filter(|query| query.colour() == colour).count();
    let best = all.iter().map(Query::better_leg).sum::<f64>() / all.len().max(1) as f64;
    format!(
        "Of {} queries the hybrid is above the better of its two legs on {}, equal on {}, below it on {}. Whoever knew the better \
         leg of every query would have a mean {} of {best:.4}. The larger a point, the more queries lie there.",
        all.len(),
        count(ABOVE),
        count(EQUAL),
        count(BELOW),
        report.metric()
    )
}

fn drawings(all: &[Query<'_>], metric: &str) -> Result<String> {
    let of = |colour: RGBColor, place: &dyn Fn(&Query<'_>) -> (f64, f64)| Series {
        colour,
        points: all.iter().filter(|query| query.colour() == colour).map(place).collect(),
    };
    let scatter = |label: &str, axes: Axes<'_>, place: &dyn Fn(&Query<'_>) -> (f64, f64)| {
        clouds(label, axes, &[ABOVE, EQUAL, BELOW].map(|colour| of(colour, place)))
    };
    let legend = [
        (hexadecimal(ABOVE), "hybrid above both"),
        (hexadecimal(EQUAL), "as the better"),
        (hexadecimal(BELOW), "below it"),
    ];
    let [lexical, dense, hybrid, better] =
        ["lexical", "dense", "hybrid", "the better leg"].map(|name| format!("{metric} of {name}"));
    let legs =
        scatter("each query by its scores in the two legs", Axes { x: &lexical, y: &dense }, &|query| {
            (query.lexical, query.dense)
        })?;
    let fused =
        scatter("each query by the better leg and the hybrid", Axes { x: &better, y: &hybrid }, &|query| {
            (query.better_leg(), query.hybrid)
        })?;
    let differences: Vec<f64> = all.iter().map(Query::gain).collect();
    let axes = Axes { x: "queries, by what they gain", y: "hybrid less the better leg" };
    let sorted = gains("what each query gains by fusion", axes, &differences, (ABOVE, BELOW))?;
    Ok(figures(&[
        figure("Lexical and dense", &legend, &legs),
        figure("The better leg and the hybrid", &legend, &fused),
        figure("Gain by fusion", &[(hexadecimal(ABOVE), "gained"), (hexadecimal(BELOW), "lost")], &sorted),
    ]))
}
