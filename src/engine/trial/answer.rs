//! Answers of two generations as one list.

use std::sync::Arc;

use super::interleaved::{Interleaved, rank_interleaved};
use super::state::{OnTrial, Ready, Trials};
use crate::engine::Reader;
use crate::error::Result;
use crate::feedback::Standing;
use crate::ids::{Digest, GenerationId};
use crate::search::{Mode, Query, Ranked, Snapshot, rank};

/// An answer, and what the log has to know of it.
pub(in crate::engine) struct Shown {
    pub(in crate::engine) ranked: Ranked,
    /// The generation on trial that answered too.
    pub(in crate::engine) trial: Option<GenerationId>,
    /// Where both lists have each hit, if two generations answered.
    pub(in crate::engine) standings: Vec<Standing>,
}

/// What decides about one query by chance. Whoever asks the same again, to page on or to have it logged, gets the same
/// list.
struct Draw {
    /// For team draft.
    seed: u64,
    /// Whether the query is one of the share that is interleaved, from 0 to 1.
    place: f64,
}

impl Draw {
    fn of(candidate: &Digest, query: &Query) -> Draw {
        let mut bytes = candidate.0.to_vec();
        for text in [query.session.as_deref().unwrap_or_default(), &query.text] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        let digest = Digest::of(&bytes).0;
        let number = |from: usize| {
            let bytes: [u8; 8] = std::array::from_fn(|place| digest[from + place]);
            u64::from_le_bytes(bytes)
        };
        Draw { seed: number(0), place: number(8) as f64 / u64::MAX as f64 }
    }
}

impl Trials {
    /// The trial, if this query is one that both generations answer and the candidate has the documents of `serving`.
    fn beside(&self, serving: &Arc<Snapshot>, query: &Query) -> Option<(Arc<OnTrial>, Arc<Ready>)> {
        // An agent reads what it likes: its picks are no votes.
        let is_plain = query.fusion.is_none() && query.per_folder.is_none();
        if !query.trial || query.mode == Mode::Lexical || !is_plain || query.is_agents() {
            return None;
        }
        let trial = self.current()?;
        let ready = trial.ready.load_full()?;
        (ready.beside.as_ptr() == Arc::as_ptr(serving)).then_some((trial, ready))
    }
}

impl Reader {
    /// Ranks the documents for a query, by two generations if one is on trial.
    pub(in crate::engine) fn rank(&self, serving: &Arc<Snapshot>, query: &Query) -> Result<Shown> {
        if let Some((trial, ready)) = self.inner.trials.beside(serving, query) {
            let draw = Draw::of(&ready.candidate.pinned.generation.meta.query_weights(), query);
            if draw.place < self.inner.options.trial_share {
                match rank_interleaved(serving, &ready.candidate, query, draw.seed) {
                    Ok(Interleaved { ranked, standings }) => {
                        return Ok(Shown { ranked, trial: Some(trial.id()), standings });
                    }
                    // Bad queries fail below too.
                    Err(error) => tracing::warn!(%error, "the generation on trial did not answer"),
                }
            }
        }
        Ok(Shown { ranked: rank(&**serving, query)?, trial: None, standings: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_candidate_session_and_text_alone() {
        let (one, other) = (Digest([1; 32]), Digest([2; 32]));
        let seed = |candidate: &Digest, query: &Query| Draw::of(candidate, query).seed;
        let query = Query::new("q");
        assert_eq!(
            seed(&one, &query),
            seed(&one, &query.clone().with_limit(3).with_offset(9).without_logging())
        );
        let others = [Query::new("r"), query.clone().with_session("q"), Query::new("q").with_session("")];
        assert_ne!(seed(&one, &query), seed(&other, &query));
        assert!(others.iter().take(2).all(|other| seed(&one, &query) != seed(&one, other)));
        let places: Vec<f64> =
            (0..2000).map(|at| Draw::of(&one, &Query::new(format!("query {at}"))).place).collect();
        let below = places.iter().filter(|&&place| place < 0.25).count();
        assert!(
            (420..580).contains(&below) && places.iter().all(|place| (0.0..=1.0).contains(place)),
            "{below}"
        );
    }
}
