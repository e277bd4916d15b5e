//! How needs end.

use super::super::ends::Pick;
use super::*;
use Verdict::{Chosen, NotRelevant, Opened, Relevant, Withdrawn};

fn asked(id: u64, session: &str, query: &str) -> Impression {
    Impression { session: Some(session.into()), ..shown(id, query, &["a", "b", "c"]) }
}

/// The first query of a need, when it came to rest, and what answers it.
type End = (u64, u64, Option<Pick>);

fn all(impressions: Vec<Impression>, judgements: Vec<Judgement>) -> Ends {
    let replay = Replay { impressions, judgements, ..Replay::default() };
    ends(&replay, &mut |before, after| ByName.is_same_need(before, after))
}

fn ended(impressions: Vec<Impression>, judgements: Vec<Judgement>) -> Vec<End> {
    let Ends { voters, needs } = all(impressions, judgements);
    needs.into_iter().map(|end| (voters[end.voter][0].0, end.last_ms, end.pick)).collect()
}

fn pick(id: u64, document: &str) -> Option<Pick> {
    Some(Pick { query_id: QueryId(id), document: document.into() })
}

#[test]
fn a_need_ends_with_what_was_opened_last_in_any_wording() {
    let impressions = vec![asked(1, "s", "lock leak"), asked(2, "s", "lock seal"), asked(3, "s", "gate ram")];
    let judgements = vec![said(1, "a", Opened), said(2, "b", Opened), said(3, "c", Opened)];
    let expected = [(1, 2001, pick(2, "b")), (3, 3001, pick(3, "c"))];
    assert_eq!(ended(impressions.clone(), judgements), expected);
    // A bounce is no end, and neither is what was judged not relevant.
    let judgements =
        vec![said(1, "a", Opened), said(2, "b", Opened), said(2, "b", Withdrawn), said(3, "c", NotRelevant)];
    assert_eq!(ended(impressions, judgements), [(1, 2001, pick(1, "a")), (3, 3001, None)]);
}

#[test]
fn what_was_chosen_or_judged_relevant_comes_before_what_was_opened() {
    let impressions = vec![asked(1, "s", "lock leak"), asked(2, "s", "lock seal")];
    let judgements = vec![said(1, "a", Chosen), said(2, "b", Opened)];
    assert_eq!(ended(impressions.clone(), judgements), [(1, 2001, pick(1, "a"))]);
    let judgements = vec![said(1, "a", Chosen), said(2, "b", Relevant)];
    assert_eq!(ended(impressions, judgements), [(1, 2001, pick(2, "b"))]);
}

#[test]
fn needs_come_in_the_order_in_which_they_came_to_rest() {
    let impressions = vec![asked(1, "s", "lock leak"), asked(2, "t", "gate ram"), asked(4, "s", "lock seal")];
    let order: Vec<u64> =
        ended(impressions, vec![said(2, "a", Opened)]).into_iter().map(|(first, ..)| first).collect();
    assert_eq!(order, [2, 1]);
}

#[test]
fn a_voter_has_all_queries_of_its_need_and_without_a_session_those_with_the_same_text() {
    let impressions = vec![
        shown(1, "Lock  leak", &["a"]),
        asked(2, "s", "lock leak"),
        shown(3, "lock leak", &["a"]),
        asked(4, "s", "lock seal"),
        asked(5, "s", "gate ram"),
    ];
    let Ends { voters, needs } = all(impressions, vec![said(3, "a", Chosen)]);
    let ids: Vec<Vec<u64>> = voters.iter().map(|ids| ids.iter().map(|id| id.0).collect()).collect();
    assert_eq!(ids, [vec![1, 3], vec![2, 4], vec![5]]);
    assert_eq!(needs.iter().map(|end| end.voter).collect::<Vec<_>>(), [0, 0, 1, 2]);
}
