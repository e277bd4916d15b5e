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

/// An opened generation. Its folder lives as long as the last handle to it, even when it has been replaced.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) meta: GenerationMeta,
    /// That of documents, and of queries unless they have their own.
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

    /// Lets int8 begin, if it was asked for and waits for a sample of the texts: this one is kept with the generation.
    pub(crate) fn calibrate(&self, texts: &[String]) -> Result<()> {
        calibration::begin(&self.encoder, &self.folder, texts)?;
        // What the documents' encoder has seen serves an encoder that set out from it.
        self.queries.encoder.as_ref().map_or(Ok(()), |encoder| calibration::resume(encoder, &self.folder))
    }

    /// The vector of a query; those asked last are remembered.
    ///
    /// # Errors
    /// As [`Encoder::encode_one`].
    pub(crate) fn encode_query(&self, text: &str) -> Result<Arc<[f32]>> {
        self.asked.get(text, || self.queries.encode(&self.encoder, text))
    }

    /// Its own folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the encoder of queries, to train it further: that of documents, unless there is another.
    pub(crate) fn query_model_folder(&self) -> PathBuf {
        match self.meta.queries.encoder {
            Some(_) => query_folder(&self.folder),
            None => self.model_folder(),
        }
    }

    /// The folder of the encoder, to train it further.
    pub(crate) fn model_folder(&self) -> PathBuf {
        match self.meta.model {
            ModelPlace::Own => model_folder(&self.folder),
            ModelPlace::Folder(_) => self.encoder.folder().to_path_buf(),
        }
    }

    /// Opens the generation's dense index for appending. The caller holds the writer's lock. One that is damaged as a
    /// whole, or gone, begins anew with `options`: vectors are made from the text, which is elsewhere.
    pub(crate) fn open_dense(&self, options: &DenseOptions) -> Result<DenseIndex> {
        let (folder, weights) = (dense_folder(&self.folder), self.meta.weights);
        let mut opened = DenseIndex::open(&folder, weights);
        if let Err(Error::Damaged { .. }) = opened {
            // Its options are the index's, and no reason to make a vector anew.
            DenseIndex::renew_options(&folder, options)?;
            opened = DenseIndex::open(&folder, weights);
        }
        match opened {
            Err(error @ (Error::Damaged { .. } | Error::NotFound { .. } | Error::Invalid { .. })) => {
                tracing::warn!(%error, "every vector is made anew");
                remove_folder(&folder)?;
                DenseIndex::create(&folder, self.encoder.dimensions(), weights, options.clone())
            }
            opened => opened,
        }
    }

    /// Opens the generation's dense index for reading, beside a writer.
    pub(crate) fn open_dense_read_only(&self) -> Result<DenseIndex> {
        DenseIndex::open_read_only(&dense_folder(&self.folder), self.meta.weights)
    }

    /// The folder of the generation `id` below `root`.
    pub(crate) fn folder_in(root: &Path, id: GenerationId) -> PathBuf {
        folder_of(root, id)
    }

    /// The largest chunk id that the dense index of a kept generation has a vector for.
    pub(crate) fn highest_chunk(root: &Path, id: GenerationId) -> Result<Option<ChunkId>> {
        let folder = folder_of(root, id);
        let meta = GenerationMeta::read(&folder)?;
        Ok(DenseIndex::open_read_only(&dense_folder(&folder), meta.weights)?.highest_chunk())
    }

    /// The folder is removed when the last handle is dropped.
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

/// A generation with a view of its dense index: what one search sees.
#[derive(Debug, Clone)]
pub(crate) struct Pinned {
    // Declared first, so that the map is closed before the folder goes.
    pub(crate) dense: DenseView,
    pub(crate) generation: Arc<Generation>,
}

pub(super) fn dense_folder(generation: &Path) -> PathBuf {
    generation.join("dense")
}
