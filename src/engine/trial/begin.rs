//! Putting a generation on trial, and going on with a trial after a restart.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use super::finish::record;
use super::state::{Counted, OnTrial};
use super::stored::StoredTrial;
use super::thread::TrialThread;
use crate::clock::now_ms;
use crate::engine::open::read_manifest;
use crate::engine::{Access, Engine, Reader};
use crate::error::{Error, Result};
use crate::generation::{Generation, set_aside};
use crate::learn::{self, Progress, TrialReport};
use crate::trial::{Trial, TrialOptions, e_value_of_p};

/// The most that the held-out queries may say for a candidate.
const MOST_PRIOR: f64 = 3.0;

/// Why a trial ended without a decision.
const REPLACED: &str = "a round that knows more took its place";

/// The round that a candidate comes from.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Origin {
    pub(in crate::engine) round: u64,
    /// The judgements of the log when it was read.
    pub(in crate::engine) judged: u64,
}

impl Engine {
    /// Whether what a round makes may go on trial here.
    pub(in crate::engine) fn has_trials(&self) -> bool {
        self.inner.options.trial_share > 0.0 && matches!(self.inner.access, Access::Writing(_))
    }

    /// Puts a built generation on trial beside the serving one, in place of any other. From now on searches see it.
    /// `None` if the other one [stands](StoredTrial::stands).
    pub(in crate::engine) fn begin_trial(
        &self,
        candidate: learn::OnTrial,
        origin: Origin,
        progress: &mut Progress<'_>,
    ) -> Result<Option<TrialReport>> {
        let learn::OnTrial { tier, mut building, alpha, p_value } = candidate;
        self.follow(&mut building, progress)?;
        // What the held-out queries say counts, for and against; as one half of a bet, so that it can't cost much, and
        // bounded, so that picks decide.
        let prior = f64::midpoint(1.0, e_value_of_p(p_value)).min(MOST_PRIOR);
        let anew = Trial::new(TrialOptions::default().with_alpha(alpha))?.with_prior(prior)?;
        self.count_now()?;
        let root = self.inner.layout.generations();
        // Nothing else may change what the manifest names.
        let _writer = self.lock_writer("begin a trial")?;
        let earlier = self.inner.trials.current();
        // No vote is counted for it from here on.
        let before = earlier.as_ref().map(|earlier| earlier.stored());
        if before.as_ref().is_some_and(|before| before.stands(now_ms())) {
            return Ok(None);
        }
        let carried = before.as_ref().and_then(|before| before.for_another(&anew));
        let (generation, replaced) = set_aside(&root, building)?;
        let serving = self.inner.snapshot.load().pinned.generation.meta.id;
        let ids = [serving, generation.meta.id];
        let in_place_of = carried.as_ref().and(replaced);
        let trial = carried.unwrap_or(anew);
        let begun = TrialReport::begin(origin.round, tier, ids, now_ms(), &trial);
        let report = TrialReport { in_place_of, ..begun };
        let (judged, queries) = (origin.judged, BTreeSet::new());
        let stored = StoredTrial { report: report.clone(), trial, judged, queries };
        let written = {
            let _file = self.inner.trials.file();
            stored.write(&self.inner.layout)
        };
        let begun = written.and_then(|()| self.enter(Arc::new(generation), stored));
        if begun.is_err() {
            self.inner.trials.current.store(None);
            // Report the first error. What stays is removed when the index is opened next.
            let _ = self.abandon_candidate().and_then(|()| StoredTrial::remove(&self.inner.layout));
        }
        if let Some(before) = before {
            let reason = match (before.trial.outcome(), &begun) {
                (Some(_), _) => None,
                (None, Ok(())) => Some(REPLACED),
                (None, Err(_)) => Some("another one was to take its place, which failed"),
            };
            if let Err(error) = self.note_end(before.clone(), reason) {
                tracing::warn!(%error, "the report of a trial could not be kept");
            }
        }
        if let Some(replaced) = replaced {
            self.remove_generation(replaced);
        }
        begun.map(|()| Some(report))
    }

    /// Goes on with the trial that the last process has left, or closes its books. The caller opens the engine.
    pub(in crate::engine) fn resume_trial(&self) -> Result<()> {
        let layout = &self.inner.layout;
        let manifest = read_manifest(layout)?;
        let stored = match StoredTrial::read(layout) {
            Err(error @ Error::Damaged { .. }) => {
                tracing::warn!(%error, "a trial can't go on: its votes are lost");
                StoredTrial::remove(layout)?;
                None
            }
            // Another program may read it, or this one later.
            Err(error) => {
                tracing::warn!(%error, "a trial is left as it is");
                return Ok(());
            }
            Ok(stored) => stored,
        };
        let Some(stored) = stored else {
            return if manifest.candidate.is_some() { self.abandon_candidate() } else { Ok(()) };
        };
        // It is left for an engine that has trials.
        if !self.has_trials() {
            return Ok(());
        }
        let TrialReport { serving, candidate, .. } = stored.report;
        if (serving, Some(candidate)) == (manifest.current, manifest.candidate) {
            let source = self.inner.options.model_source();
            let opened = Generation::open_unloaded(&layout.generations(), candidate, &source);
            match opened.and_then(|generation| self.enter(Arc::new(generation), stored.clone())) {
                Ok(()) => return self.close_others(stored.report.round),
                Err(error) => tracing::warn!(%error, "a trial ends: its generation can't be opened"),
            }
        }
        self.abandon_candidate()?;
        // The process ended before it could say how the trial had ended.
        let is_decided = candidate == manifest.current || stored.report.outcome.is_some();
        let reason = (!is_decided).then_some("its generation or the serving one is gone");
        self.close_trial(stored, reason)
    }

    /// Closes the books of trials whose place this round's has taken, where the process ended before it could.
    fn close_others(&self, round: u64) -> Result<()> {
        for report in self.inner.history.all()? {
            let trial = report.trial.filter(|trial| trial.is_running() && report.round != round);
            if let Some(mut trial) = trial {
                trial.end(now_ms(), Some(REPLACED.into()));
                self.inner.history.amend(report.round, |report| record(report, &trial, false))?;
            }
        }
        Ok(())
    }

    fn enter(&self, generation: Arc<Generation>, stored: StoredTrial) -> Result<()> {
        let dense = generation.open_dense(&self.inner.settings.dense)?;
        let mut generations = self.inner.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.add(&generation);
        drop(generations);
        let trial = Arc::new(OnTrial {
            generation,
            dense: Mutex::new(Some(dense)),
            ready: ArcSwapOption::empty(),
            known: AtomicU64::new(stored.judged),
            stored: Mutex::new(stored),
            counted: Mutex::new(Counted::default()),
            alike: Mutex::new(HashMap::new()),
        });
        let mut thread = self.inner.trials.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            // Weak: a forgotten engine must not be kept open by its own thread.
            let engine = Arc::downgrade(&self.inner);
            *thread = Some(TrialThread::start(move || {
                let inner = engine.upgrade().ok_or(Error::Closed { doing: "advance a trial" })?;
                Engine { reader: Reader { inner } }.advance_trial(now_ms())
            })?);
        }
        drop(thread);
        self.inner.trials.current.store(Some(trial));
        Ok(())
    }
}
