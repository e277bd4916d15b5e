//! An opened generation.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::calibration;
use super::damage::REMEDY;
use super::encoders::{Encoders, LazyEncoders};
use super::manifest::folder_of;
use super::meta::{GenerationMeta, ModelPlace, model_folder};
use super::model_files;
use super::model_source::ModelSource;
use super::queries::QueryCache;
use super::query_side::{QuerySide, query_folder};
use crate::dense::{DenseIndex, DenseOptions, DenseView};
use crate::encoder::{self, Backend, Encoder, Kernel, Precisions};
use crate::error::{Error, Result};
use crate::ids::{ChunkId, GenerationId};
use crate::storage::remove_folder;

/// An opened generation. Its folder lives until the last handle is dropped, even if the generation was replaced.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) meta: GenerationMeta,
    encoders: LazyEncoders,
    /// The source of encoders.
    pub(super) source: ModelSource,
    pub(super) folder: PathBuf,
    asked: QueryCache,
    pub(super) first: OnceLock<Option<PathBuf>>,
    doomed: AtomicBool,
}

impl Generation {
    /// Opens the generation `id` of `root` with an encoder from `source`.
    pub(crate) fn open(root: &Path, id: GenerationId, source: &ModelSource) -> Result<Generation> {
        let generation = Generation::open_unloaded(root, id, source)?;
        generation.encoder()?;
        Ok(generation)
    }

    /// As [`open`](Generation::open), but the encoders are loaded by the first call that needs them.
    pub(crate) fn open_unloaded(root: &Path, id: GenerationId, source: &ModelSource) -> Result<Generation> {
        let folder = folder_of(root, id);
        let meta = GenerationMeta::read(&folder)?;
        let (encoders, asked, first, doomed) = Default::default();
        Ok(Generation { meta, encoders, source: source.clone(), folder, asked, first, doomed })
    }

    pub(super) fn new(
        meta: GenerationMeta,
        documents: Arc<Encoder>,
        queries: QuerySide,
        folder: PathBuf,
    ) -> Generation {
        let backend = documents.backend();
        let encoders = LazyEncoders::loaded(Encoders { documents, queries });
        let source = ModelSource { backend, ..ModelSource::default() };
        let (asked, first, doomed) = Default::default();
        Generation { meta, encoders, source, folder, asked, first, doomed }
    }

    fn encoders(&self) -> Result<&Encoders> {
        self.encoders.get(|| {
            let documents = self.source.encoder(&self.folder, &self.meta)?;
            calibration::resume(&documents, &self.folder)?;
            let queries = QuerySide::open(&self.folder, &self.meta.queries, &documents)?;
            Ok(Encoders { documents, queries })
        })
    }

    /// The encoder of documents, and of queries unless they have their own. Loads both if they are not.
    ///
    /// # Errors
    /// [`Error::Model`] and [`Error::Damaged`] if they can't be loaded.
    pub(crate) fn encoder(&self) -> Result<&Arc<Encoder>> {
        Ok(&self.encoders()?.documents)
    }

    /// The result of [`encoder`](Generation::encoder), if it is loaded.
    pub(crate) fn loaded_encoder(&self) -> Option<&Encoder> {
        self.encoders.if_loaded().map(|encoders| &*encoders.documents)
    }

    /// The longest input of the encoder in tokens. Doesn't load it.
    ///
    /// # Errors
    /// [`Error::Model`] if the model's folder can't be read.
    pub(crate) fn max_tokens(&self) -> Result<usize> {
        match self.loaded_encoder() {
            Some(encoder) => Ok(encoder.max_tokens()),
            None => encoder::longest_input(&self.model_folder()),
        }
    }

    /// The precision that the encoder uses, or will use once it is loaded.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `RETUNE_KERNEL` names no kernel of this processor.
    pub(crate) fn computes_in(&self) -> Result<(Kernel, Precisions)> {
        if let Some(encoder) = self.loaded_encoder() {
            return Ok((encoder.kernel(), encoder.computes_in()));
        }
        let kernel = Kernel::best()?;
        Ok((kernel, self.source.backend.computes_in(kernel, calibration::exists(&self.folder))))
    }

    /// Compares the files of the generation's own models with what was published, without loading them.
    ///
    /// # Errors
    /// [`Error::Damaged`] naming the first that is missing or another.
    pub(crate) fn verify(&self) -> Result<()> {
        if self.meta.model == ModelPlace::Own {
            model_files::verify(&self.model_folder(), self.meta.weights, &self.meta.files, REMEDY)?;
        }
        self.meta.queries.verify(&self.folder, self.meta.weights)
    }

    /// The device and the precisions that were requested.
    pub(crate) fn backend(&self) -> Backend {
        self.source.backend
    }

    /// Starts int8 from a sample of the texts, if int8 was requested and is not calibrated yet. The calibration is
    /// stored with the generation.
    pub(crate) fn calibrate(&self, texts: &[String]) -> Result<()> {
        let Encoders { documents, queries } = self.encoders()?;
        calibration::begin(documents, &self.folder, texts)?;
        // A query encoder was trained from the documents' encoder, so its calibration fits both.
        queries.encoder.as_ref().map_or(Ok(()), |encoder| calibration::resume(encoder, &self.folder))
    }

    /// The vector of a query. Recent queries are cached.
    ///
    /// # Errors
    /// As [`Encoder::encode_one`].
    pub(crate) fn encode_query(&self, text: &str) -> Result<Arc<[f32]>> {
        self.asked.get(text, || {
            let Encoders { documents, queries } = self.encoders()?;
            queries.encode(documents, text)
        })
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

    /// The folder of the encoder, for further training. If it is not loaded, the folder where it was when the index
    /// was created.
    pub(crate) fn model_folder(&self) -> PathBuf {
        match (&self.meta.model, self.loaded_encoder()) {
            (ModelPlace::Own, _) => model_folder(&self.folder),
            (ModelPlace::Folder(_), Some(encoder)) => encoder.folder().to_path_buf(),
            (ModelPlace::Folder(recorded), None) => recorded.clone(),
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
                DenseIndex::create(&folder, self.encoder()?.dimensions(), weights, options.clone())
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
            // The next writer removes it.
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
