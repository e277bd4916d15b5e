//! What a dry run shows beside the report of a round.

use retune::learn::{ConfusedPair, LogEvidence, QueryChange, QueryChanges, QueryRanking};
use retune::terminal::start_of;
use retune::{Decision, RoundReport};

use super::text::Text;

/// The most columns of a query.
const QUERY: usize = 60;

/// What a round would learn from.
pub(super) fn evidence_text(evidence: &LogEvidence) -> Text {
    let LogEvidence { queries, answers, confusables, .. } = evidence;
    let kinds = [
        (answers.chosen, "chosen"),
        (answers.relevant, "judged relevant"),
        (answers.opened, "opened last"),
        (answers.in_other_words, "in other words"),
    ];
    let kinds = kinds.into_iter().filter(|(count, _)| *count > 0);
    let kinds: Vec<String> = kinds.map(|(count, kind)| format!("{count} {kind}")).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let mut text =
        Text::of(format!("to train on: {queries} queries with {} right documents{kinds}", answers.total()));
    confusables.iter().for_each(|pair| text.line(format!("  {}", confused(pair))));
    text
}

fn confused(pair: &ConfusedPair) -> String {
    let ConfusedPair { document, answer, passed_over, shown, queries, query, .. } = pair;
    let what = match (*passed_over, pair.judged_not_relevant) {
        (0, _) => "judged not relevant".into(),
        (_, false) => format!("passed over in {passed_over} of {shown} answers"),
        (_, true) => format!("judged not relevant, and passed over in {passed_over} of {shown} answers,"),
    };
    let others = match queries - 1 {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    format!("{document} was {what} where {answer} is right: \"{}\"{others}", start_of(query, QUERY))
}

/// Which held-out queries would win and lose.
pub(super) fn queries_text(queries: &QueryChanges) -> Text {
    let QueryChanges { won, lost, tied, won_most, lost_most, .. } = queries;
    let mut text = Text::of(format!("held-out queries: {won} would win, {lost} lose, {tied} rank as before"));
    for (what, changes) in [("won", won_most), ("lost", lost_most)] {
        for QueryChange { query, before, after, .. } in changes {
            let (query, old, new) = (start_of(query, QUERY), place(before), place(after));
            let (old_ap, new_ap) = (before.ap_20, after.ap_20);
            text.line(format!("  {what} \"{query}\": rank {old} → {new}, ap@20 {old_ap:.3} → {new_ap:.3}"));
            text.line(format!("    before: {}", before.first.join(", ")));
            text.line(format!("    after: {}", after.first.join(", ")));
        }
    }
    text
}

fn place(ranking: &QueryRanking) -> String {
    ranking.rank.map_or_else(|| ">20".into(), |rank| rank.to_string())
}

/// What a round would come to.
pub(super) fn closing(report: &RoundReport) -> String {
    let would = match report.gate.decision {
        Decision::Published => "publish this",
        Decision::Rejected => "reject this, and count as an attempt",
        _ => "be skipped",
    };
    format!("nothing was changed, generation {} answers; a round now would {would}", report.generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(passed_over: u32, judged_not_relevant: bool, queries: usize) -> String {
        let pair = serde_json::json!({
            "document": "a.md", "answer": "b.md", "passed_over": passed_over, "shown": 6,
            "judged_not_relevant": judged_not_relevant, "queries": queries, "query": "fog",
        });
        confused(&serde_json::from_value(pair).unwrap())
    }

    #[test]
    fn evidence_is_said_in_words() {
        assert_eq!(pair(5, false, 1), "a.md was passed over in 5 of 6 answers where b.md is right: \"fog\"");
        assert_eq!(pair(0, true, 3), "a.md was judged not relevant where b.md is right: \"fog\" and 2 more");
        let both =
            "a.md was judged not relevant, and passed over in 5 of 6 answers, where b.md is right: \"fog\"";
        assert_eq!(pair(5, true, 1), both);
        let none = evidence_text(&LogEvidence::default());
        assert_eq!(none.lines().collect::<Vec<_>>(), ["to train on: 0 queries with 0 right documents"]);
    }
}
