//! What all requests share.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::activity::Activity;
use super::indexer::Jobs;
use crate::access::api::{Indexing, IndexingStage, StatusAnswer};
use crate::access::{Own, Pace};
use crate::engine::Engine;
use crate::error::Result;

/// Cheap to clone.
pub(super) type Shared = Arc<State>;

/// What the service is made of.
pub(super) struct State {
    pub(super) own: Own,
    pub(super) engine: Engine,
    /// How fast the log may grow, for all who ask.
    pub(super) pace: Arc<Pace>,
    pub(super) activity: Arc<Activity>,
    pub(super) jobs: Jobs,
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

/// The status of the index and of what the service does with it.
pub(super) fn status(state: &State) -> Result<StatusAnswer> {
    let mut status = state.own.status()?;
    let is_covered = status.coverage.covered == status.coverage.chunks;
    // The encoder may have been stopped half-way by other work.
    let is_over = |indexing: &Indexing| indexing.stage == IndexingStage::Encoding && is_covered;
    status.indexing = state.activity.indexing().filter(|indexing| !is_over(indexing));
    Ok(status)
}
