//! A generation on trial: it answers beside the serving one, and picks decide whether it is published.
//!
//! Answers are interleaved while the candidate has the same documents as the snapshot that serves; after a change it
//! catches up in the background. Votes are counted from the log by a thread of their own, once their needs are over.
//! What was counted is stored in `trial.json`, so that a trial goes on after a restart.

mod answer;
mod begin;
mod catch_up;
mod finish;
mod stored;
mod thread;
mod votes;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwapOption;

pub(super) use answer::Shown;
pub(super) use begin::Origin;
use stored::StoredTrial;
use thread::TrialThread;
use votes::Counted;

use super::{Access, Engine, Inner, Reader};
use crate::dense::DenseIndex;
use crate::error::Result;
use crate::generation::Generation;
use crate::ids::{GenerationId, QueryId};
use crate::learn::TrialReport;
use crate::search::Snapshot;

/// So many judgements decide most trials.
const LEAST_MORE: u64 = 1500;

/// The trial of an index, if there is one.
#[derive(Debug, Default)]
pub(super) struct Trials {
    current: ArcSwapOption<OnTrial>,
    thread: Mutex<Option<TrialThread>>,
}

/// A trial that goes on in this engine.
#[derive(Debug)]
struct OnTrial {
    generation: Arc<Generation>,
    /// The candidate's vectors. Taken when it is published.
    dense: Mutex<Option<DenseIndex>>,
    /// The candidate over the documents of one serving snapshot.
    ready: ArcSwapOption<Ready>,
    stored: Mutex<StoredTrial>,
    counted: Mutex<Counted>,
    /// Whether two queries of a session ask for the same, so that nothing is encoded twice.
    alike: Mutex<HashMap<(QueryId, QueryId), bool>>,
}

#[derive(Debug)]
struct Ready {
    candidate: Snapshot,
    /// The serving snapshot with the same documents. It is not kept alive.
    beside: Weak<Snapshot>,
}

impl OnTrial {
    fn id(&self) -> GenerationId {
        self.generation.meta.id
    }

    fn stored(&self) -> MutexGuard<'_, StoredTrial> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> TrialReport {
        self.stored().report.clone()
    }
}

impl Trials {
    fn current(&self) -> Option<Arc<OnTrial>> {
        self.current.load_full()
    }

    /// Ends the thread that counts votes.
    pub(super) fn stop(&self) -> Result<()> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map_or(Ok(()), TrialThread::stop)
    }
}

impl Reader {
    /// The trial that goes on: a trained generation that answers beside the serving one until picks have decided which
    /// of them is better. `None` if there is none. See `docs/trial.md`.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if its file can't be read.
    pub fn trial(&self) -> Result<Option<TrialReport>> {
        self.check_open("tell the trial")?;
        match (self.inner.trials.current(), &self.inner.access) {
            (Some(trial), _) => Ok(Some(trial.report())),
            (None, Access::Writing(_)) if self.inner.options.trial_share > 0.0 => Ok(None),
            (None, _) => Ok(StoredTrial::read(&self.inner.layout)?.map(|stored| stored.report)),
        }
    }
}

impl Engine {
    /// Whether a round has to wait for the trial that goes on. It gives way once the log has twice the judgements that
    /// the candidate was made from, and [`LEAST_MORE`] more: another one would know more.
    pub(super) fn waits_for_trial(&self) -> bool {
        let Some(trial) = self.inner.trials.current() else { return false };
        let judged = self.inner.feedback.as_ref().and_then(|log| log.judgements().ok());
        let before = trial.stored().judged;
        judged.is_none_or(|count| count.standing() < before.saturating_add(before.max(LEAST_MORE)))
    }
}

/// The engine, if it is still open.
fn upgrade(engine: &Weak<Inner>) -> Option<Engine> {
    engine.upgrade().map(|inner| Engine { reader: Reader { inner } })
}
