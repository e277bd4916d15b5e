//! Needs: what one person looked for, in whatever words.
//!
//! People who don't find what they look for ask again in other words. Radlinski and Joachims ("Query Chains: Learning
//! to Rank from Implicit Feedback", KDD 2005) call such queries a chain. The answer that ends a chain is an answer to
//! its earlier wordings too: the ones that failed.

use std::collections::HashMap;

use crate::feedback::{Impression, Replay, normalise_query};
use crate::ids::QueryId;

/// After a longer pause a session's next query begins a new need, unless it repeats an earlier one.
pub(super) const LONGEST_PAUSE_MS: u64 = 10 * 60 * 1000;

/// The answers that one person got to one need, numbered by the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Need(pub(super) usize);

/// The need of each impression.
#[derive(Debug, Default)]
pub(super) struct Needs(HashMap<QueryId, Need>);

/// A need of a session during assignment.
struct Open<'a> {
    need: Need,
    texts: Vec<String>,
    last: &'a Impression,
}

impl Needs {
    /// Assigns needs. An impression without a session is a need of its own. Within a session an impression belongs to
    /// the need that asked the same text. Otherwise it belongs to the need before it, if it came soon after and
    /// `is_alike` says that the two ask for the same.
    pub(super) fn of(replay: &Replay, is_alike: &mut dyn FnMut(&Impression, &Impression) -> bool) -> Needs {
        let mut needs = HashMap::with_capacity(replay.impressions.len());
        let mut sessions: HashMap<&str, Vec<Open<'_>>> = HashMap::new();
        for (place, impression) in replay.impressions.iter().enumerate() {
            let Some(session) = &impression.session else {
                needs.insert(impression.query_id, Need(place));
                continue;
            };
            let open = sessions.entry(session).or_default();
            let text = normalise_query(impression.searched());
            let found = match open.iter().rposition(|one| one.texts.contains(&text)) {
                Some(same) => Some(same),
                None => open.len().checked_sub(1).filter(|&before| {
                    let last = open[before].last;
                    impression.time_ms.saturating_sub(last.time_ms) <= LONGEST_PAUSE_MS
                        && is_alike(last, impression)
                }),
            };
            let mut one = match found {
                Some(place) => open.remove(place),
                None => Open { need: Need(place), texts: Vec::new(), last: impression },
            };
            one.last = impression;
            if !one.texts.contains(&text) {
                one.texts.push(text);
            }
            needs.insert(impression.query_id, one.need);
            // The latest one is last.
            open.push(one);
        }
        Needs(needs)
    }

    /// The need of an impression of the replay.
    pub(super) fn get(&self, id: QueryId) -> Option<Need> {
        self.0.get(&id).copied()
    }
}
