//! What all requests share.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::activity::Activity;
use super::indexer::Jobs;
use crate::access::api::{Indexing, IndexingStage, StatusAnswer};
use crate::access::{Access, Own};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Cheap to clone.
pub(super) type Shared = Arc<State>;

/// What the service is made of.
pub(super) struct State {
    pub(super) access: Arc<Access>,
    /// Of an index of this machine.
    pub(super) held: Option<HeldIndex>,
    pub(super) activity: Arc<Activity>,
    /// The token of the page and of changes.
    pub(super) token: String,
    /// Whether every request over TCP needs it.
    pub(super) token_for_all: bool,
    /// Requests that may be in work or wait for it.
    pub(super) requests: Arc<Semaphore>,
    /// Open streams of events.
    pub(super) streams: Arc<Semaphore>,
    /// Becomes true when the service stops.
    pub(super) stop: watch::Receiver<bool>,
}

/// What the service does with an index beside answering from it.
pub(super) struct HeldIndex {
    pub(super) engine: Engine,
    pub(super) jobs: Jobs,
}

impl State {
    /// The index of this machine.
    ///
    /// # Errors
    /// Where it lies on a cluster: that can't be done there. `doing` is a verb phrase that the index follows.
    pub(super) fn held(&self, doing: &'static str) -> Result<&HeldIndex> {
        self.held.as_ref().ok_or_else(|| refused(doing))
    }

    /// The same, as what answers.
    ///
    /// # Errors
    /// As [`held`](State::held).
    pub(super) fn own(&self, doing: &'static str) -> Result<&Own> {
        match &*self.access {
            Access::Own(own) => Ok(own),
            _ => Err(refused(doing)),
        }
    }

    /// Whether something is done that the service must not end under.
    pub(super) fn is_at_work(&self) -> bool {
        self.held.as_ref().is_some_and(|HeldIndex { engine, .. }| {
            engine.round().is_some() || self.activity.is_reading() || !engine.coverage().is_complete()
        })
    }

    /// Writes out the log, and closes the index of this machine.
    pub(super) fn close(&self) -> Result<()> {
        match &self.held {
            Some(held) => held.engine.close(),
            None => self.access.close(),
        }
    }
}

#[cfg(feature = "opensearch")]
fn refused(doing: &'static str) -> Error {
    crate::access::Clustered::refused(doing)
}

/// Without clusters there is always an index of this machine.
#[cfg(not(feature = "opensearch"))]
fn refused(doing: &'static str) -> Error {
    Error::Closed { doing }
}

/// The status of the index and of what the service does with it.
pub(super) fn status(state: &State) -> Result<StatusAnswer> {
    let mut status = state.access.status()?;
    let is_covered = status.coverage.covered == status.coverage.chunks;
    // The encoder may have been stopped half-way by other work.
    let is_over = |indexing: &Indexing| indexing.stage == IndexingStage::Encoding && is_covered;
    status.indexing = state.activity.indexing().filter(|indexing| !is_over(indexing));
    Ok(status)
}
