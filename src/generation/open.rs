//! An opened generation.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::calibration;
use super::damage::{META, REMEDY};
use super::encoders::{Encoders, LazyEncoders};
use super::manifest::folder_of;
use super::model_files::{self, Files};
use super::queries::QueryCache;
use super::query_side::{QueriesMeta, QuerySide, query_folder};
use crate::dense::{DenseIndex, DenseOptions, DenseView};
use crate::encoder::{Backend, Encoder, Kernel, Precisions, model};
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::ids::{ChunkId, Digest, GenerationId};
use crate::storage::{read_envelope, remove_folder, write_envelope};

const KIND: &str = "generation";
const VERSION: u32 = 1;

/// Where a generation's encoder lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ModelPlace {
    /// In the generation's own folder `model/`: weights that a round has trained.
    Own,
    /// In a folder outside the index: the model that the index was created with.
    Folder(PathBuf),
}

/// What a generation was built with: `generation.json`. Never changes once published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GenerationMeta {
    pub(crate) id: GenerationId,
    /// The generation whose encoder was trained further; none for the first.
    pub(crate) parent: Option<GenerationId>,
    /// SHA-256 of the encoder's weights.
    pub(crate) weights: Digest,
    pub(crate) model: ModelPlace,
    /// The other files of the model, where it is the generation's own.
    #[serde(default)]
    pub(super) files: Files,
    /// What turns queries into vectors, where that is not the encoder alone.
    #[serde(default)]
    pub(crate) queries: QueriesMeta,
    pub(crate) fusion: Fusion,
    pub(crate) created_ms: u64,
}

impl GenerationMeta {
    /// Whether rounds have made it rank the queries better that they were trained on, by more than the fusion.
    pub(crate) fn has_learnt(&self) -> bool {
        self.model == ModelPlace::Own || self.queries != QueriesMeta::default()
    }

    pub(super) fn read(folder: &Path) -> Result<GenerationMeta> {
        let path = folder.join(META);
        let read = read_envelope(&path, KIND, VERSION).map_err(|error| error.with_remedy(REMEDY))?;
        let meta = read.ok_or_else(|| Error::Damaged {
            path: path.clone(),
            found: "no such file".into(),
            expected: "the description of the generation".into(),
            remedy: REMEDY,
        })?;
        if let Some(retired) = read_envelope::<Retired>(&path, KIND, VERSION)? {
            retired.warn(&path);
        }
        Ok(meta)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        write_envelope(&folder.join(META), KIND, VERSION, self)
    }
}

/// An opened generation. Its folder lives as long as the last handle to it, even when it has been replaced.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) meta: GenerationMeta,
    encoders: LazyEncoders,
    /// Where a model outside of the index is looked for first.
    given: Option<PathBuf>,
    backend: Backend,
    pub(super) folder: PathBuf,
    asked: QueryCache,
    doomed: AtomicBool,
}

impl Generation {
    /// Opens the generation `id` of `root`. An encoder that lies outside the index is looked for in `given`, where it
    /// was when the index was created, and in the caches; only the very same weights are accepted.
    pub(crate) fn open(
        root: &Path,
        id: GenerationId,
        given: Option<&Path>,
        backend: Backend,
    ) -> Result<Generation> {
        let generation = Generation::open_unloaded(root, id, given, backend)?;
        generation.encoder()?;
        Ok(generation)
    }

    /// As [`open`](Generation::open), but the encoders are loaded by the first call that needs them.
    pub(crate) fn open_unloaded(
        root: &Path,
        id: GenerationId,
        given: Option<&Path>,
        backend: Backend,
    ) -> Result<Generation> {
        let folder = folder_of(root, id);
        let meta = GenerationMeta::read(&folder)?;
        let given = given.map(Path::to_path_buf);
        let (encoders, asked, doomed) = Default::default();
        Ok(Generation { meta, encoders, given, backend, folder, asked, doomed })
    }

    pub(super) fn new(
        meta: GenerationMeta,
        documents: Arc<Encoder>,
        queries: QuerySide,
        folder: PathBuf,
    ) -> Generation {
        let backend = documents.backend();
        let encoders = LazyEncoders::loaded(Encoders { documents, queries });
        let (given, asked, doomed) = Default::default();
        Generation { meta, encoders, given, backend, folder, asked, doomed }
    }

    fn encoders(&self) -> Result<&Encoders> {
        self.encoders.get(|| {
            let documents = open_encoder(&self.folder, &self.meta, self.given.as_deref(), self.backend)?;
            calibration::resume(&documents, &self.folder)?;
            let queries = QuerySide::open(&self.folder, &self.meta.queries, &documents)?;
            Ok(Encoders { documents: Arc::new(documents), queries })
        })
    }

    /// The encoder of documents, and of queries unless they have their own. Loads both if they are not.
    ///
    /// # Errors
    /// [`Error::Model`] and [`Error::Damaged`] if they can't be loaded.
    pub(crate) fn encoder(&self) -> Result<&Arc<Encoder>> {
        Ok(&self.encoders()?.documents)
    }

    /// What [`encoder`](Generation::encoder) gives, if it is loaded.
    pub(crate) fn loaded_encoder(&self) -> Option<&Encoder> {
        self.encoders.if_loaded().map(|encoders| &*encoders.documents)
    }

    /// What the encoder computes in, or will once it is loaded.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `RETUNE_KERNEL` names no kernel of this processor.
    pub(crate) fn computes_in(&self) -> Result<(Kernel, Precisions)> {
        if let Some(encoder) = self.loaded_encoder() {
            return Ok((encoder.kernel(), encoder.computes_in()));
        }
        let kernel = Kernel::best()?;
        Ok((kernel, self.backend.computes_in(kernel, calibration::exists(&self.folder))))
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
        self.backend
    }

    /// Lets int8 begin, if it was asked for and waits for a sample of the texts: this one is kept with the generation.
    pub(crate) fn calibrate(&self, texts: &[String]) -> Result<()> {
        let Encoders { documents, queries } = self.encoders()?;
        calibration::begin(documents, &self.folder, texts)?;
        // What the documents' encoder has seen serves an encoder that set out from it.
        queries.encoder.as_ref().map_or(Ok(()), |encoder| calibration::resume(encoder, &self.folder))
    }

    /// The vector of a query; those asked last are remembered.
    ///
    /// # Errors
    /// As [`Encoder::encode_one`].
    pub(crate) fn encode_query(&self, text: &str) -> Result<Arc<[f32]>> {
        self.asked.get(text, || {
            let Encoders { documents, queries } = self.encoders()?;
            queries.encode(documents, text)
        })
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

    /// The folder of the encoder, to train it further; where it was when the index was made, if it is not loaded.
    pub(crate) fn model_folder(&self) -> PathBuf {
        match (&self.meta.model, self.loaded_encoder()) {
            (ModelPlace::Own, _) => model_folder(&self.folder),
            (ModelPlace::Folder(_), Some(encoder)) => encoder.folder().to_path_buf(),
            (ModelPlace::Folder(recorded), None) => recorded.clone(),
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
                DenseIndex::create(&folder, self.encoder()?.dimensions(), weights, options.clone())
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

pub(super) fn model_folder(generation: &Path) -> PathBuf {
    generation.join("model")
}

fn open_encoder(
    folder: &Path,
    meta: &GenerationMeta,
    given: Option<&Path>,
    backend: Backend,
) -> Result<Encoder> {
    let load = |folder: &Path| Encoder::load_with(folder, backend.options());
    let recorded = match &meta.model {
        ModelPlace::Own => {
            return model_files::load(&model_folder(folder), meta.weights, &meta.files, backend, REMEDY);
        }
        ModelPlace::Folder(recorded) => recorded,
    };
    if let Some(given) = given {
        let encoder = load(given)?;
        return match encoder.weights() == meta.weights {
            true => Ok(encoder),
            false => Err(Error::Model {
                path: given.to_path_buf(),
                problem: format!(
                    "its weights are {}, the index was built with {}",
                    encoder.weights(),
                    meta.weights
                ),
                remedy: "leave the option out, or index the documents into a new folder with this model",
            }),
        };
    }
    let cached = model::locate(None)?.map(|located| located.folder);
    let mut tried = vec![recorded.display().to_string()];
    for candidate in [Some(recorded.clone()), cached].into_iter().flatten() {
        if !candidate.is_dir() {
            continue;
        }
        let encoder = load(&candidate)?;
        if encoder.weights() == meta.weights {
            return Ok(encoder);
        }
        tried.push(format!("{} (other weights: {})", candidate.display(), encoder.weights()));
    }
    Err(Error::Model {
        path: recorded.clone(),
        problem: format!(
            "the weights {} that the index was built with were not found ({})",
            meta.weights,
            tried.join(", ")
        ),
        remedy: "give the folder with --model DIR or RETUNE_MODEL, or run `retune model fetch`",
    })
}

/// What rounds of earlier versions may have left in `generation.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Retired {
    nudged: Option<IgnoredAny>,
    queries: RetiredQueries,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RetiredQueries {
    adapter: Option<IgnoredAny>,
}

impl Retired {
    /// Says in the log what of an older generation is not used any more.
    fn warn(&self, path: &Path) {
        let path = path.display();
        if self.queries.adapter.is_some() {
            tracing::warn!(%path, "adapters of queries are no longer used: queries are encoded without one");
        }
        if self.nudged.is_some() {
            tracing::warn!(%path, "vectors are no longer moved: those that a round has moved stay where they are");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::query_side::QueryEncoderMeta;
    use super::*;

    fn first() -> GenerationMeta {
        GenerationMeta {
            id: GenerationId(1),
            parent: None,
            weights: Digest([0; 32]),
            model: ModelPlace::Folder("model".into()),
            files: Files::new(),
            queries: QueriesMeta::default(),
            fusion: Fusion::Convex { dense_weight: 0.2 },
            created_ms: 0,
        }
    }

    #[test]
    fn whatever_is_beside_the_fusion_was_learnt_from_queries() {
        assert!(!first().has_learnt());
        assert!(GenerationMeta { model: ModelPlace::Own, ..first() }.has_learnt());
        let encoder = QueryEncoderMeta::new(Digest([1; 32]), Digest([0; 32]));
        let queries = QueriesMeta { encoder: Some(encoder) };
        assert!(GenerationMeta { queries, ..first() }.has_learnt());
    }

    #[test]
    fn a_generation_with_an_adapter_and_moved_vectors_is_read_without_them() {
        let folder = tempfile::tempdir().unwrap();
        first().write(folder.path()).unwrap();
        let mut stored = serde_json::to_value(first()).unwrap();
        stored["nudged"] = serde_json::json!([1, 5]);
        stored["queries"]["adapter"] = serde_json::json!({ "file": "0" });
        write_envelope(&folder.path().join(META), KIND, VERSION, &stored).unwrap();
        assert_eq!(GenerationMeta::read(folder.path()).unwrap(), first());
        let retired: Retired = serde_json::from_value(stored).unwrap();
        assert!(retired.nudged.is_some() && retired.queries.adapter.is_some());
    }
}
