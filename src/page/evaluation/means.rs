//! The means of each mode with their intervals.

use super::super::markup::{figure, figures, key, section, table};
use super::super::plots::{Estimate, Estimates, estimates};
use super::report::{EvaluationReport, Shown};
use crate::error::Result;
use crate::eval::{Interval, Metric};

/// The metrics that the plot has room for. If none was measured, the first ones that were take their place.
const SHOWN: [Metric; 5] =
    [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::Map, Metric::PrecisionAt(10), Metric::RecallAt(100)];

/// Every metric of every mode, with its interval.
pub(super) fn means(report: &EvaluationReport) -> Result<String> {
    let metrics = report.hybrid.metrics();
    let modes = report.modes();
    let all: Vec<[Estimate; 3]> = metrics
        .iter()
        .map(|&metric| [0, 1, 2].map(|mode| estimate(&modes[mode], metric, report.seed)))
        .collect();
    let usual: Vec<usize> =
        SHOWN.iter().filter_map(|shown| metrics.iter().position(|metric| metric == shown)).collect();
    let shown = match usual.is_empty() {
        true => (0..metrics.len()).filter(|&place| !metrics[place].is_count()).take(SHOWN.len()).collect(),
        false => usual,
    };
    let names: Vec<String> = shown.iter().map(|&place| metrics[place].to_string()).collect();
    let series: Vec<Estimates> = modes
        .iter()
        .enumerate()
        .map(|(mode, shown_mode)| Estimates {
            colour: shown_mode.colour,
            values: shown.iter().map(|&place| all[place][mode]).collect(),
        })
        .collect();
    let unit = "mean over queries (0 to 1)";
    let svg = estimates("the means of each mode with their intervals", unit, &names, &series)?;
    let legend = modes.map(|mode| key(mode.colour, mode.name));
    let mut content = figures(&[figure("Means with 95 % intervals", &legend, &svg)]);
    let rows: Vec<Vec<String>> = metrics
        .iter()
        .zip(&all)
        .map(|(metric, all)| {
            [vec![metric.to_string()], all.iter().map(|one| cell(*metric, one)).collect()].concat()
        })
        .collect();
    let caption = "Means, and 95 % intervals by the bootstrap over queries";
    content.push_str(&table(caption, &["metric", "words", "meaning", "both"], &rows));
    Ok(section("figures", "Figures", &content))
}

fn estimate(mode: &Shown<'_>, metric: Metric, seed: u64) -> Estimate {
    let interval = mode.evaluation.interval(metric, seed);
    let Interval { low, high } = interval.unwrap_or(Interval { low: 0.0, high: 0.0 });
    Estimate { value: mode.evaluation.mean(metric).unwrap_or(0.0), low, high }
}

/// No-break spaces keep it in one line.
fn cell(metric: Metric, one: &Estimate) -> String {
    if metric.is_count() {
        return format!("{:.0}", one.value);
    }
    format!("{:.4}\u{a0}({:.3}\u{a0}to\u{a0}{:.3})", one.value, one.low, one.high)
}
