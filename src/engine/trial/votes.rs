//! Counting what picks say.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::state::{Counted, OnTrial};
use crate::clock::now_ms;
use crate::engine::Engine;
use crate::error::Result;
use crate::feedback::{Impression, JudgementCount, Replay, Standing, normalise_query};
use crate::ids::QueryId;
use crate::learn::{is_held_out, is_same_need};
use crate::negatives::{Ends, NeedEnd, ends};
use crate::trial::Recorded;

/// A need is over when nothing was asked or said for it in this time: what a session asks later is another need.
const OVER_AFTER_MS: u64 = 10 * 60 * 1000;
/// Counting takes at most this part of the time.
const LEAST_REST: u32 = 20;
const LONGEST_REST: Duration = Duration::from_secs(600);
const NOT_REMEMBERED: &str = "what it was trained on is no longer in the log";
/// Every need is over.
pub(super) const ALL: u64 = u64::MAX;

impl Counted {
    /// Whether there may be new votes. A caller that asks for all of them is not kept waiting.
    fn is_due(&self, judgements: JudgementCount, as_of_ms: u64) -> bool {
        // What was forgotten may end the trial.
        let has_shrunk = self.judgements.is_some_and(|before| judgements.said < before.said);
        let rests =
            as_of_ms != ALL && self.rest_until.is_some_and(|until| Instant::now() < until) && !has_shrunk;
        let is_new = self.judgements != Some(judgements);
        !rests && (is_new || self.due_ms.is_some_and(|due| due <= as_of_ms))
    }
}

impl Engine {
    /// Brings the trial forward: the candidate gets the vectors of new documents, needs that were over at `as_of_ms`
    /// vote, and if they have decided, the trial ends.
    #[doc(hidden)]
    pub fn advance_trial(&self, as_of_ms: u64) -> Result<()> {
        let Some(trial) = self.inner.trials.current() else { return Ok(()) };
        self.check_open("advance a trial")?;
        // One step at a time: an engine that nobody holds any more must end.
        if !self.catch_up(&trial)? {
            return Ok(());
        }
        if !self.count_votes(&trial, as_of_ms)? {
            return self.discard(&trial, NOT_REMEMBERED);
        }
        if trial.stored().trial.outcome().is_some() {
            self.finish_trial(&trial)?;
        }
        Ok(())
    }

    /// Counts the needs that are over now, although counting may rest, so that none is left out that a round has read.
    pub(super) fn count_now(&self) -> Result<()> {
        let Some(trial) = self.inner.trials.current() else { return Ok(()) };
        trial.counted.lock().unwrap_or_else(PoisonError::into_inner).rest_until = None;
        match self.count_votes(&trial, now_ms())? {
            true => Ok(()),
            false => self.discard(&trial, NOT_REMEMBERED),
        }
    }

    /// Returns false if the log lacks what the candidate was trained on: nobody can say any more whose votes to leave
    /// out.
    fn count_votes(&self, trial: &OnTrial, as_of_ms: u64) -> Result<bool> {
        let log = self.log("count votes")?;
        let judgements = log.judgements()?;
        // Held to the end: votes are counted by one at a time.
        let mut counted = trial.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if !counted.is_due(judgements, as_of_ms) {
            return Ok(true);
        }
        let started = Instant::now();
        log.flush()?;
        let mut stored = trial.stored().clone();
        let mut replay = log.replay()?;
        if !stored.is_remembered(&replay.judgements) {
            return Ok(false);
        }
        let since = stored.report.started_ms;
        let before_it = replay.impressions.iter().filter(|one| one.time_ms < since);
        let learnt: HashSet<String> = before_it.map(|one| normalise_query(one.searched())).collect();
        replay.impressions.retain(|one| one.time_ms >= since);
        let shown = Shown { both: both(&replay, trial), learnt };
        let Ends { voters, needs } = ends(&replay, &mut |one, other| self.is_alike(trial, one, other));
        stored.know_again(&voters);
        let mut due_ms = None;
        for end in needs {
            let over_ms = end.last_ms.saturating_add(OVER_AFTER_MS);
            if over_ms > as_of_ms {
                due_ms = Some(over_ms);
                break;
            }
            if let Some(standing) = shown.standing(&end)
                && stored.record(&voters[end.voter], standing) == Recorded::Counted
            {
                stored.report.update(&stored.trial);
            }
        }
        // Whoever ends or replaces a trial holds this lock between that and the change of the file, or takes it first.
        let mut kept = trial.stored();
        if *kept != stored {
            if self.inner.trials.current().is_none_or(|current| current.id() != trial.id()) {
                return Ok(true);
            }
            stored.write(&self.inner.layout)?;
            *kept = stored;
        }
        drop(kept);
        let rest = started.elapsed().saturating_mul(LEAST_REST).min(LONGEST_REST);
        *counted = Counted { judgements: Some(judgements), due_ms, rest_until: Some(Instant::now() + rest) };
        Ok(true)
    }

    fn is_alike(&self, trial: &OnTrial, before: &Impression, after: &Impression) -> bool {
        let ids = (before.query_id, after.query_id);
        let mut alike = trial.alike.lock().unwrap_or_else(PoisonError::into_inner);
        *alike.entry(ids).or_insert_with(|| {
            is_same_need(&self.inner.snapshot.load(), before, after).unwrap_or_else(|error| {
                tracing::warn!(%error, "two queries of a session are taken for two needs");
                false
            })
        })
    }
}

/// The answers of both generations, and the queries that the candidate may have learnt from.
struct Shown<'a> {
    both: HashMap<QueryId, &'a Impression>,
    /// The queries of the log when the candidate was made, normalised.
    learnt: HashSet<String>,
}

fn both<'a>(replay: &'a Replay, trial: &OnTrial) -> HashMap<QueryId, &'a Impression> {
    let both = replay.impressions.iter().filter(|one| one.trial == Some(trial.id()));
    both.map(|one| (one.query_id, one)).collect()
}

impl Shown<'_> {
    /// Where both lists have what answers a need. `None` if it was not picked from both, and for a query that the
    /// candidate may have been trained on: it ranks those better than others.
    fn standing(&self, end: &NeedEnd) -> Option<Standing> {
        let pick = end.pick.as_ref()?;
        let impression = self.both.get(&pick.query_id)?;
        let text = normalise_query(impression.searched());
        if self.learnt.contains(&text) && !is_held_out(&text) {
            return None;
        }
        impression.hits.iter().find(|hit| hit.document == pick.document)?.standing
    }
}
