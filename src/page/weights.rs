//! What the hybrid comes to by its dense weight.

use super::evaluation::{DENSE, EvaluationReport, HYBRID, LEXICAL};
use super::markup::{figure, figures, paragraph, section, signed, table};
use super::plots::{Axes, Level, Series, curve, hexadecimal};
use crate::Fusion;
use crate::error::Result;

/// The curve over the weights, with the fusion in use and both legs alone.
pub(super) fn weights(report: &EvaluationReport) -> Result<String> {
    const TITLE: &str = "Fusion weight";
    let metric = report.metric();
    let mean = |place: usize| report.modes()[place].2.mean(metric).unwrap_or(0.0);
    let (lexical, dense, hybrid) = (mean(0), mean(1), mean(2));
    let in_use = match report.fusion {
        Fusion::Convex { dense_weight } => Some(f64::from(dense_weight)),
        _ => None,
    };
    let points = with_the_one_in_use(&report.weights, in_use, hybrid);
    let best = points.iter().copied().reduce(|best, one| if one.1 > best.1 { one } else { best });
    let Some((weight, score)) = best else {
        return Ok(section("weights", TITLE, &paragraph("Other weights were not tried.")));
    };
    let mut content = paragraph(&format!(
        "The best of these weights is {weight:.2}, with {score:.4}. It was picked by the queries that it is measured on, and so is an \
         upper bound of what one weight can do. In use is {}, with {hybrid:.4}.",
        report.fusion
    ));
    let level = |y, colour, dash| Level { colour, y, dash };
    let mut levels = vec![level(lexical, LEXICAL, 2), level(dense, DENSE, 8)];
    if in_use.is_none() {
        levels.push(level(hybrid, HYBRID, 14));
    }
    let y = format!("mean {metric}");
    let axes = Axes { x: "weight of the dense side (0 to 1)", y: &y };
    let mark = in_use.map(|weight| ((weight, hybrid), HYBRID));
    let line = Series { colour: HYBRID, points };
    let svg = curve("the hybrid by its dense weight", axes, &line, &levels, mark)?;
    let marked = if mark.is_some() { "hybrid (ring: in use)" } else { "hybrid (long dashes: in use)" };
    let legend = [
        (hexadecimal(HYBRID), marked),
        (hexadecimal(LEXICAL), "lexical (dotted)"),
        (hexadecimal(DENSE), "dense (dashed)"),
    ];
    let rows = line.points.iter().map(|&(weight, score)| {
        let note = if in_use == Some(weight) { ", in use" } else { "" };
        vec![format!("{weight:.2}{note}"), format!("{score:.4}"), signed(score - lexical.max(dense))]
    });
    let caption = format!("Mean {metric} of the convex combination");
    let head = ["dense weight", "hybrid", "less the better leg"];
    content.push_str(&figures(&[
        figure(&format!("{metric} by weight"), &legend, &svg),
        table(&caption, &head, &rows.collect::<Vec<_>>()),
    ]));
    Ok(section("weights", TITLE, &content))
}

/// The weights that were tried, and the one in use in its place among them.
fn with_the_one_in_use(tried: &[(f64, f64)], in_use: Option<f64>, hybrid: f64) -> Vec<(f64, f64)> {
    // A weight is stored in 32 bits.
    const SAME: f64 = 1e-6;
    let mut points = tried.to_vec();
    if let Some(weight) = in_use.filter(|_| !tried.is_empty()) {
        points.retain(|one| (one.0 - weight).abs() > SAME);
        points.push((weight, hybrid));
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_in_use_stands_once_and_in_its_place() {
        let tried = [(0.0, 0.1), (0.7, 0.2), (1.0, 0.3)];
        let weights = |in_use| with_the_one_in_use(&tried, in_use, 0.5);
        assert_eq!(weights(None), tried);
        let stored = f64::from(0.7f32);
        assert_eq!(weights(Some(stored)), [(0.0, 0.1), (stored, 0.5), (1.0, 0.3)]);
        assert_eq!(weights(Some(0.25)), [(0.0, 0.1), (0.25, 0.5), (0.7, 0.2), (1.0, 0.3)]);
        assert!(with_the_one_in_use(&[], Some(0.5), 0.5).is_empty());
    }
}
