//! The round that a crash has interrupted, which the next one goes on with.
//!
//! What was judged since then would make other examples, and training would begin anew. So the log is read as far as
//! the interrupted round had read it; what came later is the next round's.

use std::cell::Cell;
use std::path::Path;

use super::options::LearnOptions;
use crate::error::Result;
use crate::feedback::Replay;
use crate::generation::Generation;
use crate::ids::Digest;
use crate::storage::{remove_file, remove_unfinished};
use crate::train::{Checkpoints, Origin, read_origin};

/// The checkpoint of a round that is running. It goes when this is dropped, which a panic does too: a round must not
/// fail for ever at the place where it failed once.
pub(crate) struct Unfinished<'a> {
    path: &'a Path,
    origin: Origin,
    kept: Cell<bool>,
}

impl<'a> Unfinished<'a> {
    /// Begins a round that reads the log at `started_ms`, while `serving` answers. If the checkpoint at `path` is
    /// of a round just like it, `replay` is cut back to what that one had read.
    pub(crate) fn begin(
        path: &'a Path,
        options: &LearnOptions,
        serving: &Generation,
        started_ms: u64,
        replay: &mut Replay,
    ) -> Result<Unfinished<'a>> {
        let (impressions, judgements) = (replay.impressions.len(), replay.judgements.len());
        let precision = serving.encoder()?.computes_in().documents;
        let weights = serving.meta.weights;
        let options = Digest::of(format!("{:?} {precision:?}", comparable(options)).as_bytes());
        let program = env!("CARGO_PKG_VERSION").into();
        let new = Origin { started_ms, impressions, judgements, weights, options, program };
        let found = found(path).filter(|found| {
            let read = found.impressions <= impressions && found.judgements <= judgements;
            let same = Origin { started_ms, impressions, judgements, ..found.clone() } == new;
            if !(read && same) {
                tracing::info!(path = %path.display(), "threw away the checkpoint of another round");
            }
            read && same
        });
        match &found {
            Some(found) => {
                replay.impressions.truncate(found.impressions);
                replay.judgements.truncate(found.judgements);
            }
            None => remove_file(path)?,
        }
        Ok(Unfinished { path, origin: found.unwrap_or(new), kept: Cell::new(false) })
    }

    /// When the round read the log, or the interrupted one did.
    pub(crate) fn started_ms(&self) -> u64 {
        self.origin.started_ms
    }

    pub(crate) fn checkpoints(&self, options: &LearnOptions) -> Checkpoints<'_> {
        Checkpoints { path: self.path, interval: Some(options.checkpoint_interval.0), origin: &self.origin }
    }

    /// Leaves the checkpoint to the next round.
    pub(crate) fn keep(&self) {
        self.kept.set(true);
    }

    /// Removes what no round can go on from: a checkpoint of another encoder than the one that answers, a damaged one,
    /// and one that a crash cut short.
    pub(crate) fn collect_garbage(path: &Path, weights: Digest) -> Result<()> {
        match found(path) {
            Some(origin) if origin.weights == weights => remove_unfinished(path),
            _ => remove_file(path),
        }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.kept.get()
            && let Err(error) = remove_file(self.path)
        {
            tracing::warn!(%error, "could not remove the checkpoint");
        }
    }
}

/// One that can't be read is as good as none.
fn found(path: &Path) -> Option<Origin> {
    read_origin(path).unwrap_or_else(|error| {
        tracing::warn!(%error, "a checkpoint is passed over");
        None
    })
}

/// The options that decide what a round learns.
fn comparable(options: &LearnOptions) -> LearnOptions {
    LearnOptions { threads: None, checkpoint_interval: Default::default(), ..options.clone() }
}
