//! Search times, and encoding throughput.

use plotters::style::RGBColor;

use super::super::colours::{AFTER, BEFORE, WORDS};
use super::super::markup::{figure, figures, key, paragraph, section, table};
use super::super::plots::{Axes, Bin, Mark, counts};
use super::report::EvaluationReport;
use crate::Took;
use crate::error::Result;
use crate::eval::quantile;

/// Bins of the histogram.
const BINS: usize = 30;
const MEDIAN: RGBColor = AFTER;
const LATE: RGBColor = WORDS;

/// The times of the searches, as a whole and by stage, and the rate of encoding.
pub(super) fn speed(report: &EvaluationReport) -> Result<String> {
    let mut content = match report.encoded {
        0 => paragraph("No document had to be encoded."),
        count => paragraph(&format!(
            "{count} documents were encoded and added in {:.1} seconds: {:.1} a second.",
            report.encode_seconds,
            count as f64 / report.encode_seconds.max(f64::EPSILON)
        )),
    };
    let sorted = |of: &dyn Fn(&Took) -> f64| {
        let mut times: Vec<f64> = report.took_ms.iter().map(of).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let totals = sorted(&|took| took.total);
    if totals.is_empty() {
        content.push_str(&paragraph("No search was timed."));
        return Ok(section("speed", "Speed", &content));
    }
    let histogram = Histogram::of(&totals)?;
    let stages = [
        ("encoding the query", sorted(&|took| took.encode)),
        ("search by words", sorted(&|took| took.lexical)),
        ("search by meaning", sorted(&|took| took.dense)),
        ("fusion and passages", sorted(&|took| took.fuse)),
        ("the whole search", totals),
    ];
    let rows = stages.map(|(name, times)| {
        let at = [0.05, 0.5, 0.95, 0.99, 1.0].map(|share| format!("{:.2}", quantile(&times, share)));
        [vec![name.to_string()], at.to_vec()].concat()
    });
    let caption = format!("Milliseconds of {} hybrid searches, by stage", report.took_ms.len());
    let head = ["stage", "p5", "p50", "p95", "p99", "most"];
    content.push_str(&figures(&[histogram.figure, table(&caption, &head, &rows)]));
    content.push_str(&paragraph(&histogram.note));
    Ok(section("speed", "Speed", &content))
}

/// The plot of the times, with a note on what it shows.
struct Histogram {
    figure: String,
    note: String,
}

impl Histogram {
    /// Draws sorted times. A few very slow searches, such as the first, are left out: they would leave no room for the
    /// others.
    fn of(times: &[f64]) -> Result<Histogram> {
        let (p50, p95) = (quantile(times, 0.5), quantile(times, 0.95));
        let most = quantile(times, 1.0);
        let end = most.min(2.0 * p95).max(f64::EPSILON);
        let width = end / BINS as f64;
        let place = |time: f64| ((time / width) as usize).min(BINS - 1);
        let mut bins: Vec<Bin> = (0..BINS)
            .map(|bin| Bin { from: bin as f64 * width, to: (bin + 1) as f64 * width, count: 0 })
            .collect();
        for &time in times.iter().filter(|&&time| time <= end) {
            bins[place(time)].count += 1;
        }
        let axes = Axes { x: "time of a search (ms)", y: "searches" };
        let marks = [Mark { x: p50, colour: MEDIAN, dash: 2 }, Mark { x: p95, colour: LATE, dash: 8 }];
        let svg = counts("how long searches took", axes, &bins, BEFORE, &marks)?;
        let (median, late) = (format!("p50 {p50:.2} ms (dotted)"), format!("p95 {p95:.2} ms (dashed)"));
        let figure = figure("Time of a hybrid search", &[key(MEDIAN, &median), key(LATE, &late)], &svg);
        let mut note = "Each search is for ten documents, as users search.".to_string();
        let slower = times.iter().filter(|&&time| time > end).count();
        if slower > 0 {
            note.push_str(&format!(
                " The plot leaves out slower searches: {slower}, the slowest {most:.1} ms."
            ));
        }
        Ok(Histogram { figure, note })
    }
}
