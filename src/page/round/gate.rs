//! The gate's figures.

use super::super::colours::{AFTER, BEFORE};
use super::super::markup::{figure, figures, key, paragraph, section, signed, table};
use super::super::plots::{Pair, pairs};
use crate::RoundReport;
use crate::error::Result;
use crate::eval::Interval;
use crate::learn::{ChangeIntervals, GateScores, Ruling};

/// A value before and after the round.
struct Measured {
    name: &'static str,
    before: f64,
    after: f64,
    /// `None` in reports of older versions.
    intervals: Option<ChangeIntervals>,
}

impl Measured {
    fn new(name: &'static str, before: f64, after: f64, intervals: Option<ChangeIntervals>) -> Measured {
        Measured { name, before, after, intervals }
    }

    /// A row of the table. No-break spaces keep each figure in one line.
    fn row(&self) -> Vec<String> {
        let Measured { name, before, after, intervals } = *self;
        let bounds = |interval: Option<Interval>, show: fn(f64) -> String| {
            let shown = |one: Interval| format!("\u{a0}({}\u{a0}to\u{a0}{})", show(one.low), show(one.high));
            interval.map(shown).unwrap_or_default()
        };
        let plain = |value: f64| format!("{value:.3}");
        vec![
            name.into(),
            format!("{before:.4}{}", bounds(intervals.map(|all| all.before), plain)),
            format!("{after:.4}{}", bounds(intervals.map(|all| all.after), plain)),
            format!("{}{}", signed(after - before), bounds(intervals.map(|all| all.change), signed)),
        ]
    }
}

/// The figures of the held-out queries and of the guard.
fn measured(gate: &Ruling, before: &GateScores, after: &GateScores) -> Vec<Measured> {
    let (both, meaning) = gate.intervals.map(|of| (of.hybrid, of.dense)).unzip();
    let mut values = vec![
        Measured::new(
            "both, nDCG@10",
            before.hybrid.ndcg_10,
            after.hybrid.ndcg_10,
            both.map(|of| of.ndcg_10),
        ),
        Measured::new("both, MRR@10", before.hybrid.mrr_10, after.hybrid.mrr_10, both.map(|of| of.mrr_10)),
        Measured::new(
            "meaning, nDCG@10",
            before.dense.ndcg_10,
            after.dense.ndcg_10,
            meaning.map(|of| of.ndcg_10),
        ),
        Measured::new(
            "meaning, MRR@10",
            before.dense.mrr_10,
            after.dense.mrr_10,
            meaning.map(|of| of.mrr_10),
        ),
    ];
    if before.hybrid.gmap_20 > 0.0 {
        let (old, new) = (before.hybrid.gmap_20, after.hybrid.gmap_20);
        values.insert(2, Measured::new("both, GMAP@20", old, new, both.map(|of| of.gmap_20)));
    }
    let golden =
        gate.golden.map(|one| Measured::new("golden, nDCG@10", one.before, one.after, one.intervals));
    let guard = gate.guard.map(|one| Measured::new("titles, nDCG@10", one.before, one.after, one.intervals));
    values.extend(golden.into_iter().chain(guard));
    values
}

/// The figures before and after on the held-out queries and the guard, and the test.
pub(super) fn gate(report: &RoundReport) -> Result<String> {
    let gate = &report.gate;
    let (Some(before), Some(after)) = (gate.before, gate.after) else {
        let content =
            paragraph("Nothing was judged: there was nothing new to compare with what answers now.");
        return Ok(section("gate", "Gate", &content));
    };
    let values = measured(gate, &before, &after);
    let bars = values.iter().map(|one| Pair { name: one.name, before: one.before, after: one.after });
    let svg = pairs(
        "the gate's figures before and after the round",
        "mean over queries (0 to 1)",
        &bars.collect::<Vec<_>>(),
    )?;
    let legend = [key(BEFORE, "before"), key(AFTER, "after")];
    let mut content = paragraph(
        "Users search by words and by meaning, both together. \"Both\" ranks the held-out queries as they see it, \
         \"meaning\" by the encoder alone. Titles must find their documents. Golden queries are the application's own.",
    );
    if report.is_by_picks() {
        content.push_str(&paragraph(
            "The held-out queries were picked from what answered before, and flatter it. So users decide, below.",
        ));
    }
    let plot = figure("Figures before and after", &legend, &svg);
    let rows: Vec<Vec<String>> = values.iter().map(Measured::row).collect();
    let caption = match gate.intervals {
        Some(_) => "Figures, and 95 % intervals by the bootstrap over queries",
        None => "Figures",
    };
    let numbers = table(caption, &["measure", "before", "after", "difference"], &rows);
    content.push_str(&figures(&[plot, numbers]));
    let mut facts = vec![vec!["decision".to_string(), gate.decision.name().to_string()]];
    let mut add = |name: &str, value: String| facts.push(vec![name.to_string(), value]);
    add("held-out queries", report.held_out.to_string());
    if let Some(golden) = gate.golden {
        add("golden queries", golden.queries.to_string());
    }
    if let Some(guard) = gate.guard {
        add("titles", guard.queries.to_string());
    }
    if let Some(p_value) = gate.p_value {
        add("p-value of the paired test of GMAP@20", format!("{p_value:.4}"));
    }
    if let Some(allowed) = gate.allowed {
        add("significance level", format!("{allowed:.4}"));
    }
    content.push_str(&table("The test", &["what", "value"], &facts));
    Ok(section("gate", "Gate", &content))
}
