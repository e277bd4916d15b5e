//! What the log gave a dry run to learn from.

use super::super::markup::{cut, paragraph, prose, section};
use crate::RoundReport;
use crate::learn::ConfusedPair;

/// The answers by how they are known, and what was confused with them. Empty for rounds.
pub(super) fn evidence(report: &RoundReport) -> String {
    let Some(evidence) = &report.evidence else { return String::new() };
    let answers = evidence.answers;
    let mut content = paragraph(&format!(
        "{} queries to train on have {} right documents: {} were chosen, {} judged relevant, {} opened last, {} \
         answered the same needs in other words.",
        evidence.queries,
        answers.total(),
        answers.chosen,
        answers.relevant,
        answers.opened,
        answers.in_other_words
    ));
    let head = ["query", "queries", "passed over", "right document", "was confused with"];
    let rows: Vec<Vec<String>> = evidence.confusables.iter().map(row).collect();
    content.push_str(&prose("Strongest evidence of confusion", &head, &rows));
    section("evidence", "What the log says", &content)
}

fn row(pair: &ConfusedPair) -> Vec<String> {
    let judged = if pair.judged_not_relevant { "\njudged not relevant" } else { "" };
    vec![
        cut(&pair.query),
        pair.queries.to_string(),
        format!("in\u{a0}{}\u{a0}of\u{a0}{}\u{a0}answers{judged}", pair.passed_over, pair.shown),
        cut(&pair.answer),
        cut(&pair.document),
    ]
}
