//! The model that the index was created with: every training of the encoder starts from it.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::meta::OutsideModel;
use super::open::Generation;
use crate::encoder::{WEIGHTS, model};
use crate::ids::Digest;

impl Generation {
    /// The folder of the model that the index was created with. `None` if an earlier version has trained this
    /// generation, or if no place has those weights any more: the folder that the application names, where it was when
    /// the index was created, and the caches.
    pub(crate) fn first_model_folder(&self) -> Option<&Path> {
        self.first.get_or_init(|| self.find_first_model()).as_deref()
    }

    fn find_first_model(&self) -> Option<PathBuf> {
        let OutsideModel { folder, weights } = self.meta.first_model()?;
        if self.meta.weights == weights {
            return Some(self.model_folder());
        }
        let shared = self.source.shared.as_ref().map(|encoder| encoder.folder().to_path_buf());
        let places = [shared, self.source.folder.clone(), Some(folder)].into_iter().flatten();
        let found = places.chain(cached()).find(|place| weights_in(place) == Some(weights));
        if found.is_none() {
            tracing::warn!(%weights, "the model that the index was created with was not found");
        }
        found
    }
}

fn cached() -> Option<PathBuf> {
    let located = model::locate(None).unwrap_or_else(|error| {
        tracing::debug!(%error, "could not look for a model in the caches");
        None
    });
    located.map(|located| located.folder)
}

/// SHA-256 of the weights in a folder. `None` if they can't be read.
fn weights_in(folder: &Path) -> Option<Digest> {
    File::open(folder.join(WEIGHTS)).and_then(|mut file| Digest::of_reader(&mut file)).ok()
}
