//! The hybrid's scores by dense weight.

use super::super::colours::{BOTH, MEANING, WORDS};
use super::super::markup::{figure, figures, key, paragraph, section, signed, table};
use super::super::plots::{Axes, Level, Ring, Series, curve};
use super::report::EvaluationReport;
use crate::Fusion;
use crate::error::Result;
use crate::measure::WeightMean;

/// The curve over the weights, with the fusion in use and both sides alone.
pub(super) fn weights(report: &EvaluationReport) -> Result<String> {
    const TITLE: &str = "Fusion weight";
    let metric = report.metric();
    let mean = |place: usize| report.modes()[place].evaluation.mean(metric).unwrap_or(0.0);
    let (lexical, dense, hybrid) = (mean(0), mean(1), mean(2));
    let in_use = match report.fusion {
        Fusion::Convex { dense_weight } => Some(f64::from(dense_weight)),
        _ => None,
    };
    let means = with_the_one_in_use(&report.weights, in_use, hybrid);
    let best = means.iter().copied().reduce(|best, one| if one.mean > best.mean { one } else { best });
    let Some(WeightMean { dense_weight, mean }) = best else {
        return Ok(section("weights", TITLE, &paragraph("Other weights were not tried.")));
    };
    let mut content = paragraph(&format!(
        "The best of these weights is {dense_weight:.2}, with {mean:.4}. It was picked by the queries that it is \
         measured on, so no single weight can do better. In use: {}, with {hybrid:.4}.",
        report.fusion
    ));
    let level = |y, colour, dash| Level { colour, y, dash };
    let mut levels = vec![level(lexical, WORDS, 2), level(dense, MEANING, 8)];
    if in_use.is_none() {
        levels.push(level(hybrid, BOTH, 14));
    }
    let y = format!("mean {metric}");
    let axes = Axes { x: "weight of meaning (0 to 1)", y: &y };
    let ring = in_use.map(|weight| Ring { x: weight, y: hybrid, colour: BOTH });
    let points = means.iter().map(|one| (one.dense_weight, one.mean)).collect();
    let line = Series { colour: BOTH, points };
    let svg = curve("the score of both by the weight of meaning", axes, &line, &levels, ring)?;
    let marked = if in_use.is_some() { "both (ring: in use)" } else { "both (long dashes: in use)" };
    let legend = [key(BOTH, marked), key(WORDS, "words (dotted)"), key(MEANING, "meaning (dashed)")];
    let rows = means.iter().map(|&WeightMean { dense_weight, mean }| {
        let note = if in_use == Some(dense_weight) { ", in use" } else { "" };
        vec![format!("{dense_weight:.2}{note}"), format!("{mean:.4}"), signed(mean - lexical.max(dense))]
    });
    let caption = format!("Mean {metric} of the convex combination");
    let head = ["weight of meaning", "both", "minus the better one"];
    content.push_str(&figures(&[
        figure(&format!("{metric} by weight"), &legend, &svg),
        table(&caption, &head, &rows.collect::<Vec<_>>()),
    ]));
    Ok(section("weights", TITLE, &content))
}

/// The tried weights, with the one in use inserted in order.
fn with_the_one_in_use(tried: &[WeightMean], in_use: Option<f64>, hybrid: f64) -> Vec<WeightMean> {
    // A weight is stored in 32 bits.
    const SAME: f64 = 1e-6;
    let mut means = tried.to_vec();
    if let Some(dense_weight) = in_use.filter(|_| !tried.is_empty()) {
        means.retain(|one| (one.dense_weight - dense_weight).abs() > SAME);
        means.push(WeightMean { dense_weight, mean: hybrid });
        means.sort_by(|a, b| a.dense_weight.total_cmp(&b.dense_weight));
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_in_use_stands_once_and_in_its_place() {
        let means = |pairs: &[(f64, f64)]| {
            let mean = |&(dense_weight, mean): &(f64, f64)| WeightMean { dense_weight, mean };
            pairs.iter().map(mean).collect::<Vec<_>>()
        };
        let tried = means(&[(0.0, 0.1), (0.7, 0.2), (1.0, 0.3)]);
        let weights = |in_use| with_the_one_in_use(&tried, in_use, 0.5);
        assert_eq!(weights(None), tried);
        let stored = f64::from(0.7f32);
        assert_eq!(weights(Some(stored)), means(&[(0.0, 0.1), (stored, 0.5), (1.0, 0.3)]));
        assert_eq!(weights(Some(0.25)), means(&[(0.0, 0.1), (0.25, 0.5), (0.7, 0.2), (1.0, 0.3)]));
        assert!(with_the_one_in_use(&[], Some(0.5), 0.5).is_empty());
    }
}
