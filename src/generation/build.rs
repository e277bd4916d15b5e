//! Builds a generation in a folder of its own, invisible until it is published.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::calibration;
use super::candidate::Candidate;
use super::meta::{GenerationMeta, ModelPlace, model_folder};
use super::model_files::{self, Files};
use super::open::{Generation, Pinned, dense_folder};
use super::query_side::{QueriesMeta, QuerySide};
use super::scratch::{Scratch, next_id, scratch, scratch_for};
use crate::dense::{DenseIndex, DenseOptions, DenseView};
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::ids::{ChunkId, GenerationId};
use crate::lexical::LexicalSnapshot;

/// Chunks that are read, encoded and appended at a time. Limits memory, and the work lost by a cancellation.
const FILL_BATCH: usize = 128;

/// A generation under construction. Dropping it unpublished removes its folder.
#[derive(Debug)]
pub(crate) struct Building {
    pub(super) meta: GenerationMeta,
    pub(super) encoder: Arc<Encoder>,
    pub(super) queries: QuerySide,
    pub(super) dense: DenseIndex,
    pub(super) folder: Scratch,
    /// Vectors that were made elsewhere, since the last segment was built.
    taken: usize,
}

impl Building {
    /// Starts the first generation of `root`, over a model outside the index.
    pub(crate) fn first(
        root: &Path,
        encoder: Arc<Encoder>,
        fusion: Fusion,
        options: &DenseOptions,
    ) -> Result<Building> {
        let model = std::path::absolute(encoder.folder()).map_err(Error::io("resolve", encoder.folder()))?;
        let folder = scratch_for(root, GenerationId(1), "")?;
        let meta = GenerationMeta {
            id: GenerationId(1),
            parent: None,
            weights: encoder.weights(),
            model: ModelPlace::Folder(model),
            first: None,
            files: Files::new(),
            queries: QueriesMeta::default(),
            fusion,
            created_ms: crate::clock::now_ms(),
        };
        Building::without_vectors(folder, meta, encoder, options)
    }

    /// Starts the generation after `parent`. `save` writes its weights into the folder it is given. They encode both
    /// documents and queries.
    pub(crate) fn next(
        root: &Path,
        parent: &Generation,
        options: &DenseOptions,
        save: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Building> {
        let folder = scratch(root, parent, "")?;
        let model = model_folder(&folder.0);
        save(&model)?;
        let encoder = Arc::new(Encoder::load_with(&model, parent.backend().options())?);
        let meta = GenerationMeta {
            id: next_id(root, parent)?,
            parent: Some(parent.meta.id),
            weights: encoder.weights(),
            model: ModelPlace::Own,
            first: parent.meta.first_model(),
            files: model_files::digests(&model)?,
            queries: QueriesMeta::default(),
            fusion: parent.meta.fusion,
            created_ms: crate::clock::now_ms(),
        };
        Building::without_vectors(folder, meta, encoder, options)
    }

    /// Starts a generation with another fusion and, if there is a `candidate`, another query encoder. The documents'
    /// encoder and vectors are those of `pinned`.
    pub(crate) fn sibling(
        root: &Path,
        pinned: &Pinned,
        fusion: Fusion,
        candidate: Option<Candidate>,
        options: &DenseOptions,
    ) -> Result<Building> {
        let parent = &pinned.generation;
        let (folder, queries) = match candidate {
            Some(Candidate { meta, folder, .. }) => (folder, meta),
            // The suffix separates it from another candidate that waits for the gate.
            None => (scratch(root, parent, "-sibling")?, parent.meta.queries.clone()),
        };
        let backend = parent.backend();
        calibration::hand_on(parent.folder(), &folder.0)?;
        queries.hand_on(parent.folder(), &folder.0)?;
        let encoder = match &parent.meta.model {
            ModelPlace::Folder(_) => Arc::clone(parent.encoder()?),
            ModelPlace::Own => {
                let own = model_folder(&folder.0);
                model_files::copy(&parent.model_folder(), &own)?;
                let encoder = Encoder::load_with(&own, backend.options())?;
                calibration::resume(&encoder, &folder.0)?;
                Arc::new(encoder)
            }
        };
        let side = QuerySide::open(&folder.0, &queries, &encoder)?;
        let (from, to) = (dense_folder(parent.folder()), dense_folder(&folder.0));
        let dense = DenseIndex::copy(&from, &to, parent.meta.weights, options)?;
        let meta = GenerationMeta {
            id: next_id(root, parent)?,
            parent: Some(parent.meta.id),
            queries,
            fusion,
            created_ms: crate::clock::now_ms(),
            ..parent.meta.clone()
        };
        Ok(Building { meta, encoder, queries: side, dense, folder, taken: 0 })
    }

    /// As the generation `id` after `parent`.
    pub(super) fn with_number(mut self, id: GenerationId, parent: GenerationId) -> Building {
        (self.meta.id, self.meta.parent) = (id, Some(parent));
        self
    }

    /// Replaces the fusion inherited from the parent.
    pub(crate) fn with_fusion(mut self, fusion: Fusion) -> Building {
        self.meta.fusion = fusion;
        self
    }

    /// Its fusion.
    pub(crate) fn fusion(&self) -> Fusion {
        self.meta.fusion
    }

    fn without_vectors(
        folder: Scratch,
        meta: GenerationMeta,
        encoder: Arc<Encoder>,
        options: &DenseOptions,
    ) -> Result<Building> {
        let (to, dimensions) = (dense_folder(&folder.0), encoder.dimensions());
        let dense = DenseIndex::create(&to, dimensions, meta.weights, options.clone())?;
        Ok(Building { meta, encoder, queries: QuerySide::default(), dense, folder, taken: 0 })
    }

    /// Encodes every live chunk with a vector in the `serving` index but none here: the others stay pending.
    pub(crate) fn catch_up(
        &mut self,
        chunks: &LexicalSnapshot,
        serving: &DenseView,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<()> {
        let missing = self.missing(chunks, serving)?;
        let encoder = || Ok(Arc::clone(&self.encoder));
        let encoded = fill(&mut self.dense, &encoder, &self.folder.0, chunks, &missing, progress)?;
        let encoded = encoded + std::mem::take(&mut self.taken);
        if encoded <= self.dense.options().exact_below {
            // With so few rows, the background builds the segments after publishing.
            return Ok(());
        }
        let view = self.dense.view(&chunks.live_chunks())?;
        // The graph counts rows, not chunks, so its numbers are not reported.
        self.dense.merge_all(&view, &mut |_, _| progress(encoded, encoded))
    }

    /// Takes vectors that this encoder has made elsewhere.
    #[cfg(feature = "opensearch")]
    pub(crate) fn take(&mut self, rows: &[(ChunkId, &[f32])]) -> Result<()> {
        self.dense.append(rows)?;
        self.taken += rows.len();
        Ok(())
    }

    /// The encoder of its documents.
    #[cfg(feature = "opensearch")]
    pub(crate) fn encoder(&self) -> &Arc<Encoder> {
        &self.encoder
    }

    /// The live chunks that [`catch_up`](Building::catch_up) would encode.
    pub(crate) fn missing(&self, chunks: &LexicalSnapshot, serving: &DenseView) -> Result<Vec<ChunkId>> {
        let mut missing = self.dense.view(&chunks.live_chunks())?.missing().to_vec();
        missing.retain(|chunk| serving.missing().binary_search(chunk).is_err());
        Ok(missing)
    }

    /// The unpublished generation as a search sees it, over the live chunks of `chunks`.
    pub(crate) fn pin(&self, chunks: &LexicalSnapshot) -> Result<Pinned> {
        let dense = self.dense.view(&chunks.live_chunks())?;
        let (encoder, queries) = (Arc::clone(&self.encoder), self.queries.clone());
        let generation = Generation::new(self.meta.clone(), encoder, queries, self.folder.0.clone());
        Ok(Pinned { dense, generation: Arc::new(generation) })
    }
}

/// Encodes chunks that have no sound vector in `dense`, and makes the vectors durable. Returns how many there were. If
/// there are none, `encoder` is not asked for. `folder` is the generation's. `progress` gets (chunks done, chunks to
/// do) after every batch and may stop the work.
///
/// # Errors
/// [`Error::Cancelled`] if `progress` stops it. Vectors appended so far stay.
pub(crate) fn fill(
    dense: &mut DenseIndex,
    encoder: &dyn Fn() -> Result<Arc<Encoder>>,
    folder: &Path,
    chunks: &LexicalSnapshot,
    missing: &[ChunkId],
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<usize> {
    if missing.is_empty() {
        dense.sync()?;
        return Ok(0);
    }
    let encoder = encoder()?;
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
        calibration::begin(&encoder, folder, &texts_of(&mut missing.iter().copied().step_by(step))?)?;
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
    dense.sync()?;
    Ok(missing.len())
}
