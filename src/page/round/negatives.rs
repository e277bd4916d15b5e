//! The hard negatives before and after training.

use plotters::style::RGBColor;

use super::super::colours::{ADVERSARIAL, AFTER, BEFORE, CONFUSABLE, SEMANTIC, WORDS};
use super::super::markup::{Key, figure, figures, heading, key, paragraph, section, table};
use super::super::plots::{Axes, Histogram, Series, histograms, lines};
use crate::RoundReport;
use crate::error::Result;
use crate::learn::{MonitorReport, NegativeKind, SourceMeasurement};

const ANSWERS: RGBColor = AFTER;
const NEGATIVES: RGBColor = WORDS;

fn monitor(report: &RoundReport) -> Option<&MonitorReport> {
    report.training.as_ref()?.monitor.as_ref().filter(|monitor| !monitor.measurements.is_empty())
}

fn nothing(id: &str, title: &str) -> String {
    section(id, title, &paragraph("No hard negatives were measured."))
}

/// Histograms of cosines and margins by source, before and after training.
pub(super) fn similarities(report: &RoundReport) -> Result<String> {
    const TITLE: &str = "Similarities";
    let Some(monitor) = monitor(report) else { return Ok(nothing("similarities", TITLE)) };
    let (first, last) = (&monitor.measurements[0], &monitor.measurements[monitor.measurements.len() - 1]);
    let mut content = paragraph(&format!(
        "{} of {} queries with hard negatives were measured with the encoder in training. A margin is the cosine \
         of query and answer minus that of query and negative. A negative with a margin below 0 ranks above the \
         answer.",
        monitor.queries, monitor.of_queries
    ));
    for ((kind, before), after) in first.sources.iter().zip(last.sources.values()) {
        content.push_str(&heading(&format!("{}: {} negatives", kind.name(), before.margin.count)));
        let like = [&before.positive, &before.negative, &after.positive, &after.negative];
        let cosines = |when: &str, of: &SourceMeasurement| -> Result<String> {
            let axes = Axes { x: "cosine", y: "share of pairs (%)" };
            let shown = [
                Histogram { of: &of.positive, colour: ANSWERS },
                Histogram { of: &of.negative, colour: NEGATIVES },
            ];
            let label = format!("cosines of {} negatives and of answers {when}", kind.name());
            let legend = [key(ANSWERS, "answers"), key(NEGATIVES, "negatives")];
            Ok(figure(
                &format!("Cosine to the query {when}"),
                &legend,
                &histograms(&label, axes, &shown, &like)?,
            ))
        };
        let axes = Axes { x: "margin (difference of cosines)", y: "share of negatives (%)" };
        let shown = [
            Histogram { of: &before.margin, colour: BEFORE },
            Histogram { of: &after.margin, colour: AFTER },
        ];
        let label = format!("margins of {} negatives before and after training", kind.name());
        let svg = histograms(&label, axes, &shown, &[&before.margin, &after.margin])?;
        let legend = [key(BEFORE, "before"), key(AFTER, "after")];
        content.push_str(&figures(&[
            cosines("before training", before)?,
            cosines("after training", after)?,
            figure("Margin", &legend, &svg),
        ]));
    }
    Ok(section("similarities", TITLE, &content))
}

/// How hard the negatives are over the steps, and how they moved.
pub(super) fn difficulty(report: &RoundReport) -> Result<String> {
    const TITLE: &str = "Difficulty of the negatives";
    let Some(monitor) = monitor(report) else { return Ok(nothing("difficulty", TITLE)) };
    let kinds: Vec<NegativeKind> = monitor.measurements[0].sources.keys().copied().collect();
    let legend: Vec<Key<'_>> = kinds.iter().map(|kind| key(colour(*kind), kind.name())).collect();
    let over_steps = |title: &str, unit: &str, of: &dyn Fn(&SourceMeasurement) -> f64| -> Result<String> {
        let series = kinds.iter().map(|kind| {
            let measured = monitor.measurements.iter();
            let points = measured.filter_map(|one| Some((one.step as f64, of(one.sources.get(kind)?))));
            Series { colour: colour(*kind), points: points.collect() }
        });
        let axes = Axes { x: "steps of training", y: unit };
        let svg = lines(&format!("{title} over the steps"), axes, &series.collect::<Vec<_>>())?;
        Ok(figure(title, &legend, &svg))
    };
    let mut content = figures(&[
        over_steps("Harder than the answer", "share of negatives (%)", &|one| percent(one.harder, one))?,
        over_steps("Too easy to teach", "share of negatives (%)", &|one| percent(one.too_easy, one))?,
        over_steps("Median margin", "difference of cosines", &|one| one.margin.quantiles.p50)?,
    ]);
    content.push_str(&tables(monitor));
    Ok(section("difficulty", TITLE, &content))
}

fn percent(count: u64, of: &SourceMeasurement) -> f64 {
    100.0 * count as f64 / of.margin.count as f64
}

fn colour(kind: NegativeKind) -> RGBColor {
    match kind {
        NegativeKind::Confusable => CONFUSABLE,
        NegativeKind::Semantic => SEMANTIC,
        NegativeKind::Adversarial => ADVERSARIAL,
    }
}

fn tables(monitor: &MonitorReport) -> String {
    let (mut hard, mut moved) = (Vec::new(), Vec::new());
    for (place, measurement) in monitor.measurements.iter().enumerate() {
        for (kind, one) in &measurement.sources {
            let name = match place {
                0 => format!("{}, before training", kind.name()),
                _ => format!("{}, after step {}", kind.name(), measurement.step),
            };
            let share = |count: u64| format!("{:.1}", percent(count, one));
            let quantiles = one.margin.quantiles;
            let mut row = vec![name.clone(), one.margin.count.to_string()];
            row.extend([one.harder, one.too_easy, one.suspected].map(share));
            row.extend([quantiles.p05, quantiles.p50, quantiles.p95].map(|margin| format!("{margin:.3}")));
            hard.push(row);
            if place > 0 {
                let counts = [one.moved.resolved, one.moved.eased, one.moved.unchanged, one.moved.harder];
                moved.push([vec![name], counts.map(|count| count.to_string()).to_vec()].concat());
            }
        }
    }
    let head = [
        "source",
        "negatives",
        "harder than the answer (%)",
        "too easy (%)",
        "may be answers (%)",
        "margin: 5 %",
        "margin: median",
        "margin: 95 %",
    ];
    let caption = format!("How hard they are; too easy is a margin above {:.2}", monitor.easy_margin);
    let how = "How many moved since the start";
    table(&caption, &head, &hard)
        + &table(how, &["source", "resolved", "eased", "unchanged", "grown harder"], &moved)
}
