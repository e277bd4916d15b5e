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
    let best = report.weights.iter().copied().reduce(|best, one| if one.1 > best.1 { one } else { best });
    let Some((weight, score)) = best else {
        return Ok(section("weights", TITLE, &paragraph("Other weights were not tried.")));
    };
    let mut content = paragraph(&format!(
        "The best of these weights is {weight}, with {score:.4}. It was picked by the queries that it is measured on, and so is an upper \
         bound of what one weight can do. In use is {}, with {hybrid:.4}.",
        report.fusion
    ));
    let level = |y, colour, dash| Level { colour, y, dash };
    let mut levels = vec![level(lexical, LEXICAL, 2), level(dense, DENSE, 8)];
    let mark = match report.fusion {
        Fusion::Convex { dense_weight } => Some(((f64::from(dense_weight), hybrid), HYBRID)),
        _ => {
            levels.push(level(hybrid, HYBRID, 14));
            None
        }
    };
    let line = Series { colour: HYBRID, points: report.weights.clone() };
    let y = format!("mean {metric}");
    let axes = Axes { x: "weight of the dense side (0 to 1)", y: &y };
    let svg = curve("the hybrid by its dense weight", axes, &line, &levels, mark)?;
    let in_use = if mark.is_some() { "hybrid (ring: in use)" } else { "hybrid (long dashes: in use)" };
    let legend = [
        (hexadecimal(HYBRID), in_use),
        (hexadecimal(LEXICAL), "lexical (dotted)"),
        (hexadecimal(DENSE), "dense (dashed)"),
    ];
    let rows = report.weights.iter().map(|(weight, score)| {
        vec![format!("{weight:.1}"), format!("{score:.4}"), signed(score - lexical.max(dense))]
    });
    let caption = format!("Mean {metric} of the convex combination");
    let head = ["dense weight", "hybrid", "less the better leg"];
    content.push_str(&figures(&[
        figure(&format!("{metric} by weight"), &legend, &svg),
        table(&caption, &head, &rows.collect::<Vec<_>>()),
    ]));
    Ok(section("weights", TITLE, &content))
}
