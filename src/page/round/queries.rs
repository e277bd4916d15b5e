//! The held-out queries that a round changes most.

use super::super::markup::{cut, paragraph, prose, section};
use crate::RoundReport;
use crate::learn::{QueryChange, QueryRanking};

/// The queries won and lost most, with their first documents before and after.
pub(super) fn queries(report: &RoundReport) -> String {
    const TITLE: &str = "Queries won and lost";
    let Some(queries) = &report.queries else {
        return section("queries", TITLE, &paragraph("This report compares no queries."));
    };
    let mut content = paragraph(&format!(
        "{} held-out queries rank better than before, {} worse and {} the same. Average precision is 1 if the right \
         answers stand on top. A right answer is marked with ✓.",
        queries.won, queries.lost, queries.tied
    ));
    let head = ["query", "right answer", "average precision", "stood first before", "stands first after"];
    for (caption, changes) in [("Won most", &queries.won_most), ("Lost most", &queries.lost_most)] {
        let rows: Vec<Vec<String>> = changes.iter().map(row).collect();
        content.push_str(&prose(caption, &head, &rows));
    }
    section("queries", TITLE, &content)
}

fn row(change: &QueryChange) -> Vec<String> {
    let QueryChange { query, before, after, .. } = change;
    vec![
        cut(query),
        format!("{}\u{a0}→\u{a0}{}", place(before), place(after)),
        format!("{:.4}\u{a0}→\u{a0}{:.4}", before.ap_20, after.ap_20),
        first(before),
        first(after),
    ]
}

fn place(ranking: &QueryRanking) -> String {
    ranking.rank.map_or_else(|| "not\u{a0}found".into(), |rank| format!("#{rank}"))
}

/// The first documents, one per line. No-break spaces keep numbers with their documents.
fn first(ranking: &QueryRanking) -> String {
    let lines = ranking.first.iter().zip(1..).map(|(document, rank)| {
        let mark = if ranking.rank == Some(rank) { " ✓" } else { "" };
        format!("{rank}.\u{a0}{}{mark}", cut(document))
    });
    lines.collect::<Vec<_>>().join("\n")
}
