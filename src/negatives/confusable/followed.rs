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
/// picked: one of its next three queries, none after a long pause, with a hit in common. Who goes on to something else
/// sees other hits.
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
    let mut followed = HashMap::new();
    for session in sessions.values() {
        for (place, &failed) in session.iter().enumerate() {
            if needs.get(failed.query_id).is_none_or(|need| with_end.contains(&need)) {
                continue;
            }
            let text = texts.get(&failed.query_id);
            let soon = session[place..].windows(2).map_while(|two| is_soon(two[0], two[1]).then_some(two[1]));
            let mut others = soon.filter(|next| texts.get(&next.query_id) != text).take(FURTHEST);
            let next = others.find(|next| picked.contains_key(&next.query_id));
            if let Some(next) = next.filter(|next| have_a_hit_in_common(failed, next)) {
                followed.insert(failed.query_id, picked[&next.query_id].clone());
            }
        }
    }
    followed
}

fn is_soon(before: &Impression, after: &Impression) -> bool {
    after.time_ms.saturating_sub(before.time_ms) <= LONGEST_PAUSE_MS
}

fn have_a_hit_in_common(one: &Impression, other: &Impression) -> bool {
    one.hits.iter().any(|hit| other.hits.iter().any(|next| next.document == hit.document))
}
