//! What the end of a need says about its earlier wordings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::need::{Need, Needs};
use super::said::Standing;
use crate::feedback::{Replay, Verdict};
use crate::ids::QueryId;

/// A document that ended a need.
struct End<'a> {
    /// The place of the answer that it was picked in.
    place: usize,
    document: &'a str,
}

/// For each answer that was left without a pick, the documents that ended its need later in other words. `texts` are
/// the normalised queries.
pub(super) fn chained<'a>(
    replay: &Replay,
    texts: &HashMap<QueryId, String>,
    needs: &Needs,
    standing: &Standing<'a>,
) -> HashMap<QueryId, Vec<&'a str>> {
    let places: HashMap<QueryId, usize> =
        replay.impressions.iter().enumerate().map(|(place, one)| (one.query_id, place)).collect();
    let mut ends: BTreeMap<Need, Vec<End<'a>>> = BTreeMap::new();
    let mut answered: BTreeSet<QueryId> = BTreeSet::new();
    for one in &standing.verdicts {
        let id = one.judgement.query_id;
        if one.judgement.verdict == Verdict::NotRelevant {
            continue;
        }
        answered.insert(id);
        if let (Some(need), Some(&place)) = (needs.get(id), places.get(&id)) {
            ends.entry(need).or_default().push(End { place, document: &one.judgement.document });
        }
    }
    let mut chained = HashMap::new();
    for (place, impression) in replay.impressions.iter().enumerate() {
        let id = impression.query_id;
        let Some(ends) = needs.get(id).and_then(|need| ends.get(&need)) else { continue };
        let text_at = |place: usize| texts.get(&replay.impressions[place].query_id);
        let is_later = |end: &&End<'_>| end.place > place && text_at(end.place) != text_at(place);
        let later: Vec<&str> = ends.iter().filter(is_later).map(|end| end.document).collect();
        if !answered.contains(&id) && !later.is_empty() {
            chained.insert(id, later);
        }
    }
    chained
}
