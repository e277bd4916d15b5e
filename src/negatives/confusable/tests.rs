mod chains;
mod ends;
mod followed;
mod openings;

use std::collections::BTreeSet;

use super::*;
use crate::feedback::{Impression, Judgement, ShownHit, Verdict, normalise_query};
use crate::ids::ChunkId;
use crate::ids::{GenerationId, QueryId};
use proptest::prelude::*;

pub(super) fn shown(id: u64, query: &str, documents: &[&str]) -> Impression {
    let hits = documents.iter().zip(0..).map(|(document, chunk)| ShownHit {
        document: document.to_string(),
        chunk: Some(ChunkId(chunk)),
        lexical: None,
        dense: None,
        score: 1.0,
        standing: None,
    });
    Impression {
        query_id: QueryId(id),
        time_ms: id * 1000,
        generation: GenerationId(1),
        query: query.into(),
        words: None,
        session: None,
        trial: None,
        hits: hits.collect(),
    }
}

pub(super) fn said(id: u64, document: &str, verdict: Verdict) -> Judgement {
    Judgement { query_id: QueryId(id), time_ms: id * 1000 + 1, document: document.into(), verdict }
}

fn collect(impressions: Vec<Impression>, judgements: Vec<Judgement>) -> (Vec<Confusion>, CollectReport) {
    let replay = Replay { impressions, judgements, ..Replay::default() };
    collect_confusables(&replay, &mut ByName)
}

/// Copies and likeness by name: queries with the same first word ask for the same.
struct ByName;

impl Likeness for ByName {
    fn is_same_need(&mut self, before: &Impression, after: &Impression) -> bool {
        let first = |one: &Impression| one.query.split(' ').next().map(str::to_lowercase);
        first(before) == first(after)
    }

    fn is_there(&mut self, document: &str) -> bool {
        !document.starts_with("gone")
    }

    fn is_duplicate(&mut self, positive: &str, candidate: &str) -> bool {
        candidate == format!("copy of {positive}")
    }
}

/// Everything is a copy of everything, or nothing is.
struct AllDuplicates(bool);

impl Likeness for AllDuplicates {
    fn is_same_need(&mut self, _: &Impression, _: &Impression) -> bool {
        false
    }

    fn is_there(&mut self, _: &str) -> bool {
        true
    }

    fn is_duplicate(&mut self, _: &str, _: &str) -> bool {
        self.0
    }
}

fn names(confusion: &Confusion) -> Vec<&str> {
    confusion.confusables.iter().map(|one| one.document.as_str()).collect()
}

#[test]
fn what_stood_above_the_chosen_one_was_passed_over_and_what_stood_below_says_nothing() {
    let (confusions, _) =
        collect(vec![shown(1, "Q", &["a", "b", "c", "d"])], vec![said(1, "c", Verdict::Chosen)]);
    assert_eq!(names(&confusions[0]), ["a", "b"]);
    assert_eq!(confusions[0].positives, [ShownRef { document: "c".into(), chunk: Some(ChunkId(2)) }]);
    assert_eq!(
        (confusions[0].confusables[0].best_rank, confusions[0].confusables[1].best_rank),
        (Some(1), Some(2))
    );
}

#[test]
fn a_relevant_document_is_a_positive_but_passes_nothing_over() {
    let (confusions, _) = collect(vec![shown(1, "q", &["a", "b"])], vec![said(1, "b", Verdict::Relevant)]);
    assert!(confusions[0].confusables.is_empty());
}

#[test]
fn a_right_document_that_was_not_shown_passes_everything_over() {
    let (confusions, _) = collect(vec![shown(1, "q", &["a", "b"])], vec![said(1, "z", Verdict::Chosen)]);
    assert_eq!(names(&confusions[0]), ["a", "b"]);
    assert_eq!(confusions[0].positives, [ShownRef { document: "z".into(), chunk: None }]);
}

#[test]
fn another_judgement_of_the_same_text_saves_a_candidate() {
    let impressions = vec![shown(1, "same  TEXT", &["a", "b"]), shown(2, "Same text", &["a", "b"])];
    let judgements = vec![said(1, "b", Verdict::Chosen), said(2, "a", Verdict::Relevant)];
    let (confusions, report) = collect(impressions, judgements);
    assert_eq!(confusions.len(), 1);
    assert_eq!(confusions[0].query, "Same text");
    assert!(confusions[0].confusables.is_empty());
    assert_eq!(report.dropped_relevant_elsewhere, 1);
}

#[test]
fn of_one_answer_the_latest_word_on_a_document_counts() {
    let judgements = vec![
        said(1, "a", Verdict::Relevant),
        said(1, "b", Verdict::Chosen),
        said(1, "a", Verdict::NotRelevant),
    ];
    let (confusions, report) = collect(vec![shown(1, "q", &["a", "b"])], judgements);
    assert_eq!(names(&confusions[0]), ["a"]);
    assert!(confusions[0].confusables[0].judged_not_relevant);
    assert_eq!(report.dropped_superseded_judgement, 1);
}

#[test]
fn what_is_right_is_what_most_answers_were_told_and_what_any_was_told_is_never_held_against_the_query() {
    use Verdict::{Chosen, NotRelevant, Relevant};
    let told = |verdicts: &[Verdict]| {
        let ids = 1..=verdicts.len() as u64;
        let mut impressions: Vec<Impression> = ids.map(|id| shown(id, "q", &["a", "b"])).collect();
        // "b" is the answer; "a" ranks above it.
        impressions.push(shown(9, "q", &["a", "b"]));
        let mut judgements: Vec<Judgement> =
            verdicts.iter().zip(1..).map(|(&verdict, id)| said(id, "a", verdict)).collect();
        judgements.push(said(9, "b", Chosen));
        let (confusions, report) = collect(impressions, judgements);
        let has = |documents: &[ShownRef]| documents.iter().any(|one| one.document == "a");
        let found = match (has(&confusions[0].positives), has(&confusions[0].disputed)) {
            (true, false) => "positive",
            (false, true) => "disputed",
            (false, false) if names(&confusions[0]).contains(&"a") => "confusable",
            other => panic!("{other:?}"),
        };
        (found, report.dropped_relevant_elsewhere)
    };
    assert_eq!(told(&[]), ("confusable", 0));
    assert_eq!(told(&[NotRelevant, NotRelevant]), ("confusable", 0));
    assert_eq!(told(&[Chosen, Chosen, NotRelevant]), ("positive", 1));
    assert_eq!(told(&[NotRelevant, NotRelevant, Relevant]), ("disputed", 1));
    // In a tie the last one.
    assert_eq!(told(&[NotRelevant, Chosen]), ("positive", 1));
    assert_eq!(told(&[Chosen, NotRelevant]), ("disputed", 1));
}

#[test]
fn copies_of_the_positive_are_left_out() {
    let (confusions, report) =
        collect(vec![shown(1, "q", &["copy of b", "a", "b"])], vec![said(1, "b", Verdict::Chosen)]);
    assert_eq!(names(&confusions[0]), ["a"]);
    assert_eq!(report.dropped_duplicate_of_positive, 1);
}

#[test]
fn stronger_evidence_comes_first() {
    let impressions =
        vec![shown(1, "q", &["a", "b", "c"]), shown(2, "q", &["b", "c"]), shown(3, "q", &["d", "c"])];
    let mut judgements: Vec<Judgement> = (1..=3).map(|id| said(id, "c", Verdict::Chosen)).collect();
    judgements.push(said(3, "e", Verdict::NotRelevant));
    let (confusions, _) = collect(impressions, judgements);
    assert_eq!(names(&confusions[0]), ["e", "b", "d", "a"], "of equals the one seen last");
}

#[test]
fn evidence_is_rate_times_rank() {
    let of = |passed_over, shown, rank| {
        let one = Confusable {
            document: "d".into(),
            chunk: None,
            times_passed_over: passed_over,
            times_shown: shown,
            best_rank: Some(rank),
            last_seen_ms: 0,
            judged_not_relevant: false,
        };
        one.evidence()
    };
    assert_eq!((of(1, 1, 1), of(2, 2, 3), of(1, 5, 1)), (0.5, 0.3, 0.25));
}

#[test]
fn without_a_positive_or_an_impression_there_is_nothing_to_learn() {
    let (confusions, report) = collect(vec![shown(1, "q", &["a"])], vec![said(1, "a", Verdict::NotRelevant)]);
    assert!(confusions.is_empty());
    assert_eq!(report.dropped_no_positive, 1);
    assert!(collect(vec![shown(1, "q", &["a"])], vec![said(9, "a", Verdict::Chosen)]).0.is_empty());
}

#[test]
fn evidence_is_gathered_over_impressions_and_the_chunk_is_the_one_shown_last() {
    let mut later = shown(2, "q", &["x", "a", "a", "b"]);
    later.hits[1].chunk = Some(ChunkId(70));
    later.hits[2].chunk = Some(ChunkId(71));
    let judgements = vec![said(1, "b", Verdict::Chosen), said(2, "b", Verdict::Chosen)];
    let (confusions, report) = collect(vec![shown(1, "q", &["a", "b"]), later], judgements);
    let expected = Confusable {
        document: "a".into(),
        chunk: Some(ChunkId(70)),
        times_passed_over: 2,
        best_rank: Some(1),
        last_seen_ms: 2000,
        times_shown: 2,
        judged_not_relevant: false,
    };
    assert_eq!(confusions[0].confusables[0], expected);
    assert_eq!(expected.evidence(), 0.6);
    assert_eq!(report.dropped_superseded_judgement, 0, "they are two answers");
}

#[test]
fn a_choice_taken_back_passes_nothing_over() {
    let judgements = vec![
        said(1, "c", Verdict::Chosen),
        said(1, "c", Verdict::NotRelevant),
        said(1, "b", Verdict::Relevant),
    ];
    let (confusions, _) = collect(vec![shown(1, "q", &["a", "b", "c"])], judgements);
    assert_eq!(names(&confusions[0]), ["c"]);
}

#[test]
fn a_choice_in_one_impression_says_nothing_of_another_that_was_left() {
    let impressions = vec![shown(1, "q", &["a", "b"]), shown(2, "q", &["c", "b"])];
    let (confusions, _) = collect(impressions, vec![said(1, "b", Verdict::Chosen)]);
    assert_eq!(names(&confusions[0]), ["a"]);
}

#[test]
fn a_judgement_of_a_query_that_is_gone_is_counted() {
    let (_, report) = collect(Vec::new(), vec![said(9, "a", Verdict::Chosen)]);
    assert_eq!(report.dropped_judgement_without_query, 1);
    let mut counts = Vec::new();
    report.each(|what, count| counts.extend((count > 0).then(|| (what.to_string(), count))));
    assert_eq!(counts, [("dropped_judgement_without_query".to_string(), 1)]);
}

type Pairs = BTreeSet<(String, String)>;

/// The definition, read literally: (text, document) pairs that are positives, and confusables.
fn by_definition(replay: &Replay) -> (Pairs, Pairs) {
    let text_of = |id: QueryId| {
        let impression = replay.impressions.iter().find(|one| one.query_id == id);
        impression.map(|one| normalise_query(&one.query))
    };
    // The last verdict on a document in each impression of a text, in log order.
    let words = |text: &str, document: &str| -> Vec<Verdict> {
        let about =
            |one: &Judgement| one.document == document && text_of(one.query_id).as_deref() == Some(text);
        let judgements = || replay.judgements.iter().enumerate();
        let replaced = |place: usize, one: &Judgement| {
            judgements().any(|(other, two)| other > place && about(two) && two.query_id == one.query_id)
        };
        let last = judgements().filter(|(place, one)| about(one) && !replaced(*place, one));
        last.map(|(_, one)| one.verdict).collect()
    };
    let may_answer =
        |text: &str, document: &str| words(text, document).iter().any(|&one| one != Verdict::NotRelevant);
    let is_positive = |text: &str, document: &str| {
        let words = words(text, document);
        let against = words.iter().filter(|&&one| one == Verdict::NotRelevant).count();
        let last_is_for_it = words.last().is_some_and(|&one| one != Verdict::NotRelevant);
        2 * against < words.len() || (2 * against == words.len() && last_is_for_it)
    };
    let (mut positives, mut confusables) = (BTreeSet::new(), BTreeSet::new());
    for one in &replay.judgements {
        let Some(text) = text_of(one.query_id) else { continue };
        if is_positive(&text, &one.document) {
            positives.insert((text, one.document.clone()));
        } else if !may_answer(&text, &one.document) {
            confusables.insert((text, one.document.clone()));
        }
    }
    for impression in &replay.impressions {
        let text = normalise_query(&impression.query);
        let is_positive = |document: &str| positives.contains(&(text.clone(), document.into()));
        for document in passed_over(replay, impression, &is_positive) {
            if !may_answer(&text, document) {
                confusables.insert((text.clone(), document.into()));
            }
        }
    }
    let answered: BTreeSet<String> = positives.iter().map(|(text, _)| text.clone()).collect();
    confusables.retain(|(text, _)| answered.contains(text));
    (positives, confusables)
}

/// The hits above the lowest answer that was chosen among them; all of them if it was not there.
fn passed_over<'a>(
    replay: &Replay,
    impression: &'a Impression,
    is_positive: &dyn Fn(&str) -> bool,
) -> Vec<&'a str> {
    let is_chosen = |document: &str| {
        let about = |one: &&Judgement| one.query_id == impression.query_id && one.document == document;
        let words: Vec<Verdict> = replay.judgements.iter().filter(about).map(|one| one.verdict).collect();
        let since = words.rsplit(|&one| one == Verdict::NotRelevant).next().unwrap_or_default();
        since.contains(&Verdict::Chosen)
    };
    let is_pick = |document: &str| is_chosen(document) && is_positive(document);
    let lowest = impression.hits.iter().rposition(|hit| is_pick(&hit.document));
    let picked = replay.judgements.iter().any(|one| is_pick(&one.document));
    let looked_at = lowest.unwrap_or(if picked { impression.hits.len() } else { 0 });
    impression.hits[..looked_at].iter().map(|hit| hit.document.as_str()).collect()
}

proptest! {
    #[test]
    fn what_is_collected_is_what_the_definition_says_and_no_confusable_is_a_positive(
        shows in prop::collection::vec((0u64..4, prop::collection::vec(0u8..6, 0..6)), 1..8),
        words in prop::collection::vec((0u64..8, 0u8..6, 0u8..3), 0..12),
    ) {
        let impressions = shows.iter().zip(0..).map(|((text, documents), id)| {
            let mut seen = BTreeSet::new();
            let names: Vec<String> =
                documents.iter().filter(|d| seen.insert(**d)).map(|d| format!("d{d}")).collect();
            shown(id, &format!("text {text}"), &names.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let verdicts = [Verdict::Chosen, Verdict::Relevant, Verdict::NotRelevant];
        let judgements = words.iter().map(|&(id, d, v)| said(id, &format!("d{d}"), verdicts[usize::from(v)]));
        let replay = Replay {
            impressions: impressions.collect(), judgements: judgements.collect(), ..Replay::default()
        };
        let (positives, confusables) = by_definition(&replay);
        prop_assert!(positives.is_disjoint(&confusables));
        let (confusions, _) = collect_confusables(&replay, &mut AllDuplicates(false));
        let pairs = |documents: &dyn Fn(&Confusion) -> Vec<String>| -> Pairs {
            let of = |one: &Confusion| -> Vec<_> {
                documents(one).into_iter().map(|d| (one.normalised.clone(), d)).collect()
            };
            confusions.iter().flat_map(of).collect()
        };
        prop_assert_eq!(pairs(&|one| one.positives.iter().map(|p| p.document.clone()).collect()), positives);
        let found = pairs(&|one| one.confusables.iter().map(|c| c.document.clone()).collect());
        prop_assert_eq!(found, confusables.clone());
        for one in confusions.iter().flat_map(|one| &one.confusables) {
            prop_assert!(one.judged_not_relevant || one.times_passed_over > 0);
            prop_assert_eq!(one.best_rank.is_some(), one.times_passed_over > 0);
        }
        // If everything counts as a duplicate, each of them is counted.
        let (_, report) = collect_confusables(&replay, &mut AllDuplicates(true));
        prop_assert_eq!(report.dropped_duplicate_of_positive, confusables.len() as u64);
    }
}
