//! What the gate measured.

use super::super::colours::{AFTER, BEFORE};
use super::super::markup::{figure, figures, key, paragraph, section, signed, table};
use super::super::plots::{Axes, Pair, pairs};
use crate::RoundReport;
use crate::error::Result;

/// A value before and after the round.
struct Measured {
    name: &'static str,
    /// Short enough to stand under a pair of bars.
    short: &'static str,
    before: f64,
    after: f64,
}

impl Measured {
    fn new(name: &'static str, short: &'static str, before: f64, after: f64) -> Measured {
        Measured { name, short, before, after }
    }
}

/// The figures before and after on the held-out queries and the guard, and the test.
pub(super) fn gate(report: &RoundReport) -> Result<String> {
    let gate = &report.gate;
    let (Some(before), Some(after)) = (gate.before, gate.after) else {
        let content =
            paragraph("Nothing was judged: there was nothing new to compare with what answers now.");
        return Ok(section("gate", "Gate", &content));
    };
    let mut values = vec![
        Measured::new("hybrid nDCG@10", "hybrid nDCG", before.hybrid.ndcg_10, after.hybrid.ndcg_10),
        Measured::new("hybrid MRR@10", "hybrid MRR", before.hybrid.mrr_10, after.hybrid.mrr_10),
        Measured::new("dense nDCG@10", "dense nDCG", before.dense.ndcg_10, after.dense.ndcg_10),
        Measured::new("dense MRR@10", "dense MRR", before.dense.mrr_10, after.dense.mrr_10),
    ];
    if before.hybrid.gmap_20 > 0.0 {
        let (old, new) = (before.hybrid.gmap_20, after.hybrid.gmap_20);
        values.insert(2, Measured::new("hybrid GMAP@20", "hybrid GMAP", old, new));
    }
    let golden = gate.golden.map(|one| Measured::new("golden nDCG@10", "golden nDCG", one.before, one.after));
    let guard = gate.guard.map(|one| Measured::new("guard nDCG@10", "guard nDCG", one.before, one.after));
    values.extend(golden.into_iter().chain(guard));
    let bars = values.iter().map(|one| Pair { name: one.short, before: one.before, after: one.after });
    let axes = Axes { x: "measure, of the first 10 documents, GMAP of 20", y: "mean over queries (0 to 1)" };
    let svg = pairs("the gate's figures before and after the round", axes, &bars.collect::<Vec<_>>())?;
    let legend = [key(BEFORE, "serving"), key(AFTER, "new")];
    let mut content = figures(&[figure("Figures before and after", &legend, &svg)]);
    let rows: Vec<Vec<String>> = values
        .into_iter()
        .map(|Measured { name, before, after, .. }| {
            vec![name.into(), format!("{before:.4}"), format!("{after:.4}"), signed(after - before)]
        })
        .collect();
    content.push_str(&table("Figures", &["measure", "serving", "new", "difference"], &rows));
    let mut facts = vec![vec!["decision".to_string(), gate.decision.name().to_string()]];
    let mut add = |name: &str, value: String| facts.push(vec![name.to_string(), value]);
    add("held-out queries", report.held_out.to_string());
    if let Some(golden) = gate.golden {
        add("golden queries", golden.queries.to_string());
    }
    if let Some(guard) = gate.guard {
        add("guard queries", guard.queries.to_string());
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
