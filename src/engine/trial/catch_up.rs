//! The candidate follows the documents.

use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::state::{OnTrial, Ready};
use crate::dense::{DenseIndex, DenseView};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::generation::{Pinned, fill};
use crate::ids::ChunkId;
use crate::search::Snapshot;

/// How long chunks are encoded at a time. Between two such times the thread looks whether it is to stop.
const STEP: Duration = Duration::from_secs(2);

impl Engine {
    /// Encodes what was added since the candidate was made, and has searches interleaved again. Returns false if there
    /// is more to encode than one step can.
    pub(super) fn catch_up(&self, trial: &Arc<OnTrial>) -> Result<bool> {
        let serving = self.inner.snapshot.load_full();
        let ready = trial.ready.load_full();
        if ready.is_some_and(|ready| ready.beside.as_ptr() == Arc::as_ptr(&serving)) {
            return Ok(true);
        }
        // No search must wait for it to load.
        if let Err(error) = trial.generation.encoder() {
            tracing::warn!(%error, "a trial ends: its encoder can't be loaded");
            self.discard(trial, "its encoder could not be loaded")?;
            return Ok(false);
        }
        let mut dense = trial.dense.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(dense) = dense.as_mut() else { return Ok(true) };
        let started = Instant::now();
        let encoded = encode_missing(trial, dense, &serving, &mut |_, _| match started.elapsed() < STEP {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        });
        match encoded {
            Ok(()) => {}
            Err(Error::Cancelled { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        let candidate = Snapshot {
            lexical: serving.lexical.clone(),
            pinned: Pinned {
                dense: dense.view(&serving.lexical.live_chunks())?,
                generation: Arc::clone(&trial.generation),
            },
        };
        trial.ready.store(Some(Arc::new(Ready { candidate, beside: Arc::downgrade(&serving) })));
        Ok(true)
    }
}

/// Gives the candidate a vector for each chunk that has one in `serving`.
fn encode_missing(
    trial: &OnTrial,
    dense: &mut DenseIndex,
    serving: &Snapshot,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<()> {
    let missing = lacking(&dense.view(&serving.lexical.live_chunks())?, &serving.pinned.dense);
    let encoder = || trial.generation.encoder().cloned();
    fill(dense, &encoder, trial.generation.folder(), &serving.lexical, &missing, progress).map(drop)
}

/// The chunks that have a vector in `serving` and none in `candidate`. Both are views of the same chunks.
pub(super) fn lacking(candidate: &DenseView, serving: &DenseView) -> Vec<ChunkId> {
    let pending = serving.missing();
    let missing = candidate.missing().iter().copied();
    missing.filter(|chunk| pending.binary_search(chunk).is_err()).collect()
}
