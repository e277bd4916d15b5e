//! An opened generation.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::calibration;
use super::manifest::folder_of;
use super::meta::{GenerationMeta, ModelPlace, model_folder};
use super::model_source::ModelSource;
use super::queries::QueryCache;
use super::query_side::{QuerySide, query_folder};
use crate::dense::{DenseIndex, DenseOptions, DenseView};
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::ids::{ChunkId, GenerationId};
use crate::storage::remove_folder;

/// An opened generation. Its folder lives until the last handle is dropped, even if the generation was replaced.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) meta: GenerationMeta,
    /// Encodes documents, and queries unless these have an encoder of their own.
    pub(crate) encoder: Arc<Encoder>,
    pub(super) queries: QuerySide,
    pub(super) folder: PathBuf,
    asked: QueryCache,
    doomed: AtomicBool,
}

impl Generation {
    /// Opens the generation `id` of `root` with an encoder from `source`.
    pub(crate) fn open(root: &Path, id: GenerationId, source: &ModelSource) -> Result<Generation> {
        let folder = folder_of(root, id);
        let meta = GenerationMeta::read(&folder)?;
        let encoder = source.encoder(&folder, &meta)?;
        calibration::resume(&encoder, &folder)?;
        let queries = QuerySide::open(&folder, &meta.queries, &encoder)?;
        Ok(Generation::new(meta, encoder, queries, folder))
    }

    pub(super) fn new(
        meta: GenerationMeta,
        encoder: Arc<Encoder>,
        queries: QuerySide,
        folder: PathBuf,
    ) -> Generation {
        let (asked, doomed) = (QueryCache::default(), AtomicBool::new(false));
        Generation { meta, encoder, queries, folder, asked, doomed }
    }

    /// Starts int8 from a sample of the texts, if int8 was requested and is not calibrated yet. The calibration is
    /// stored with the generation.
    pub(crate) fn calibrate(&self, texts: &[String]) -> Result<()> {
        calibration::begin(&self.encoder, &self.folder, texts)?;
        // A query encoder was trained from the documents' encoder, so its calibration fits both.
        self.queries.encoder.as_ref().map_or(Ok(()), |encoder| calibration::resume(encoder, &self.folder))
    }

    /// The vector of a query. Recent queries are cached.
    ///
    /// # Errors
    /// As [`Encoder::encode_one`].
    pub(crate) fn encode_query(&self, text: &str) -> Result<Arc<[f32]>> {
        self.asked.get(text, || self.queries.encode(&self.encoder, text))
    }

    /// The generation's own folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the query encoder, for further training. The documents' encoder if there is no other.
    pub(crate) fn query_model_folder(&self) -> PathBuf {
        match self.meta.queries.encoder {
            Some(_) => query_folder(&self.folder),
            None => self.model_folder(),
        }
    }

    /// The folder of the encoder, for further training.
    pub(crate) fn model_folder(&self) -> PathBuf {
        match self.meta.model {
            ModelPlace::Own => model_folder(&self.folder),
            ModelPlace::Folder(_) => self.encoder.folder().to_path_buf(),
        }
    }

    /// Opens the generation's dense index for appending. The caller holds the writer's lock. If the whole index is
    /// damaged or missing, a new one with `options` replaces it: its vectors can be made again from the texts.
    pub(crate) fn open_dense(&self, options: &DenseOptions) -> Result<DenseIndex> {
        let (folder, weights) = (dense_folder(&self.folder), self.meta.weights);
        let mut opened = DenseIndex::open(&folder, weights);
        if let Err(Error::Damaged { .. }) = opened {
            // The options belong to the index. A change of them is no reason to encode again.
            DenseIndex::renew_options(&folder, options)?;
            opened = DenseIndex::open(&folder, weights);
        }
        match opened {
            Err(error @ (Error::Damaged { .. } | Error::NotFound { .. } | Error::Invalid { .. })) => {
                tracing::warn!(%error, "the dense index is unusable; encoding every chunk again");
                remove_folder(&folder)?;
                DenseIndex::create(&folder, self.encoder.dimensions(), weights, options.clone())
            }
            opened => opened,
        }
    }

    /// Opens the generation's dense index for reading. A writer may have it open too.
    pub(crate) fn open_dense_read_only(&self) -> Result<DenseIndex> {
        DenseIndex::open_read_only(&dense_folder(&self.folder), self.meta.weights)
    }

    /// The folder of the generation `id` below `root`.
    pub(crate) fn folder_in(root: &Path, id: GenerationId) -> PathBuf {
        folder_of(root, id)
    }

    /// The largest chunk id with a vector in any kept generation.
    pub(crate) fn highest_chunk(root: &Path, id: GenerationId) -> Result<Option<ChunkId>> {
        let folder = folder_of(root, id);
        let meta = GenerationMeta::read(&folder)?;
        Ok(DenseIndex::open_read_only(&dense_folder(&folder), meta.weights)?.highest_chunk())
    }

    /// Removes the folder when the last handle is dropped.
    pub(crate) fn doom(&self) {
        self.doomed.store(true, Ordering::Release);
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        if self.doomed.load(Ordering::Acquire)
            && let Err(error) = remove_folder(&self.folder)
        {
            // The next writer collects it.
            tracing::warn!(%error, "could not delete a replaced generation");
        }
    }
}

/// A generation with a view of its dense index, as one search sees it.
#[derive(Debug, Clone)]
pub(crate) struct Pinned {
    // Declared first: the map closes before the folder is removed.
    pub(crate) dense: DenseView,
    pub(crate) generation: Arc<Generation>,
}

pub(super) fn dense_folder(generation: &Path) -> PathBuf {
    generation.join("dense")
}
