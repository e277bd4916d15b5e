//! The model that the index was created with: every training of the encoder starts from it.

use std::path::{Path, PathBuf};

use super::meta::OutsideModel;
use super::model_files::weights_in;
use super::open::Generation;

impl Generation {
    /// The folder of the model that the index was created with. `None` if an earlier version has trained this
    /// generation, or if [no place](super::model_source::ModelSource::places) has those weights any more. The first
    /// call reads all weights of a trained generation's first model.
    pub(crate) fn first_model_folder(&self) -> Option<&Path> {
        self.first.get_or_init(|| self.find_first_model()).as_deref()
    }

    fn find_first_model(&self) -> Option<PathBuf> {
        let OutsideModel { folder, weights } = self.meta.first_model()?;
        if self.meta.weights == weights {
            return Some(self.model_folder());
        }
        let places = self.source.places(&folder).unwrap_or_else(|error| {
            tracing::warn!(%error, "could not look for the model that the index was created with");
            Vec::new()
        });
        let found = places.into_iter().find(|place| weights_in(place) == Some(weights));
        if found.is_none() {
            tracing::warn!(%weights, "the model that the index was created with was not found");
        }
        found
    }
}
