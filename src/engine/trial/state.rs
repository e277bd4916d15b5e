//! What an engine holds of a trial.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use arc_swap::ArcSwapOption;

use super::stored::StoredTrial;
use super::thread::TrialThread;
use crate::dense::DenseIndex;
use crate::error::Result;
use crate::feedback::JudgementCount;
use crate::generation::Generation;
use crate::ids::{GenerationId, QueryId};
use crate::learn::TrialReport;
use crate::search::Snapshot;

/// The trial of an index, if there is one.
#[derive(Debug, Default)]
pub(in crate::engine) struct Trials {
    pub(super) current: ArcSwapOption<OnTrial>,
    pub(super) thread: Mutex<Option<TrialThread>>,
    ending: Mutex<()>,
    file: Mutex<()>,
}

/// A trial that goes on in this engine.
#[derive(Debug)]
pub(super) struct OnTrial {
    pub(super) generation: Arc<Generation>,
    /// The candidate's vectors. Taken when it is published.
    pub(super) dense: Mutex<Option<DenseIndex>>,
    /// The candidate over the documents of one serving snapshot.
    pub(super) ready: ArcSwapOption<Ready>,
    pub(super) stored: Mutex<StoredTrial>,
    pub(super) counted: Mutex<Counted>,
    /// The judgements of the log when a round has read it last.
    pub(super) known: AtomicU64,
    /// Whether two queries of a session ask for the same, so that nothing is encoded twice.
    pub(super) alike: Mutex<HashMap<(QueryId, QueryId), bool>>,
}

#[derive(Debug)]
pub(super) struct Ready {
    pub(super) candidate: Snapshot,
    /// The serving snapshot with the same documents. It is not kept alive.
    pub(super) beside: Weak<Snapshot>,
}

impl OnTrial {
    pub(super) fn id(&self) -> GenerationId {
        self.generation.meta.id
    }

    pub(super) fn stored(&self) -> MutexGuard<'_, StoredTrial> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self) -> TrialReport {
        self.stored().report.clone()
    }
}

impl Trials {
    pub(super) fn current(&self) -> Option<Arc<OnTrial>> {
        self.current.load_full()
    }

    /// Held while picks end a trial. Nobody is told for that moment that a round is running: who begins one waits for
    /// this first.
    pub(in crate::engine) fn ending(&self) -> MutexGuard<'_, ()> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while `trial.json` gets another trial, or is removed: whoever ends one late must not remove the next.
    pub(super) fn file(&self) -> MutexGuard<'_, ()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the thread that counts votes.
    pub(in crate::engine) fn stop(&self) -> Result<()> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map_or(Ok(()), TrialThread::stop)
    }
}

/// When votes were counted last.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) judgements: Option<JudgementCount>,
    /// When the next need is over.
    pub(super) due_ms: Option<u64>,
    pub(super) rest_until: Option<Instant>,
}
