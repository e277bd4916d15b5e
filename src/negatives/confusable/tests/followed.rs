//! What people found next whom a query left with nothing.

use super::*;
use Verdict::{NotRelevant, Opened};

const HITS: [&str; 3] = ["a", "b", "c"];

/// An answer of the session of user number `user`, `seconds` after it began.
fn asked(user: u64, seconds: u64, query: &str, documents: &[&str]) -> Impression {
    let id = user * 10_000 + seconds;
    Impression { session: Some(user.to_string()), ..shown(id, query, documents) }
}

/// User number `user` fails with "lock leak" and finds a document with other words, which have `c` in common with it.
fn finds(user: u64, document: &str) -> (Vec<Impression>, Vec<Judgement>) {
    let impressions = vec![asked(user, 1, "lock leak", &HITS), asked(user, 2, "water in", &["c", document])];
    (impressions, vec![said(user * 10_000 + 2, document, Opened)])
}

/// User number `user` fails with "lock leak" and finds nothing.
fn fails(user: u64) -> (Vec<Impression>, Vec<Judgement>) {
    (vec![asked(user, 1, "lock leak", &HITS)], Vec::new())
}

/// What is known of "lock leak": positives, confusables, weight.
fn known(logs: Vec<(Vec<Impression>, Vec<Judgement>)>) -> Option<(String, String, f64)> {
    let (impressions, judgements): (Vec<_>, Vec<_>) = logs.into_iter().unzip();
    let (confusions, report) = collect(impressions.concat(), judgements.concat());
    let one = confusions.iter().find(|one| one.normalised == "lock leak")?;
    assert_eq!(report.answered_in_other_words, u64::from(one.is_in_other_words));
    let right: Vec<&str> = one.positives.iter().map(|one| one.document.as_str()).collect();
    Some((right.join(" "), names(one).join(" "), one.weight))
}

#[test]
fn what_several_found_next_is_the_answer_that_left_them_with_nothing() {
    let found = |right: &str, weight| Some((right.to_string(), "a b".to_string(), weight));
    assert_eq!(known(vec![finds(1, "x")]), None, "one tells nothing");
    let again = vec![asked(1, 3, "lock leak", &HITS), asked(1, 4, "water in", &["c", "x"])];
    let again = (again, vec![said(10_004, "x", Opened)]);
    assert_eq!(known(vec![finds(1, "x"), again]), None, "nor does one who asks again");
    assert_eq!(known(vec![finds(1, "x"), finds(2, "y")]), None);
    assert_eq!(known(vec![finds(1, "x"), finds(2, "x")]), found("x", 2.0 / 3.0));
    let five = || vec![finds(1, "x"), finds(2, "x"), finds(3, "y"), fails(4), fails(5)];
    assert_eq!(known(five()), found("x", 2.0 / 3.0));
    assert_eq!(known([five(), vec![fails(6)]].concat()), None, "a third has to agree");
}

#[test]
fn what_was_picked_from_the_answer_itself_comes_first() {
    let picks = (vec![asked(9, 1, "lock leak", &HITS)], vec![said(90_001, "b", Opened)]);
    let found = known(vec![finds(1, "x"), finds(2, "x"), picks.clone()]);
    // Of three who asked one picked something, so usually it is as many: 3 of 5 answers of the log.
    assert_eq!(found.map(|(right, ..)| right), Some("b".to_string()));
    let many = [(1..=8).map(|user| finds(user, "x")).collect(), vec![picks]].concat();
    assert_eq!(known(many).map(|(right, ..)| right), Some("x".to_string()), "one of nine is too few");
    let refused = (vec![asked(9, 1, "lock leak", &HITS)], vec![said(90_001, "x", NotRelevant)]);
    assert_eq!(known(vec![finds(1, "x"), finds(2, "x"), refused]), None);
}

#[test]
fn it_must_come_soon_and_have_a_hit_in_common() {
    let with = |next: &dyn Fn(u64) -> (Vec<Impression>, u64)| {
        let log = |user: u64| {
            let (next, found_in) = next(user);
            let impressions = [vec![asked(user, 1, "lock leak", &HITS)], next].concat();
            (impressions, vec![said(user * 10_000 + found_in, "x", Opened)])
        };
        known(vec![log(1), log(2)]).is_some()
    };
    assert!(with(&|user| (vec![asked(user, 601, "water in", &["c", "x"])], 601)));
    assert!(!with(&|user| (vec![asked(user, 602, "water in", &["c", "x"])], 602)), "after ten minutes");
    assert!(!with(&|user| (vec![asked(user, 2, "water in", &["d", "x"])], 2)), "something else");
    let words = ["drip", "seal", "wet gate"];
    let later = |user, between: usize| {
        let others = words[..between].iter().zip(2..).map(|(text, at)| asked(user, at, text, &["d"]));
        (others.chain([asked(user, 9, "water in", &["c", "x"])]).collect(), 9)
    };
    assert!(with(&|user| later(user, 2)));
    assert!(!with(&|user| later(user, 3)), "three queries later at most");
}
