//! How needs ended: with which pick, and when.

use std::collections::{BTreeMap, HashMap};

use super::need::{Need, Needs};
use super::report::CollectReport;
use super::said::{Placed, Statements};
use crate::feedback::{Impression, Replay, Verdict, normalise_query};
use crate::ids::QueryId;

/// A need, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeedEnd {
    /// Its first query. Queries without a session ask for the same need if they have the same text: nobody knows
    /// whether several people ask it.
    pub(crate) first: QueryId,
    /// When something was asked or said last.
    pub(crate) last_ms: u64,
    /// What answers it so far.
    pub(crate) pick: Option<Pick>,
}

/// A picked document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pick {
    /// The answer that it was picked from.
    pub(crate) query_id: QueryId,
    pub(crate) document: String,
}

/// The needs of the log in the order in which they came to rest. A need's pick is what was chosen or judged relevant
/// last, else what was opened last.
pub(crate) fn ends(
    replay: &Replay,
    is_alike: &mut dyn FnMut(&Impression, &Impression) -> bool,
) -> Vec<NeedEnd> {
    let needs = Needs::of(replay, is_alike);
    let report = &mut CollectReport::default();
    let mut statements = Statements::default();
    let mut last: BTreeMap<Need, u64> = BTreeMap::new();
    let mut note = |need, time_ms: u64| {
        let last = last.entry(need).or_default();
        *last = time_ms.max(*last);
    };
    for impression in &replay.impressions {
        if let Some(need) = needs.get(impression.query_id) {
            note(need, impression.time_ms);
        }
    }
    for (place, judgement) in replay.judgements.iter().enumerate() {
        if let Some(need) = needs.get(judgement.query_id) {
            note(need, judgement.time_ms);
            statements.add(need, Placed { place, judgement }, report);
        }
    }
    let mut picks: BTreeMap<Need, Placed<'_>> = BTreeMap::new();
    for &one in &statements.settle(report).verdicts {
        let Some(need) = needs.get(one.judgement.query_id) else { continue };
        if one.judgement.verdict != Verdict::NotRelevant {
            let pick = picks.entry(need).or_insert(one);
            if pick.place < one.place {
                *pick = one;
            }
        }
    }
    let mut firsts: HashMap<String, QueryId> = HashMap::new();
    let mut ends: Vec<NeedEnd> = Vec::with_capacity(last.len());
    for (need, last_ms) in last {
        let Some(first) = replay.impressions.get(need.0) else { continue };
        let voter = match first.session {
            Some(_) => first.query_id,
            None => *firsts.entry(normalise_query(first.searched())).or_insert(first.query_id),
        };
        let pick = picks
            .get(&need)
            .map(|one| Pick { query_id: one.judgement.query_id, document: one.judgement.document.clone() });
        ends.push(NeedEnd { first: voter, last_ms, pick });
    }
    ends.sort_by_key(|end| (end.last_ms, end.first));
    ends
}
