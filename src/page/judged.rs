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
    let mut values = vec![
        ("hybrid nDCG@10", before.hybrid.ndcg_10, after.hybrid.ndcg_10),
        ("hybrid MRR@10", before.hybrid.mrr_10, after.hybrid.mrr_10),
        ("hybrid GMAP@100", before.hybrid.gmap_100, after.hybrid.gmap_100),
        ("dense nDCG@10", before.dense.ndcg_10, after.dense.ndcg_10),
        ("dense MRR@10", before.dense.mrr_10, after.dense.mrr_10),
    ];
    values.extend(gate.guard.map(|guard| ("guard nDCG@10", guard.before, guard.after)));
    // A name under a pair of bars has little room.
    let short = ["hybrid nDCG", "hybrid MRR", "hybrid GMAP", "dense nDCG", "dense MRR", "guard nDCG"];
    let bars: Vec<(&str, f64, f64)> =
        values.iter().zip(short).map(|(&(_, old, new), name)| (name, old, new)).collect();
    let axes = Axes { x: "measure, of the first 10 documents, GMAP of 100", y: "mean over queries (0 to 1)" };
    let svg = pairs("the gate's figures before and after the round", axes, &bars, (BEFORE, AFTER))?;
    let legend = [(hexadecimal(BEFORE), "serving"), (hexadecimal(AFTER), "new")];
    let mut content = figures(&[figure("Figures before and after", &legend, &svg)]);
    let rows: Vec<Vec<String>> = values
        .into_iter()
        .map(|(name, old, new)| {
            vec![name.into(), format!("{old:.4}"), format!("{new:.4}"), signed(new - old)]
        })
        .collect();
    content.push_str(&table("Figures", &["measure", "serving", "new", "difference"], &rows));
    let mut facts = vec![vec!["decision".to_string(), gate.decision.name().to_string()]];
    let mut add = |name: &str, value: String| facts.push(vec![name.to_string(), value]);
    add("held-out queries", report.held_out.to_string());
    if let Some(guard) = gate.guard {
        add("guard queries", guard.queries.to_string());
    }
    if let Some(p_value) = gate.p_value {
        add("p-value of the paired test", format!("{p_value:.4}"));
    }
    if let Some(allowed) = gate.allowed {
        add("allowed p-value", format!("{allowed:.4}"));
    }
    content.push_str(&table("The test", &["what", "value"], &facts));
    Ok(section("gate", "Gate", &content))
}
