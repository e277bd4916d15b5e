//! An opened generation.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::calibration;
use super::damage::{META, REMEDY};
use super::manifest::folder_of;
use super::model_files::{self, Files};
use super::queries::QueryCache;
use super::query_side::{QueriesMeta, QuerySide, query_folder};
use crate::dense::{DenseIndex, DenseOptions, DenseView};
use crate::encoder::{Backend, Encoder, model};
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::ids::{ChunkId, Digest, GenerationId};
use crate::storage::{read_envelope, remove_folder, write_envelope};

const KIND: &str = "generation";
const VERSION: u32 = 1;

/// Where a generation's encoder is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ModelPlace {
    /// In the generation's own folder, `model/`: weights that a round trained.
    Own,
    /// In a folder outside the index: the model that the index was created with.
    Folder(PathBuf),
}

/// What a generation was built with: `generation.json`. It never changes after publishing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GenerationMeta {
    pub(crate) id: GenerationId,
    /// The generation whose encoder was trained further. `None` for the first.
    pub(crate) parent: Option<GenerationId>,
    /// SHA-256 of the encoder's weights.
    pub(crate) weights: Digest,
    pub(crate) model: ModelPlace,
    /// The other files of the model, if the model belongs to the generation.
    #[serde(default)]
    pub(super) files: Files,
    /// What encodes queries, if it is not just the encoder.
    #[serde(default)]
    pub(crate) queries: QueriesMeta,
    pub(crate) fusion: Fusion,
    pub(crate) created_ms: u64,
}

impl GenerationMeta {
    /// Whether a round trained one of its encoders, so that training queries rank better than unseen ones.
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
    /// Opens generation `id` of `root`. For an encoder outside the index, it tries `given`, then the folder recorded
    /// when the index was created, then the caches. Only weights with the recorded digest are accepted.
    pub(crate) fn open(
        root: &Path,
        id: GenerationId,
        given: Option<&Path>,
        backend: Backend,
    ) -> Result<Generation> {
        let folder = folder_of(root, id);
        let meta = GenerationMeta::read(&folder)?;
        let encoder = Arc::new(open_encoder(&folder, &meta, given, backend)?);
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

/// Fields that earlier versions may have left in `generation.json`.
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
    /// Logs which parts of an older generation are no longer used.
    fn warn(&self, path: &Path) {
        let path = path.display();
        if self.queries.adapter.is_some() {
            tracing::warn!(%path, "query adapters are no longer supported; queries are encoded without one");
        }
        if self.nudged.is_some() {
            tracing::warn!(%path, "rounds no longer move vectors; vectors that were moved stay as they are");
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
