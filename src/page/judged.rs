//! The gate's part of the page.

use super::markup::{figure, figures, paragraph, section, signed, table};
use super::plots::{Axes, hexadecimal, pairs};
use super::{AFTER, BEFORE};
use crate::RoundReport;
use crate::error::Result;

/// Before against after on the held-out queries and the guard, the test and its bound.
pub(super) fn gate(report: &RoundReport) -> Result<String> {
    let gate = &report.gate;
    let (Some(before), Some(after)) = (gate.before, gate.after) else {
        let content =
            paragraph("Nothing was judged: there was nothing new to compare with what answers now.");
        return Ok(section("gate", "Gate", &content));
    };
    // With a name that is short enough for the room under a pair of bars.
    let mut values = vec![
        ("hybrid nDCG@10", "hybrid nDCG", before.hybrid.ndcg_10, after.hybrid.ndcg_10),
        ("hybrid MRR@10", "hybrid MRR", before.hybrid.mrr_10, after.hybrid.mrr_10),
        ("dense nDCG@10", "dense nDCG", before.dense.ndcg_10, after.dense.ndcg_10),
        ("dense MRR@10", "dense MRR", before.dense.mrr_10, after.dense.mrr_10),
    ];
    if before.hybrid.gmap_20 > 0.0 {
        values.insert(2, ("hybrid GMAP@20", "hybrid GMAP", before.hybrid.gmap_20, after.hybrid.gmap_20));
    }
    values.extend(gate.golden.map(|golden| ("golden nDCG@10", "golden nDCG", golden.before, golden.after)));
    values.extend(gate.guard.map(|guard| ("guard nDCG@10", "guard nDCG", guard.before, guard.after)));
    let bars: Vec<(&str, f64, f64)> = values.iter().map(|&(_, short, old, new)| (short, old, new)).collect();
    let axes = Axes { x: "measure, of the first 10 documents, GMAP of 20", y: "mean over queries (0 to 1)" };
    let svg = pairs("the gate's figures before and after the round", axes, &bars, (BEFORE, AFTER))?;
    let legend = [(hexadecimal(BEFORE), "serving"), (hexadecimal(AFTER), "new")];
    let mut content = figures(&[figure("Figures before and after", &legend, &svg)]);
    let rows: Vec<Vec<String>> = values
        .into_iter()
        .map(|(name, _, old, new)| {
            vec![name.into(), format!("{old:.4}"), format!("{new:.4}"), signed(new - old)]
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
        add("allowed p-value", format!("{allowed:.4}"));
    }
    content.push_str(&table("The test", &["what", "value"], &facts));
    Ok(section("gate", "Gate", &content))
}
