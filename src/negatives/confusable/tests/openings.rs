//! What opened documents and withdrawn verdicts mean.

use super::*;
use Verdict::{Chosen, NotRelevant, Opened, Relevant, Withdrawn};

fn in_session(id: u64, session: &str, query: &str, documents: &[&str]) -> Impression {
    Impression { session: Some(session.into()), ..shown(id, query, documents) }
}

fn right(confusion: &Confusion) -> Vec<&str> {
    confusion.positives.iter().map(|one| one.document.as_str()).collect()
}

/// The positives and the confusables of one answer that shows a to e, after what was said of it.
fn after(words: &[(&str, Verdict)]) -> (Vec<String>, Vec<String>) {
    let judgements = words.iter().map(|(document, verdict)| said(1, document, *verdict)).collect();
    let (confusions, _) = collect(vec![shown(1, "q", &["a", "b", "c", "d", "e"])], judgements);
    let of = |documents: Vec<&str>| documents.into_iter().map(String::from).collect();
    confusions.first().map_or_else(Default::default, |one| (of(right(one)), of(names(one))))
}

fn told(positives: &[&str], confusables: &[&str]) -> (Vec<String>, Vec<String>) {
    let of = |documents: &[&str]| documents.iter().map(|one| one.to_string()).collect();
    (of(positives), of(confusables))
}

#[test]
fn an_opened_document_is_the_answer_and_what_stood_above_it_was_passed_over() {
    assert_eq!(after(&[("c", Opened)]), told(&["c"], &["a", "b"]));
    assert_eq!(after(&[("c", Opened)]), after(&[("c", Chosen)]));
    assert_eq!(after(&[("z", Opened)]), told(&["z"], &["a", "b", "c", "d", "e"]), "one that was not shown");
}

#[test]
fn the_last_opened_one_is_the_answer_and_one_opened_before_is_neither_right_nor_wrong() {
    assert_eq!(after(&[("b", Opened), ("d", Opened)]), told(&["d"], &["a", "c"]));
    assert_eq!(after(&[("d", Opened), ("b", Opened)]), told(&["b"], &["a"]));
    assert_eq!(
        after(&[("b", Opened), ("d", Opened), ("b", Opened)]),
        told(&["b"], &["a"]),
        "back to the first"
    );
}

#[test]
fn a_bounce_makes_the_one_opened_before_the_answer_and_is_no_evidence_against_the_document() {
    assert_eq!(after(&[("b", Opened), ("b", Withdrawn)]), told(&[], &[]));
    assert_eq!(after(&[("d", Opened), ("b", Opened), ("b", Withdrawn)]), told(&["d"], &["a", "c"]));
    assert_eq!(after(&[("b", Opened), ("b", Withdrawn), ("d", Opened)]), told(&["d"], &["a", "c"]));
    assert_eq!(
        after(&[("b", Opened), ("b", Withdrawn), ("b", Opened)]),
        told(&["b"], &["a"]),
        "opened again"
    );
    assert_eq!(after(&[("b", Opened), ("b", Withdrawn), ("c", Chosen)]), told(&["c"], &["a"]));
}

#[test]
fn what_was_chosen_or_judged_relevant_overrules_what_was_opened_before_or_later() {
    for yes in [Chosen, Relevant] {
        let above: &[&str] = if yes == Chosen { &["a"] } else { &[] };
        assert_eq!(after(&[("b", Opened), ("c", yes), ("d", Opened)]), told(&["c"], above), "{yes:?}");
        // Without it the last one opened counts again.
        let withdrawn = after(&[("b", Opened), ("c", yes), ("d", Opened), ("c", Withdrawn)]);
        assert_eq!(withdrawn, told(&["d"], &["a", "c"]), "{yes:?}");
    }
    // Opened among the hits and judged relevant is picked.
    assert_eq!(after(&[("b", Opened), ("d", Opened), ("d", Relevant)]), told(&["d"], &["a", "c"]));
    assert_eq!(after(&[("d", Relevant), ("d", Opened)]), told(&["d"], &["a", "b", "c"]));
}

#[test]
fn what_was_judged_not_relevant_is_not_the_answer_whenever_it_was_opened() {
    assert_eq!(after(&[("d", Opened), ("b", Opened), ("b", NotRelevant)]), told(&["d"], &["b", "a", "c"]));
    assert_eq!(after(&[("d", Opened), ("b", NotRelevant), ("b", Opened)]), told(&["d"], &["b", "a", "c"]));
    assert_eq!(after(&[("b", Opened), ("b", NotRelevant)]), told(&[], &[]));
}

#[test]
fn withdrawing_takes_back_an_opening_if_it_came_last_and_otherwise_the_verdict() {
    for verdict in [Chosen, Relevant, NotRelevant] {
        assert_eq!(after(&[("c", verdict), ("c", Withdrawn)]), told(&[], &[]), "{verdict:?}");
        let before = after(&[("e", Opened), ("c", verdict)]);
        // The bounce of a document that has a verdict leaves it.
        let bounced = after(&[("e", Opened), ("c", verdict), ("c", Opened), ("c", Withdrawn)]);
        assert_eq!(bounced, before, "{verdict:?}");
        // Undoing the verdict leaves that it was opened.
        let undone = after(&[("c", Opened), ("c", verdict), ("c", Withdrawn)]);
        assert_eq!(undone, after(&[("c", Opened)]), "{verdict:?}");
        let twice = after(&[("c", Opened), ("c", verdict), ("c", Withdrawn), ("c", Withdrawn)]);
        assert_eq!(twice, told(&[], &[]), "{verdict:?}");
    }
    assert_eq!(after(&[("c", Chosen), ("c", NotRelevant), ("c", Withdrawn)]), told(&[], &[]), "all verdicts");
    assert_eq!(after(&[("c", Withdrawn), ("c", Chosen)]), after(&[("c", Chosen)]), "there was nothing yet");
    assert_eq!(after(&[("c", Chosen), ("b", Withdrawn)]), after(&[("c", Chosen)]), "another document");
}

#[test]
fn the_last_one_opened_counts_over_all_answers_to_a_query_in_a_session() {
    let impressions = || {
        vec![
            in_session(1, "s", "Q", &["a", "b", "c"]),
            in_session(2, "s", "q ", &["a", "b", "c", "d"]),
            in_session(3, "s", "another", &["a", "b"]),
        ]
    };
    let judgements = || vec![said(1, "b", Opened), said(3, "b", Opened), said(2, "d", Opened)];
    let (confusions, report) = collect(impressions(), judgements());
    let found: Vec<_> = confusions.iter().map(|one| (&*one.normalised, right(one), names(one))).collect();
    assert_eq!(found, [("another", vec!["b"], vec!["a"]), ("q", vec!["d"], vec!["a", "c"])]);
    assert_eq!(report.dropped_overruled_opening, 1);

    // A verdict in one answer overrules what was opened in another.
    let chosen = [judgements(), vec![said(1, "c", Chosen)]].concat();
    assert_eq!(right(&collect(impressions(), chosen).0[1]), ["c"]);
    let refused = [judgements(), vec![said(1, "d", NotRelevant)]].concat();
    let (confusions, _) = collect(impressions(), refused);
    assert_eq!((right(&confusions[1]), names(&confusions[1])), (vec!["b"], vec!["d", "a"]));
    // What is withdrawn in one answer stands in another.
    let bounced = [judgements(), vec![said(1, "d", Opened), said(1, "d", Withdrawn)]].concat();
    assert_eq!(right(&collect(impressions(), bounced).0[1]), ["d"]);
}

#[test]
fn other_sessions_and_answers_without_one_are_questions_of_their_own() {
    let judgements = || vec![said(1, "b", Opened), said(2, "d", Opened)];
    let documents = ["a", "b", "c", "d"];
    let two = vec![in_session(1, "s", "q", &documents), in_session(2, "t", "q", &documents)];
    let none = vec![shown(1, "q", &documents), shown(2, "q", &documents)];
    for impressions in [two, none] {
        let (confusions, _) = collect(impressions, judgements());
        assert_eq!((right(&confusions[0]), names(&confusions[0])), (vec!["b", "d"], vec!["a", "c"]));
    }
}

#[test]
fn what_one_session_left_may_be_passed_over_by_another() {
    let impressions = vec![in_session(1, "s", "q", &["a", "b"]), in_session(2, "t", "q", &["a", "b"])];
    let judgements = vec![said(1, "a", Opened), said(1, "b", Opened), said(2, "b", Opened)];
    let (confusions, _) = collect(impressions, judgements);
    assert_eq!((right(&confusions[0]), names(&confusions[0])), (vec!["b"], vec!["a"]));
    let one = &confusions[0].confusables[0];
    assert_eq!((one.times_passed_over, one.times_shown), (1, 2), "opened and left is not passed over");
}

#[test]
fn in_a_tie_of_answers_a_verdict_decides_not_that_it_was_opened_last() {
    let impressions = || (1..=3).map(|id| shown(id, "q", &["a"])).collect::<Vec<_>>();
    let tie = vec![said(1, "a", NotRelevant), said(2, "a", Opened), said(3, "b", Chosen)];
    let (confusions, _) = collect(impressions(), tie);
    assert_eq!(right(&confusions[0]), ["b"]);
    assert_eq!(confusions[0].disputed.len(), 1, "nor is it held against the query");
    let most = vec![said(1, "a", Opened), said(2, "a", Opened), said(3, "a", NotRelevant)];
    assert_eq!(right(&collect(impressions(), most).0[0]), ["a"]);
}

#[test]
fn what_was_withdrawn_and_overruled_is_counted() {
    let judgements = vec![
        said(1, "a", Opened),
        said(1, "a", Withdrawn),
        said(1, "a", Withdrawn),
        said(1, "b", Opened),
        said(1, "b", Opened),
        said(1, "c", Opened),
    ];
    let (_, report) = collect(vec![shown(1, "q", &["a", "b", "c"])], judgements);
    let mut counts = Vec::new();
    report.each(|what, count| counts.extend((count > 0).then(|| (what.to_string(), count))));
    let expected = [
        ("dropped_superseded_judgement", 1),
        ("dropped_withdrawn_judgement", 1),
        ("dropped_overruled_opening", 1),
    ];
    assert_eq!(counts, expected.map(|(what, count)| (what.to_string(), count)));
}

#[test]
fn of_many_who_ask_some_open_a_wrong_document_and_most_outvote_them() {
    let opened = |documents: &[&str]| {
        let ids = 1..=documents.len() as u64;
        let mut impressions: Vec<Impression> = ids.map(|id| shown(id, "q", &["a", "b", "c", "d"])).collect();
        // Another query, so that a need without an end speaks against what few have opened.
        impressions.extend((101..=120).map(|id| shown(id, "another", &["a"])));
        let picks = documents.iter().zip(1..).filter(|(document, _)| !document.is_empty());
        let mut judgements: Vec<Judgement> = picks.map(|(document, id)| said(id, document, Opened)).collect();
        judgements.extend((101..=120).map(|id| said(id, "a", Opened)));
        let (confusions, report) = collect(impressions, judgements);
        let one = confusions.into_iter().find(|one| one.normalised == "q");
        let known = one.map(|one| {
            let right = right(&one).join(" ");
            (right, one.disputed.len(), names(&one).join(" "), one.weight)
        });
        (known, report.dropped_too_few_agree)
    };
    let known = |right: &str, disputed, passed_over: &str, weight| {
        Some((right.to_string(), disputed, passed_over.to_string(), weight))
    };
    // "b" above "c" was passed over by those who found "c".
    assert_eq!(opened(&["c"; 3]), (known("c", 0, "a b", 0.75), 0));
    assert_eq!(opened(&["c", "c", "a"]), (known("c", 1, "b", 2.0 / 3.0), 1), "one of three may be right");
    assert_eq!(opened(&["c", "c", "c", "a"]), (known("c", 0, "a b", 0.75), 1), "three passed it over");
    assert_eq!(opened(&["a", "a", "c", "c", "d", "b"]), (known("a c", 2, "", 2.0 / 3.0), 2));
    assert_eq!(opened(&["a", "b"]), (known("a b", 0, "", 0.5), 0));
    // Usually somebody finds something. The two who opened one document each were in despair.
    assert_eq!(opened(&["a", "b", "", "", "", "", "", ""]), (None, 2));
}

#[test]
fn one_who_comes_back_to_a_list_passes_it_over_once() {
    let impressions = |times: u64| {
        let mut impressions = vec![shown(1, "q", &["a", "c"])];
        impressions.extend((0..times).map(|at| in_session(2 + at, "s", "q", &["a", "c"])));
        impressions.extend((100..102).map(|id| shown(id, "q", &["c"])));
        impressions
    };
    let judgements = |times: u64| {
        let again = (0..times).map(|at| said(2 + at, "c", Chosen));
        let judgements = [said(1, "a", Opened), said(100, "c", Opened), said(101, "c", Opened)];
        judgements.into_iter().chain(again).collect::<Vec<_>>()
    };
    let (confusions, _) = collect(impressions(5), judgements(5));
    assert_eq!(
        (right(&confusions[0]), names(&confusions[0]), confusions[0].disputed.len()),
        (vec!["c"], vec![], 1)
    );
}

#[test]
fn what_is_gone_has_no_vote() {
    let opened = |documents: &[&str]| {
        let impressions = (1..=documents.len() as u64).map(|id| shown(id, "q", &["a", "b"])).collect();
        let judgements = documents.iter().zip(1..).map(|(document, id)| said(id, document, Opened)).collect();
        let (confusions, _) = collect(impressions, judgements);
        confusions.first().map(|one| (right(one).join(" "), one.weight))
    };
    let known = |right: &str, weight| Some((right.to_string(), weight));
    let renamed = ["gone.md"; 8].into_iter().chain(["b"]).collect::<Vec<_>>();
    assert_eq!(opened(&renamed), known("b gone.md", 0.5), "the round counts and drops what is gone");
    assert_eq!(opened(&["a", "a", "a", "a", "a", "a", "b"]), known("a", 6.0 / 7.0));
}

#[test]
fn one_judged_not_relevant_is_a_confusable_though_others_ended_with_it_in_other_words() {
    let impressions = vec![
        in_session(1, "s", "lock leak", &["x", "b"]),
        in_session(2, "t", "lock leak", &["x", "b"]),
        in_session(3, "t", "lock seal", &["x"]),
    ];
    let judgements = vec![said(1, "x", NotRelevant), said(1, "b", Chosen), said(3, "x", Opened)];
    let (confusions, _) = collect(impressions, judgements);
    assert_eq!(
        (right(&confusions[0]), names(&confusions[0]), confusions[0].disputed.len()),
        (vec!["b"], vec!["x"], 0)
    );
}

#[test]
fn a_choice_counts_however_few_agree() {
    let impressions = || (1..=8).map(|id| shown(id, "q", &["a", "b", "c"])).collect::<Vec<_>>();
    let opened = || (2..=8).map(|id| said(id, "b", Opened)).collect::<Vec<_>>();
    let known = |verdict| {
        let (confusions, _) = collect(impressions(), [vec![said(1, "c", verdict)], opened()].concat());
        (right(&confusions[0]).join(" "), confusions[0].weight)
    };
    assert_eq!(known(Chosen), ("b c".to_string(), 1.0));
    assert_eq!(known(Relevant), ("b c".to_string(), 1.0));
    assert_eq!(known(Opened), ("b".to_string(), 7.0 / 8.0));
}

/// A log in which nothing is opened or withdrawn, and which means the same. Read literally: what stands of each
/// document in each answer, then for each question (a text and a session, or an answer) the last opening, as a choice.
/// What was opened is not among the hits, but for the picks.
fn spelled_out(replay: &Replay) -> Replay {
    let question = |id: QueryId| {
        let asked = replay.impressions.iter().find(|one| one.query_id == id)?;
        let alone = asked.session.is_none().then_some(id);
        Some((normalise_query(&asked.query), asked.session.clone(), alone))
    };
    let stands = |place: usize| {
        let one = &replay.judgements[place];
        // A later withdrawal takes back the nearest opening before it, if that is behind the nearest verdict that
        // stands, and otherwise all verdicts before it.
        let mut rest: Vec<usize> = Vec::new();
        for (at, other) in replay.judgements.iter().enumerate() {
            if (other.query_id, &other.document) != (one.query_id, &one.document) {
                continue;
            }
            if other.verdict != Withdrawn {
                rest.push(at);
                continue;
            }
            let opening = |at: &usize| replay.judgements[*at].verdict == Opened;
            let last = rest.last().copied();
            rest.retain(|at| last.is_none_or(|last| opening(at) != opening(&last)));
        }
        rest.contains(&place)
    };
    let about = |verdicts: &[Verdict], id: QueryId, document: Option<&str>| {
        replay.judgements.iter().enumerate().any(|(place, one)| {
            verdicts.contains(&one.verdict)
                && question(one.query_id) == question(id)
                && document.is_none_or(|document| document == one.document)
                && stands(place)
                // The last verdict of the answer on the document.
                && !replay.judgements.iter().enumerate().any(|(later, other)| {
                    later > place
                        && (other.query_id, &other.document) == (one.query_id, &one.document)
                        && !matches!(other.verdict, Opened | Withdrawn)
                        && stands(later)
                })
        })
    };
    let counts = |place: &usize| {
        let one = &replay.judgements[*place];
        one.verdict == Opened
            && stands(*place)
            && question(one.query_id).is_some()
            && !about(&[Chosen, Relevant], one.query_id, None)
            && !about(&[NotRelevant], one.query_id, Some(&one.document))
    };
    let openings: Vec<usize> = (0..replay.judgements.len()).filter(counts).collect();
    let is_last = |place: &usize| {
        let asked = question(replay.judgements[*place].query_id);
        !openings.iter().any(|other| other > place && question(replay.judgements[*other].query_id) == asked)
    };
    let picks: Vec<usize> = openings.iter().copied().filter(is_last).collect();
    // The questions of a text, and those of them that ended: with this document, or with any.
    let texts = |text: &str| -> Vec<&Impression> {
        replay.impressions.iter().filter(|one| normalise_query(&one.query) == text).collect()
    };
    let asked =
        |text: &str| texts(text).iter().map(|one| question(one.query_id)).collect::<BTreeSet<_>>().len();
    let judged = |id: QueryId, document: Option<&str>| about(&[Chosen, Relevant], id, document);
    let ended = |text: &str, document: Option<&str>| {
        let picked = |id: QueryId| {
            let mut of = picks.iter().map(|&place| &replay.judgements[place]);
            of.any(|one| {
                question(one.query_id) == question(id)
                    && document.is_none_or(|document| document == one.document)
            })
        };
        let with_end =
            texts(text).into_iter().filter(|one| judged(one.query_id, document) || picked(one.query_id));
        with_end.map(|one| question(one.query_id)).collect::<BTreeSet<_>>().len()
    };
    let all: BTreeSet<String> = replay.impressions.iter().map(|one| normalise_query(&one.query)).collect();
    let sum = |of: &dyn Fn(&str) -> usize| all.iter().map(|text| of(text)).sum::<usize>() as f64;
    let usually_ended = sum(&|text| ended(text, None)) / sum(&asked);
    let is_outvoted = |place: &usize| {
        let one = &replay.judgements[*place];
        let Some((text, ..)) = question(one.query_id) else { return false };
        let document = Some(one.document.as_str());
        let refuses = |id: QueryId| {
            let mut about_it = replay.judgements.iter().enumerate().filter(|(place, other)| {
                (other.query_id, &other.document) == (id, &one.document)
                    && !matches!(other.verdict, Opened | Withdrawn)
                    && stands(*place)
            });
            about_it.next_back().is_some_and(|(_, last)| last.verdict == NotRelevant)
        };
        let against = texts(&text).into_iter().filter(|other| refuses(other.query_id)).count();
        let with_end = ended(&text, None) as f64;
        let needs = with_end.max((asked(&text) as f64 * usually_ended).min(3.0 * with_end));
        let agreeing = ended(&text, document);
        agreeing > against
            && agreeing as f64 / (needs + 1.0) <= 0.25
            && !texts(&text).iter().any(|one| judged(one.query_id, document))
    };
    let (outvoted, picks): (Vec<usize>, Vec<usize>) = picks.iter().partition(|place| is_outvoted(place));
    // First, so that none decides a tie.
    let mut judgements: Vec<Judgement> = picks
        .iter()
        .map(|&place| Judgement { verdict: Chosen, ..replay.judgements[place].clone() })
        .collect();
    for (place, one) in replay.judgements.iter().enumerate() {
        if !matches!(one.verdict, Opened | Withdrawn) && stands(place) {
            judgements.push(one.clone());
            let opened = |at: usize, other: &Judgement| {
                (other.query_id, &other.document, other.verdict) == (one.query_id, &one.document, Opened)
                    && stands(at)
            };
            if one.verdict == Relevant
                && replay.judgements.iter().enumerate().any(|(at, other)| opened(at, other))
            {
                judgements.push(Judgement { verdict: Chosen, ..one.clone() });
            }
        }
    }
    let mut impressions = replay.impressions.clone();
    for impression in &mut impressions {
        let picked = |document: &str| {
            judgements.iter().any(|one| (one.query_id, &*one.document) == (impression.query_id, document))
        };
        let opened = |document: &str| {
            let here = question(impression.query_id);
            let mut of =
                replay.judgements.iter().filter(|one| one.verdict == Opened && one.document == document);
            of.any(|one| question(one.query_id) == here)
        };
        impression.hits.retain(|hit| picked(&hit.document) || !opened(&hit.document));
        impression.session = None;
    }
    // Where more than twice as many pass a document over as end with it, nobody has opened it. Else somebody has said
    // one thing of it, and another the other.
    let without = Replay { impressions, judgements, ..Replay::default() };
    let (positives, _) = by_definition(&without);
    let passed_over_by = |text: &str, document: &str| {
        let is_positive = |one: &str| positives.contains(&(text.to_string(), one.to_string()));
        let of = without.impressions.iter().filter(|one| normalise_query(&one.query) == text);
        let pass = of.filter(|one| passed_over(&without, one, &is_positive).contains(&document));
        pass.map(|one| question(one.query_id)).collect::<BTreeSet<_>>().len()
    };
    let is_misleading =
        |text: &str, document: &str| passed_over_by(text, document) > 2 * ended(text, Some(document));
    let mut disputed = Vec::new();
    for place in outvoted {
        let one = &replay.judgements[place];
        let text =
            question(one.query_id).map(|(text, ..)| text).filter(|text| !is_misleading(text, &one.document));
        disputed.extend(text.map(|text| (text, one.clone())));
    }
    let Replay { mut impressions, mut judgements, .. } = without;
    for ((text, one), id) in disputed.into_iter().zip(1000..) {
        impressions.push(shown(id, &text, &[]));
        judgements.push(Judgement { verdict: Chosen, ..one.clone() });
        judgements.push(Judgement { query_id: QueryId(id), verdict: NotRelevant, ..one });
    }
    Replay { impressions, judgements, ..Replay::default() }
}

fn meaning(replay: &Replay) -> Vec<(String, Vec<String>, BTreeSet<String>)> {
    let (confusions, _) = collect_confusables(replay, &mut AllDuplicates(false));
    let of = |one: &Confusion| {
        let right = one.positives.iter().map(|one| one.document.clone()).collect();
        (one.normalised.clone(), right, one.confusables.iter().map(|one| one.document.clone()).collect())
    };
    confusions.iter().map(of).collect()
}

proptest! {
    #[test]
    fn openings_and_withdrawals_mean_what_the_rules_say_read_literally(
        shows in prop::collection::vec((0u64..2, 0u8..6, prop::collection::vec(0u8..5, 0..5)), 1..12),
        words in prop::collection::vec((0u64..12, 0u8..5, 0usize..8), 0..24),
    ) {
        let impressions = shows.iter().zip(0..).map(|((text, session, documents), id)| {
            let mut seen = BTreeSet::new();
            let names: Vec<String> =
                documents.iter().filter(|d| seen.insert(**d)).map(|d| format!("d{d}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let text = format!("text {text}");
            // Too far apart to be one need, or to follow one another.
            let time_ms = id * 1_200_000;
            match session {
                0 => Impression { time_ms, ..shown(id, &text, &names) },
                number => {
                    let session = format!("session {number}");
                    Impression { time_ms, ..in_session(id, &session, &text, &names) }
                }
            }
        });
        let verdicts = [Chosen, Relevant, NotRelevant, Opened, Opened, Opened, Withdrawn, Withdrawn];
        let judgements = words.iter().map(|&(id, d, v)| said(id, &format!("d{d}"), verdicts[v]));
        let replay = Replay {
            impressions: impressions.collect(), judgements: judgements.collect(), ..Replay::default()
        };
        let found = meaning(&replay);
        prop_assert_eq!(&found, &meaning(&spelled_out(&replay)));
        // What a program says twice in a row it has said once, unless it withdraws.
        let mut twice = replay.clone();
        twice.judgements = replay.judgements.iter().flat_map(|one| {
            vec![one.clone(); if one.verdict == Withdrawn { 1 } else { 2 }]
        }).collect();
        prop_assert_eq!(&found, &meaning(&twice));
        // Two withdrawals leave nothing.
        let mut nothing = replay.clone();
        for one in &replay.judgements {
            nothing.judgements.extend([Withdrawn; 2].map(|verdict| Judgement { verdict, ..one.clone() }));
        }
        prop_assert_eq!(meaning(&nothing), []);
    }
}
