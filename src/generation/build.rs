//! Building a generation: a folder of its own, not visible until it is published.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::calibration;
use super::manifest::{Manifest, folder_of};
use super::model_files::{self, Files};
use super::open::{Generation, GenerationMeta, ModelPlace, Pinned, dense_folder, model_folder};
use crate::dense::{DenseIndex, DenseOptions};
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::ids::{ChunkId, GenerationId};
use crate::lexical::LexicalSnapshot;
use crate::storage::remove_folder;

/// Chunks that are read, encoded and appended at a time: bounds memory and the work lost to a cancellation.
const FILL_BATCH: usize = 128;

/// A generation that is being built. Dropped unpublished, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Building {
    pub(crate) meta: GenerationMeta,
    pub(crate) encoder: Arc<Encoder>,
    pub(crate) dense: DenseIndex,
    pub(super) folder: Scratch,
}

/// A folder that is removed on drop; once it was published under another name there is nothing to remove.
#[derive(Debug)]
pub(super) struct Scratch(pub(super) PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove_folder(&self.0) {
            tracing::warn!(%error, "could not delete an abandoned build");
        }
    }
}

impl Building {
    /// Starts the first generation of `root`, over a model that lies outside the index.
    pub(crate) fn first(
        root: &Path,
        encoder: Encoder,
        fusion: Fusion,
        options: &DenseOptions,
    ) -> Result<Building> {
        let model = std::path::absolute(encoder.folder()).map_err(Error::io("resolve", encoder.folder()))?;
        let folder = scratch(root, GenerationId(1))?;
        Building::assemble(folder, GenerationId(1), None, ModelPlace::Folder(model), encoder, fusion, options)
    }

    /// Starts the next generation after `parent` over weights that `save` writes into the folder it is given.
    pub(crate) fn next(
        root: &Path,
        parent: &Generation,
        options: &DenseOptions,
        save: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Building> {
        let manifest = Manifest::read(root)?;
        let id = manifest.map_or(GenerationId(parent.meta.id.0 + 1), |m| m.next);
        let folder = scratch(root, id)?;
        let model = model_folder(&folder.0);
        save(&model)?;
        let encoder = Encoder::load_with(&model, parent.encoder.precisions().options())?;
        let fusion = parent.meta.fusion;
        Building::assemble(folder, id, Some(parent.meta.id), ModelPlace::Own, encoder, fusion, options)
    }

    /// Starts a generation that differs from `pinned`'s in its fusion alone: the same encoder, and the vectors as they are.
    pub(crate) fn sibling(
        root: &Path,
        pinned: &Pinned,
        fusion: Fusion,
        options: &DenseOptions,
    ) -> Result<Building> {
        let parent = &pinned.generation;
        let id = Manifest::read(root)?.map_or(GenerationId(parent.meta.id.0 + 1), |m| m.next);
        let folder = scratch(root, id)?;
        calibration::hand_on(parent.folder(), &folder.0)?;
        let model = match &parent.meta.model {
            ModelPlace::Folder(model) => {
                let encoder = Encoder::load_with(model, parent.encoder.precisions().options())?;
                (ModelPlace::Folder(model.clone()), encoder)
            }
            ModelPlace::Own => {
                let own = model_folder(&folder.0);
                model_files::copy(&parent.model_folder(), &own)?;
                (ModelPlace::Own, Encoder::load_with(&own, parent.encoder.precisions().options())?)
            }
        };
        calibration::resume(&model.1, &folder.0)?;
        let mut building =
            Building::assemble(folder, id, Some(parent.meta.id), model.0, model.1, fusion, options)?;
        for chunks in pinned.dense.chunks().chunks(FILL_BATCH) {
            let vectors: Vec<(ChunkId, Vec<f32>)> =
                chunks.iter().filter_map(|&chunk| Some((chunk, pinned.dense.vector(chunk)?))).collect();
            let rows: Vec<(ChunkId, &[f32])> =
                vectors.iter().map(|(chunk, vector)| (*chunk, &vector[..])).collect();
            building.dense.append(&rows)?;
        }
        Ok(building)
    }

    fn assemble(
        folder: Scratch,
        id: GenerationId,
        parent: Option<GenerationId>,
        model: ModelPlace,
        encoder: Encoder,
        fusion: Fusion,
        options: &DenseOptions,
    ) -> Result<Building> {
        let weights = encoder.weights();
        let dense =
            DenseIndex::create(&dense_folder(&folder.0), encoder.dimensions(), weights, options.clone())?;
        let created_ms = crate::clock::now_ms();
        let files = match &model {
            ModelPlace::Own => model_files::digests(&model_folder(&folder.0))?,
            ModelPlace::Folder(_) => Files::new(),
        };
        let meta = GenerationMeta { id, parent, weights, model, files, fusion, created_ms };
        Ok(Building { meta, encoder: Arc::new(encoder), dense, folder })
    }

    /// Brings the dense index up to `chunks`: encodes every live chunk that has no vector yet.
    pub(crate) fn catch_up(
        &mut self,
        chunks: &LexicalSnapshot,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<()> {
        fill(&mut self.dense, &self.encoder, &self.folder.0, chunks, progress)
    }

    /// How many live chunks of `chunks` have no vector yet.
    pub(crate) fn missing(&self, chunks: &LexicalSnapshot) -> Result<usize> {
        Ok(self.dense.view(&chunks.live_chunks()?)?.missing().len())
    }

    /// The unpublished generation as a search sees it, over the live chunks of `chunks`.
    pub(crate) fn pin(&self, chunks: &LexicalSnapshot) -> Result<Pinned> {
        let dense = self.dense.view(&chunks.live_chunks()?)?;
        let generation = Generation::new(self.meta.clone(), Arc::clone(&self.encoder), self.folder.0.clone());
        Ok(Pinned { dense, generation: Arc::new(generation) })
    }
}

/// Encodes every live chunk of `chunks` that `dense` has no sound vector for, and makes the vectors durable.
/// `folder` is the generation's. `progress` is told (chunks done, chunks to do) after every batch and may stop the work.
///
/// # Errors
/// [`Error::Cancelled`] when stopped; the vectors appended so far stay, and are skipped by the next call.
pub(crate) fn fill(
    dense: &mut DenseIndex,
    encoder: &Encoder,
    folder: &Path,
    chunks: &LexicalSnapshot,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<()> {
    let missing: Vec<ChunkId> = dense.view(&chunks.live_chunks()?)?.missing().to_vec();
    let texts_of = |ids: &mut dyn Iterator<Item = ChunkId>| -> Result<Vec<String>> {
        let text = |id: ChunkId| {
            let record = chunks.get(id)?.ok_or_else(|| Error::NotFound {
                what: "chunk",
                id: id.to_string(),
                remedy: "the lexical index is inconsistent: index the documents again",
            })?;
            Ok(record.encoder_text())
        };
        ids.map(text).collect()
    };
    if encoder.wants_calibration() {
        let step = missing.len().div_ceil(calibration::SAMPLE).max(1);
        calibration::begin(encoder, folder, &texts_of(&mut missing.iter().copied().step_by(step))?)?;
    }
    for (batch, ids) in missing.chunks(FILL_BATCH).enumerate() {
        let texts = texts_of(&mut ids.iter().copied())?;
        let vectors = encoder.encode(&texts)?;
        let rows: Vec<(ChunkId, &[f32])> =
            ids.iter().copied().zip(vectors.iter().map(Vec::as_slice)).collect();
        dense.append(&rows)?;
        if progress(batch * FILL_BATCH + ids.len(), missing.len()).is_break() {
            dense.sync()?;
            return Err(Error::Cancelled { doing: "encoding the chunks" });
        }
    }
    // Told no numbers of its own: the graph's rows are not the chunks to do.
    dense.keep_graph(&mut |_, _| progress(missing.len(), missing.len()))?;
    dense.sync()
}

fn scratch(root: &Path, id: GenerationId) -> Result<Scratch> {
    let mut name = std::ffi::OsString::from(".building-");
    name.push(folder_of(root, id).file_name().unwrap_or_default());
    let folder = root.join(name);
    remove_folder(&folder)?;
    std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    Ok(Scratch(folder))
}
