//! What people found next whom an answer left with nothing.
//!
//! Other words for the same need are not always [alike](super::Likeness::is_same_need). But where several people failed
//! with a query and each then found the same document, that document is what it asked for, though no single one of them
//! would tell.

use std::collections::{BTreeSet, HashMap};

use super::need::{LONGEST_PAUSE_MS, Needs};
use super::said::Standing;
use crate::feedback::{Impression, Replay, Verdict};
use crate::ids::QueryId;

/// How many hits of an answer people look at.
const SEEN: usize = 10;
/// How many queries later they may have found it.
const FURTHEST: usize = 3;
/// How many people have to agree.
const FEWEST: usize = 2;
/// The share of those who failed that has to agree.
const SMALLEST: f64 = 1.0 / 3.0;

/// Whether enough of the needs without an end agree on what follows: a third of them, `n / (m + 1)`, and two at least.
pub(super) fn agree(agreeing: usize, failed: usize) -> bool {
    agreeing >= FEWEST && agreeing as f64 / (failed as f64 + 1.0) >= SMALLEST
}

/// For each answer of a need without an end, the documents of the next answer in its session in which something was
/// picked: one of its next three queries, none after a long pause, with one of the first ten hits in common. Who goes
/// on to something else sees other hits.
pub(super) fn followed<'a>(
    replay: &'a Replay,
    texts: &HashMap<QueryId, String>,
    needs: &Needs,
    standing: &Standing<'a>,
) -> HashMap<QueryId, Vec<&'a str>> {
    let mut picked: HashMap<QueryId, Vec<&'a str>> = HashMap::new();
    let mut with_end = BTreeSet::new();
    for one in standing.verdicts.iter().filter(|one| one.judgement.verdict != Verdict::NotRelevant) {
        picked.entry(one.judgement.query_id).or_default().push(&one.judgement.document);
        with_end.extend(needs.get(one.judgement.query_id));
    }
    let mut sessions: HashMap<&str, Vec<&Impression>> = HashMap::new();
    for impression in &replay.impressions {
        if let Some(session) = &impression.session {
            sessions.entry(session).or_default().push(impression);
        }
    }
    let is_picked = |one: &&&Impression| picked.contains_key(&one.query_id);
    let mut followed = HashMap::new();
    for session in sessions.values() {
        // A text that is asked again and again is one query: else a long session would take the square of its length.
        let runs: Vec<&[&Impression]> =
            session.chunk_by(|one, next| texts.get(&one.query_id) == texts.get(&next.query_id)).collect();
        for (place, run) in runs.iter().enumerate() {
            let soon = runs[place..].windows(2).take(FURTHEST).take_while(|two| is_soon(two[0], two[1]));
            let Some(next) = soon.map(|two| two[1]).find_map(|next| next.iter().rfind(is_picked)) else {
                continue;
            };
            for failed in run.iter() {
                let has_failed = needs.get(failed.query_id).is_some_and(|need| !with_end.contains(&need));
                if has_failed && have_a_hit_in_common(failed, next) {
                    followed.insert(failed.query_id, picked[&next.query_id].clone());
                }
            }
        }
    }
    followed
}

fn is_soon(before: &[&Impression], after: &[&Impression]) -> bool {
    let (Some(before), Some(after)) = (before.last(), after.first()) else { return false };
    after.time_ms.saturating_sub(before.time_ms) <= LONGEST_PAUSE_MS
}

fn have_a_hit_in_common(one: &Impression, other: &Impression) -> bool {
    let [mut first, second] = [one, other].map(|one| one.hits.iter().take(SEEN).map(|hit| &hit.document));
    first.any(|document| second.clone().any(|other| other == document))
}
