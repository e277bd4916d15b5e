//! `generation.json`: the inputs that a generation was built with.

use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::damage::{META, REMEDY};
use super::model_files::Files;
use super::query_side::QueriesMeta;
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::ids::{Digest, GenerationId};
use crate::storage::{read_envelope, write_envelope};

const KIND: &str = "generation";
const VERSION: u32 = 1;

/// The location of a generation's encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ModelPlace {
    /// In the generation's own folder, `model/`: weights that a round trained.
    Own,
    /// In a folder outside the index: the model that the index was created with.
    Folder(PathBuf),
}

/// A model outside the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutsideModel {
    pub(crate) folder: PathBuf,
    /// SHA-256 of its weights.
    pub(crate) weights: Digest,
}

/// The inputs that a generation was built with: `generation.json`. It never changes after publishing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GenerationMeta {
    pub(crate) id: GenerationId,
    /// The generation that answered when it was built. `None` for the first.
    pub(crate) parent: Option<GenerationId>,
    /// SHA-256 of the encoder's weights.
    pub(crate) weights: Digest,
    pub(crate) model: ModelPlace,
    /// The model that the index was created with, if this one is another. Unknown where an earlier version has trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<OutsideModel>,
    /// The other files of the model, if the model belongs to the generation.
    #[serde(default)]
    pub(super) files: Files,
    /// The query side, if it is not just the encoder.
    #[serde(default)]
    pub(crate) queries: QueriesMeta,
    pub(crate) fusion: Fusion,
    pub(crate) created_ms: u64,
}

impl GenerationMeta {
    /// SHA-256 of the weights that encode queries.
    pub(crate) fn query_weights(&self) -> Digest {
        self.queries.encoder.as_ref().map_or(self.weights, |encoder| encoder.weights)
    }

    /// The model that the index was created with, if it is known.
    pub(crate) fn first_model(&self) -> Option<OutsideModel> {
        match &self.model {
            ModelPlace::Own => self.first.clone(),
            ModelPlace::Folder(folder) => {
                Some(OutsideModel { folder: folder.clone(), weights: self.weights })
            }
        }
    }

    /// Whether a round trained one of its encoders, so that training queries rank better than unseen ones.
    pub(crate) fn has_learnt(&self) -> bool {
        self.model == ModelPlace::Own || self.queries != QueriesMeta::default()
    }

    /// The folder of its encoder of documents, if it lies outside the index.
    #[cfg(feature = "opensearch")]
    pub(crate) fn outside_model(&self) -> Option<&Path> {
        match &self.model {
            ModelPlace::Folder(folder) => Some(folder),
            ModelPlace::Own => None,
        }
    }

    /// Whether its encoder of documents is the model that the index was created with.
    pub(crate) fn is_untrained(&self) -> bool {
        self.model != ModelPlace::Own
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

/// The folder of weights that belong to a generation.
pub(super) fn model_folder(generation: &Path) -> PathBuf {
    generation.join("model")
}

/// Fields that rounds of earlier versions may have left in `generation.json`.
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
    /// Logs which fields of an older generation are no longer used.
    fn warn(&self, path: &Path) {
        let path = path.display();
        if self.queries.adapter.is_some() {
            tracing::warn!(%path, "query adapters are no longer supported; queries are encoded without one");
        }
        if self.nudged.is_some() {
            tracing::warn!(%path, "rounds no longer move vectors; vectors already moved stay as they are");
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
            first: None,
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
