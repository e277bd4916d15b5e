//! What all requests share.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::activity::Activity;
use super::indexer::Jobs;
use crate::access::Own;
use crate::engine::Engine;

/// Cheap to clone.
pub(super) type Shared = Arc<State>;

/// What the service is made of.
pub(super) struct State {
    pub(super) own: Own,
    pub(super) engine: Engine,
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
