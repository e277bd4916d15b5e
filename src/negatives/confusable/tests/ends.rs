//! How needs end.

use super::super::ends::Pick;
use super::*;
use Verdict::{Chosen, NotRelevant, Opened, Relevant, Withdrawn};

fn asked(id: u64, session: &str, query: &str) -> Impression {
    Impression { session: Some(session.into()), ..shown(id, query, &["a", "b", "c"]) }
}

fn ended(impressions: Vec<Impression>, judgements: Vec<Judgement>) -> Vec<NeedEnd> {
    let replay = Replay { impressions, judgements, ..Replay::default() };
    ends(&replay, &mut |before, after| ByName.is_same_need(before, after))
}

fn end(first: u64, last_ms: u64, pick: Option<Pick>) -> NeedEnd {
    NeedEnd { first: QueryId(first), last_ms, pick }
}

fn pick(id: u64, document: &str) -> Option<Pick> {
    Some(Pick { query_id: QueryId(id), document: document.into() })
}

#[test]
fn a_need_ends_with_what_was_opened_last_in_any_wording() {
    let impressions = vec![asked(1, "s", "lock leak"), asked(2, "s", "lock seal"), asked(3, "s", "gate ram")];
    let judgements = vec![said(1, "a", Opened), said(2, "b", Opened), said(3, "c", Opened)];
    let expected = [end(1, 2001, pick(2, "b")), end(3, 3001, pick(3, "c"))];
    assert_eq!(ended(impressions.clone(), judgements), expected);
    // A bounce is no end, and neither is what was judged not relevant.
    let judgements =
        vec![said(1, "a", Opened), said(2, "b", Opened), said(2, "b", Withdrawn), said(3, "c", NotRelevant)];
    assert_eq!(ended(impressions, judgements), [end(1, 2001, pick(1, "a")), end(3, 3001, None)]);
}

#[test]
fn what_was_chosen_or_judged_relevant_comes_before_what_was_opened() {
    let impressions = vec![asked(1, "s", "lock leak"), asked(2, "s", "lock seal")];
    let judgements = vec![said(1, "a", Chosen), said(2, "b", Opened)];
    assert_eq!(ended(impressions.clone(), judgements), [end(1, 2001, pick(1, "a"))]);
    let judgements = vec![said(1, "a", Chosen), said(2, "b", Relevant)];
    assert_eq!(ended(impressions, judgements), [end(1, 2001, pick(2, "b"))]);
}

#[test]
fn needs_come_in_the_order_in_which_they_came_to_rest() {
    let impressions = vec![asked(1, "s", "lock leak"), asked(2, "t", "gate ram"), asked(4, "s", "lock seal")];
    let order: Vec<u64> =
        ended(impressions, vec![said(2, "a", Opened)]).into_iter().map(|end| end.first.0).collect();
    assert_eq!(order, [2, 1]);
}

#[test]
fn without_a_session_one_text_has_one_voter() {
    let impressions =
        vec![shown(1, "Lock  leak", &["a"]), shown(2, "lock leak", &["a"]), asked(3, "s", "lock leak")];
    let voters: Vec<u64> =
        ended(impressions, vec![said(2, "a", Chosen)]).into_iter().map(|end| end.first.0).collect();
    assert_eq!(voters, [1, 1, 3]);
}
