//! Resuming a round that a crash interrupted.
//!
//! Later judgements would change the training rows, and training would start over. So the resumed round reads the log
//! only as far as the interrupted one did. Later records belong to the next round.

use std::cell::Cell;
use std::path::Path;

use super::options::LearnOptions;
use super::tier::Tier;
use crate::error::Result;
use crate::feedback::Replay;
use crate::generation::Generation;
use crate::ids::Digest;
use crate::storage::{remove_file, remove_unfinished};
use crate::train::{Checkpoints, Origin, read_origin};

/// The checkpoint of a running round. It is removed on drop, also after a panic, so that a round can't fail at the same
/// step forever.
pub(crate) struct Unfinished<'a> {
    path: &'a Path,
    origin: Origin,
    /// Whether the checkpoint is this round's.
    resumes: bool,
    /// Whether training writes checkpoints.
    writes: bool,
    kept: Cell<bool>,
}

impl<'a> Unfinished<'a> {
    /// Starts a round that reads the log at `started_ms`, while `serving` answers. If the checkpoint at `path` belongs
    /// to the same kind of round, `replay` is cut back to what that round had read.
    pub(crate) fn begin(
        path: &'a Path,
        options: &LearnOptions,
        serving: &Generation,
        started_ms: u64,
        replay: &mut Replay,
    ) -> Result<Unfinished<'a>> {
        let mut round = Unfinished::look(path, options, serving, started_ms, replay)?;
        if !round.resumes {
            remove_file(path)?;
        }
        (round.writes, round.kept) = (true, Cell::new(false));
        Ok(round)
    }

    /// Starts a dry run: it resumes as the next round will, but leaves the checkpoint as it is, and writes none.
    pub(crate) fn look(
        path: &'a Path,
        options: &LearnOptions,
        serving: &Generation,
        started_ms: u64,
        replay: &mut Replay,
    ) -> Result<Unfinished<'a>> {
        let new = origin(options, serving, started_ms, replay)?;
        let found = resumable(path, &new, replay);
        let resumes = found.is_some();
        Ok(Unfinished { path, origin: found.unwrap_or(new), resumes, writes: false, kept: Cell::new(true) })
    }

    /// When this round, or the interrupted one, read the log.
    pub(crate) fn started_ms(&self) -> u64 {
        self.origin.started_ms
    }

    pub(crate) fn checkpoints(&self, options: &LearnOptions) -> Checkpoints<'_> {
        let interval = self.writes.then_some(options.checkpoint_interval.0);
        Checkpoints { path: self.path, interval, origin: &self.origin }
    }

    /// Leaves the checkpoint to the next round.
    pub(crate) fn keep(&self) {
        self.kept.set(true);
    }

    /// Removes checkpoints that no round can resume from: of another encoder than the serving one, damaged, or
    /// incomplete.
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

/// The origin of a round that begins now.
fn origin(options: &LearnOptions, serving: &Generation, started_ms: u64, replay: &Replay) -> Result<Origin> {
    let precision = serving.encoder()?.computes_in().documents;
    // A round of the fusion alone does not read the first model.
    let start = options.tries(Tier::Encoder) && serving.first_model_folder().is_some();
    Ok(Origin {
        started_ms,
        impressions: replay.impressions.len(),
        judgements: replay.judgements.len(),
        weights: serving.meta.weights,
        options: Digest::of(format!("{:?} {precision:?} {start}", comparable(options)).as_bytes()),
        program: env!("CARGO_PKG_VERSION").into(),
    })
}

/// The interrupted round whose checkpoint is at `path`, if `new` is of the same kind. `replay` is cut back to what that
/// round had read.
fn resumable(path: &Path, new: &Origin, replay: &mut Replay) -> Option<Origin> {
    let found = found(path)?;
    let Origin { started_ms, impressions, judgements, .. } = *new;
    let read = found.impressions <= impressions && found.judgements <= judgements;
    let same = Origin { started_ms, impressions, judgements, ..found.clone() } == *new;
    if !(read && same) {
        tracing::info!(path = %path.display(), "the checkpoint belongs to another round");
        return None;
    }
    replay.impressions.truncate(found.impressions);
    replay.judgements.truncate(found.judgements);
    Some(found)
}

/// An unreadable checkpoint counts as none.
fn found(path: &Path) -> Option<Origin> {
    read_origin(path).unwrap_or_else(|error| {
        tracing::warn!(%error, "ignoring an unreadable checkpoint");
        None
    })
}

/// The options that affect what a round learns. The budget of a reindex is none of them: training goes on.
fn comparable(options: &LearnOptions) -> LearnOptions {
    LearnOptions {
        threads: None,
        reindex_budget: None,
        checkpoint_interval: Default::default(),
        ..options.clone()
    }
}
