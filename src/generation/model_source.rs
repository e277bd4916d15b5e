//! Finds the encoder of a generation.

#[cfg(feature = "opensearch")]
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::damage::REMEDY;
use super::meta::{GenerationMeta, ModelPlace, model_folder};
use super::model_files;
use crate::encoder::{Backend, Encoder, model};
use crate::error::{Error, Result};
use crate::ids::Digest;

/// The application's choice of a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelSource {
    /// An encoder that is already loaded. It serves every generation with its weights.
    pub(crate) shared: Option<Arc<Encoder>>,
    /// A model folder.
    pub(crate) folder: Option<PathBuf>,
    /// Settings for encoders that are loaded here.
    pub(crate) backend: Backend,
}

impl ModelSource {
    /// The encoder for a generation in `folder`. Weights that lie outside the index are looked for in the shared
    /// encoder, in the given folder, where they were when the index was created, and in the caches.
    ///
    /// # Errors
    /// [`Error::Model`] if the given model has other weights, or if no place has the right ones;
    /// [`Error::Damaged`] if the generation's own weights are gone or another.
    pub(super) fn encoder(&self, folder: &Path, meta: &GenerationMeta) -> Result<Arc<Encoder>> {
        if let Some(shared) = self.shared.as_ref().filter(|shared| shared.weights() == meta.weights) {
            return Ok(Arc::clone(shared));
        }
        match &meta.model {
            ModelPlace::Own => {
                let own = model_folder(folder);
                model_files::load(&own, meta.weights, &meta.files, self.backend, REMEDY).map(Arc::new)
            }
            ModelPlace::Folder(recorded) => self.with_weights(meta.weights, recorded),
        }
    }

    /// The folders that a model outside the index may be in: what the application has chosen, where it was when the
    /// index was created, and the caches.
    pub(super) fn places(&self, recorded: &Path) -> Result<Vec<PathBuf>> {
        let shared = self.shared.as_ref().map(|encoder| encoder.folder().to_path_buf());
        let cached = model::locate(None)?.map(|located| located.folder);
        let places = [shared, self.folder.clone(), Some(recorded.to_path_buf()), cached];
        Ok(places.into_iter().flatten().filter(|place| place.is_dir()).collect())
    }

    /// The encoder with these weights, which lie outside the index: they were in the folder `recorded`.
    ///
    /// # Errors
    /// [`Error::Model`] if the given model has other weights, or if no place has the right ones.
    pub(crate) fn with_weights(&self, weights: Digest, recorded: &Path) -> Result<Arc<Encoder>> {
        let load = |folder: &Path| Encoder::load_with(folder, self.backend.options()).map(Arc::new);
        let given = match (&self.shared, &self.folder) {
            (Some(shared), _) => Some(Arc::clone(shared)),
            (None, Some(folder)) => Some(load(folder)?),
            (None, None) => None,
        };
        if let Some(given) = given {
            return match given.weights() == weights {
                true => Ok(given),
                false => Err(Error::Model {
                    path: given.folder().to_path_buf(),
                    problem: format!(
                        "its weights are {}, the index was built with {}",
                        given.weights(),
                        weights
                    ),
                    remedy: "leave the option out, or index the documents into a new folder with this model",
                }),
            };
        }
        let mut tried = vec![recorded.display().to_string()];
        for candidate in self.places(recorded)? {
            let encoder = load(&candidate)?;
            if encoder.weights() == weights {
                return Ok(encoder);
            }
            tried.push(format!("{} (other weights: {})", candidate.display(), encoder.weights()));
        }
        Err(Error::Model {
            path: recorded.to_path_buf(),
            problem: format!(
                "the weights {} that the index was built with were not found ({})",
                weights,
                tried.join(", ")
            ),
            remedy: "give the folder with --model DIR or RETUNE_MODEL, or run `retune model fetch`",
        })
    }

    /// The encoder of queries with these weights, if the application has given it, or one of the usual places has it.
    /// Others are not loaded.
    ///
    /// # Errors
    /// [`Error::Model`] if RETUNE_MODEL names no complete folder, or if those weights can't be loaded.
    #[cfg(feature = "opensearch")]
    pub(crate) fn given(&self, weights: Digest) -> Result<Option<Arc<Encoder>>> {
        if let Some(shared) = self.shared.as_ref().filter(|shared| shared.weights() == weights) {
            return Ok(Some(Arc::clone(shared)));
        }
        let cached = model::locate(None)?.map(|located| located.folder);
        let mut places = self.folder.iter().chain(&cached);
        let found = places.find(|place| model_files::weights_in(place) == Some(weights));
        let load = |folder| Encoder::load_with(folder, self.backend.for_queries().options()).map(Arc::new);
        found.map(|folder| load(folder)).transpose()
    }

    /// The encoder of queries in a folder that was copied from another place, whose files besides the weights are
    /// `files`.
    ///
    /// # Errors
    /// [`Error::Damaged`], with `remedy`, names the file that is missing or another.
    #[cfg(feature = "opensearch")]
    pub(crate) fn copied(
        &self,
        folder: &Path,
        weights: Digest,
        files: &BTreeMap<String, Digest>,
        remedy: &'static str,
    ) -> Result<Arc<Encoder>> {
        model_files::load(folder, weights, files, self.backend.for_queries(), remedy).map(Arc::new)
    }
}
