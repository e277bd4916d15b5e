//! What the end of a need says about its earlier wordings.

use super::*;
use Verdict::{Chosen, NotRelevant, Opened, Withdrawn};

/// An answer of the session `s` that shows `documents`, `id` seconds after it began.
fn asked(id: u64, query: &str, documents: &[&str]) -> Impression {
    Impression { session: Some("s".into()), ..shown(id, query, documents) }
}

/// What is known of one query.
#[derive(Debug, PartialEq)]
struct Known {
    positives: Vec<String>,
    disputed: Vec<String>,
    confusables: Vec<String>,
    weight: f64,
    is_in_other_words: bool,
}

fn of(confusions: &[Confusion], query: &str) -> Option<Known> {
    let one = confusions.iter().find(|one| one.normalised == query)?;
    let documents = |shown: &[ShownRef]| shown.iter().map(|one| one.document.clone()).collect();
    Some(Known {
        positives: documents(&one.positives),
        disputed: documents(&one.disputed),
        confusables: names(one).into_iter().map(String::from).collect(),
        weight: one.weight,
        is_in_other_words: one.is_in_other_words,
    })
}

/// `weight`: below 0 if the answers are known from other words only.
fn told(positives: &[&str], disputed: &[&str], confusables: &[&str], weight: f64) -> Option<Known> {
    let of = |documents: &[&str]| documents.iter().map(|one| one.to_string()).collect();
    Some(Known {
        positives: of(positives),
        disputed: of(disputed),
        confusables: of(confusables),
        weight: weight.abs(),
        is_in_other_words: weight < 0.0,
    })
}

#[test]
fn what_ends_a_need_answers_its_earlier_wordings_and_their_first_hits_were_passed_over() {
    let impressions = vec![
        asked(1, "lock leak", &["a", "b", "c"]),
        asked(2, "lock drip", &["d", "a", "e"]),
        asked(3, "lock seal", &["f", "x"]),
    ];
    let (confusions, report) = collect(impressions, vec![said(3, "x", Opened)]);
    assert_eq!(of(&confusions, "lock leak"), told(&["x"], &[], &["a", "b"], -0.5));
    assert_eq!(of(&confusions, "lock drip"), told(&["x"], &[], &["d", "a"], -0.5));
    assert_eq!(of(&confusions, "lock seal"), told(&["x"], &[], &["f"], 0.5));
    assert_eq!(report.answered_in_other_words, 2);
}

#[test]
fn of_all_that_was_opened_for_a_need_only_the_last_is_an_answer_and_the_others_are_neither() {
    let impressions = vec![asked(1, "lock leak", &["a", "b", "x"]), asked(2, "lock seal", &["f", "x"])];
    let judgements = vec![said(1, "a", Opened), said(2, "f", Opened), said(2, "x", Opened)];
    let (confusions, _) = collect(impressions.clone(), judgements);
    assert_eq!(of(&confusions, "lock leak"), told(&["x"], &[], &["b"], -0.5));
    assert_eq!(of(&confusions, "lock seal"), told(&["x"], &[], &[], 0.5));
    // The end was a bounce: what was opened before is the answer again, and it was opened for the first wording.
    let judgements = vec![said(1, "b", Opened), said(2, "x", Opened), said(2, "x", Withdrawn)];
    let (confusions, _) = collect(impressions, judgements);
    assert_eq!(of(&confusions, "lock leak"), told(&["b"], &[], &["a"], 0.5));
    assert_eq!(of(&confusions, "lock seal"), None);
}

#[test]
fn a_later_wording_learns_nothing_from_an_earlier_one() {
    let impressions = vec![asked(1, "lock leak", &["a", "b"]), asked(2, "lock seal", &["f", "x"])];
    let (confusions, _) = collect(impressions, vec![said(1, "b", Chosen)]);
    assert_eq!(of(&confusions, "lock seal"), None);
}

#[test]
fn another_subject_another_session_and_a_long_pause_begin_another_need() {
    let end = |impression: Impression| {
        let (id, x) = (impression.query_id.0, "x");
        let impressions = vec![asked(1, "lock leak", &["a", "b"]), impression];
        let (confusions, _) = collect(impressions, vec![said(id, x, Opened)]);
        of(&confusions, "lock leak").is_some()
    };
    assert!(end(asked(600, "lock seal", &["f", "x"])));
    assert!(!end(asked(602, "lock seal", &["f", "x"])), "more than ten minutes later");
    assert!(!end(asked(2, "boat hire", &["f", "x"])));
    assert!(!end(shown(2, "lock seal", &["f", "x"])), "without a session");
    let session = Some("other".to_string());
    assert!(!end(Impression { session, ..asked(2, "lock seal", &["f", "x"]) }));
}

#[test]
fn a_wording_that_comes_again_goes_on_with_its_need() {
    let impressions = vec![
        asked(1, "lock leak", &["a", "b"]),
        asked(2, "boat hire", &["c"]),
        asked(3, "Lock leak", &["a", "b"]),
        asked(4, "lock seal", &["f", "x"]),
    ];
    let (confusions, _) = collect(impressions, vec![said(4, "x", Opened)]);
    assert_eq!(of(&confusions, "lock leak"), told(&["x"], &[], &["a", "b"], -0.5), "one need");
    assert_eq!(of(&confusions, "boat hire"), None);
}

#[test]
fn an_answer_that_enough_needs_agree_on_counts_and_the_others_may_be_answers() {
    let mut impressions = Vec::new();
    let mut judgements = Vec::new();
    for (at, answer) in ["x", "y", "x", "z"].into_iter().enumerate() {
        let (first, session) = (10 * (at as u64 + 1), Some(format!("user {at}")));
        for (id, query, hits) in [(first, "lock leak", ["y", "b"]), (first + 1, "lock seal", ["f", answer])] {
            impressions.push(Impression { session: session.clone(), ..shown(id, query, &hits) });
        }
        judgements.push(said(first + 1, answer, Opened));
    }
    let (confusions, _) = collect(impressions.clone(), judgements.clone());
    assert_eq!(of(&confusions, "lock leak"), told(&["x"], &["z"], &["y", "b"], -2.0 / 3.0));
    // What was judged for the text itself outweighs all of that.
    impressions.push(shown(99, "lock leak", &["y", "w", "b"]));
    judgements.push(said(99, "w", Chosen));
    let (confusions, _) = collect(impressions, judgements);
    assert_eq!(of(&confusions, "lock leak"), told(&["w"], &["x", "y", "z"], &["b"], 1.0));
}

#[test]
fn a_document_judged_wrong_for_a_text_does_not_become_its_answer() {
    let impressions = vec![asked(1, "lock leak", &["x", "b"]), asked(2, "lock seal", &["f", "x"])];
    let (confusions, report) = collect(impressions, vec![said(1, "x", NotRelevant), said(2, "x", Opened)]);
    assert_eq!(of(&confusions, "lock leak"), None);
    assert!(report.dropped_no_positive > 0);
}
