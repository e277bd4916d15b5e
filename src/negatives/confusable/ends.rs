//! How needs ended: with which pick, and when.

use std::collections::{BTreeMap, HashMap};

use super::need::{Need, Needs};
use super::report::CollectReport;
use super::said::{Placed, Statements};
use crate::feedback::{Impression, Replay, Verdict, normalise_query};
use crate::ids::QueryId;

/// How all needs of a log have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The queries of each voter, the first one first. A voter is a need; those without a session are one if they have
    /// the same text: nobody knows whether several people ask it.
    pub(crate) voters: Vec<Vec<QueryId>>,
    /// In the order in which they came to rest.
    pub(crate) needs: Vec<NeedEnd>,
}

/// A need, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeedEnd {
    /// The place of its voter.
    pub(crate) voter: usize,
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

/// The needs of the log. A need's pick is what was chosen or judged relevant last, else what was opened last.
pub(crate) fn ends(replay: &Replay, is_alike: &mut dyn FnMut(&Impression, &Impression) -> bool) -> Ends {
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
    let Voters { queries: voters, of } = Voters::of(replay, &needs);
    let mut needs: Vec<NeedEnd> = Vec::with_capacity(last.len());
    for (need, last_ms) in last {
        let Some(&voter) = of.get(&need) else { continue };
        let pick = picks
            .get(&need)
            .map(|one| Pick { query_id: one.judgement.query_id, document: one.judgement.document.clone() });
        needs.push(NeedEnd { voter, last_ms, pick });
    }
    needs.sort_by_key(|end| (end.last_ms, voters[end.voter].first().copied()));
    Ends { voters, needs }
}

/// Who votes.
#[derive(Default)]
struct Voters {
    queries: Vec<Vec<QueryId>>,
    of: HashMap<Need, usize>,
}

impl Voters {
    fn of(replay: &Replay, needs: &Needs) -> Voters {
        let mut voters = Voters::default();
        let mut texts: HashMap<String, usize> = HashMap::new();
        for impression in &replay.impressions {
            let Some(need) = needs.get(impression.query_id) else { continue };
            let new = voters.queries.len();
            let voter = match impression.session {
                Some(_) => new,
                None => *texts.entry(normalise_query(impression.searched())).or_insert(new),
            };
            let voter = *voters.of.entry(need).or_insert(voter);
            if voter == new {
                voters.queries.push(Vec::new());
            }
            voters.queries[voter].push(impression.query_id);
        }
        voters
    }
}
