//! Returning to an earlier generation.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::Engine;
use super::commit::ChunkRanges;
use super::layout::{Layout, Settings};
use super::open::{open_or_empty_lexical, read_manifest};
use super::options::Options;
use super::writer::last_commit;
use crate::dense::DenseIndex;
use crate::error::{Error, Result};
use crate::generation::{Generation, Manifest, Pinned, fill, roll_back};
use crate::ids::GenerationId;
use crate::lexical::LexicalSnapshot;
use crate::search::Snapshot;
use crate::storage::{WriterLock, rebuild};

impl Engine {
    /// Returns to the previous generation; to one before it, if that one is damaged. What was added since it was
    /// replaced is encoded with its encoder first, and what has no vector yet stays without. A generation that is left
    /// is deleted when its last reader is gone.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no earlier generation is kept; [`Error::Damaged`] when all of them are;
    /// [`Error::RoundRunning`].
    pub fn rollback(&self) -> Result<GenerationId> {
        let _round = self.begin_round("roll back")?;
        let mut guard = self.lock_writer("roll back")?;
        let writer = guard.get()?;
        let inner = &self.inner;
        let root = inner.layout.generations();
        let manifest = read_manifest(&inner.layout)?;
        let lexical = inner.lexical.snapshot()?;
        let load = |generation: &Generation| generation.encoder().map(drop);
        let index = Index { options: &inner.options, settings: &inner.settings, lexical: &lexical };
        let pending = writer.pending.iter().copied().collect();
        let (generation, dense) = open_earlier(&root, &manifest, index, &pending, &load)?;
        let id = generation.meta.id;
        let view = dense.view(&lexical.live_chunks())?;
        let left = roll_back(&root, &manifest, id)?;
        writer.dense = dense;
        self.wake_upkeep(&writer.dense, &view);
        let pinned = Pinned { dense: view, generation: Arc::new(generation) };
        self.swap(Snapshot { lexical, pinned }, &left);
        Ok(id)
    }

    /// As [`rollback`](Engine::rollback), of an index that is not open: the current generation need not be sound. A
    /// model is loaded only if documents were added since the earlier generation was replaced.
    ///
    /// # Errors
    /// As `rollback`; [`Error::NotFound`] when there is no index in the folder `path`; [`Error::Locked`] when another
    /// handle has it open for writing for longer than [`Options::lock_wait`].
    pub fn rollback_at(path: impl AsRef<Path>, options: &Options) -> Result<GenerationId> {
        options.validate()?;
        let layout = Layout::new(path.as_ref());
        let settings = layout.existing_settings()?;
        let _lock = WriterLock::acquire(&layout.path, options.lock_wait)?;
        let root = layout.generations();
        let manifest = read_manifest(&layout)?;
        let lexical = open_or_empty_lexical(&layout, &settings, &mut |_, _| ControlFlow::Continue(()))?;
        let pending = last_commit(&lexical, None)?.pending;
        let index = Index { options, settings: &settings, lexical: &lexical.snapshot()? };
        let (generation, _) = open_earlier(&root, &manifest, index, &pending, &Generation::verify)?;
        // What is left is removed by the next writer.
        roll_back(&root, &manifest, generation.meta.id)?;
        Ok(generation.meta.id)
    }
}

/// What an earlier generation is opened for.
#[derive(Clone, Copy)]
struct Index<'a> {
    options: &'a Options,
    settings: &'a Settings,
    lexical: &'a LexicalSnapshot,
}

/// The most recent of the kept generations that passes the check and can be opened, with a vector for every chunk that
/// is not `pending`.
fn open_earlier(
    root: &Path,
    manifest: &Manifest,
    index: Index<'_>,
    pending: &ChunkRanges,
    check: &dyn Fn(&Generation) -> Result<()>,
) -> Result<(Generation, DenseIndex)> {
    let open = |id: GenerationId| -> Result<(Generation, DenseIndex)> {
        let Index { options, settings, lexical } = index;
        let generation = Generation::open_unloaded(root, id, &options.model_source())?;
        check(&generation)?;
        let mut dense = generation.open_dense(&settings.dense)?;
        let encoder = || generation.encoder().cloned();
        let mut missing = dense.view(&lexical.live_chunks())?.missing().to_vec();
        missing.retain(|&chunk| !pending.contains(chunk));
        let going_on = &mut |_, _| ControlFlow::Continue(());
        fill(&mut dense, &encoder, generation.folder(), lexical, &missing, going_on)?;
        Ok((generation, dense))
    };
    let mut first = None;
    for &id in &manifest.kept {
        match open(id) {
            Ok(opened) => return Ok(opened),
            // Anything else may pass, and what is stepped over is deleted.
            Err(error) if !matches!(error, Error::Damaged { .. }) => return Err(error),
            Err(error) => {
                tracing::warn!(%error, generation = %id, "can't return to a generation");
                first.get_or_insert(error);
            }
        }
    }
    Err(first.unwrap_or_else(|| Error::NotFound {
        what: "earlier generation to roll back to than",
        id: manifest.current.to_string(),
        remedy: concat!(
            "only as many as the option keep_generations says are kept, and each can be returned to once; if this one \
             is damaged, ",
            rebuild!()
        ),
    }))
}
