//! The encoder of queries that lies in a generation's own folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::build::Building;
use super::meta::{GenerationMeta, ModelPlace, model_folder};
use super::open::Generation;
use super::query_side::query_folder;
use crate::encoder::WEIGHTS;
use crate::ids::Digest;

/// What a generation encodes queries with, if a round has trained it.
#[derive(Debug, Clone)]
pub(crate) struct OwnEncoder {
    pub(crate) folder: PathBuf,
    /// SHA-256 of its weights.
    pub(crate) weights: Digest,
    /// SHA-256 of the weights whose vectors it was trained against, if it encodes queries alone.
    pub(crate) trained_against: Option<Digest>,
    /// The digests of all its files, by path below the folder, with `/` between folders.
    pub(crate) files: BTreeMap<String, Digest>,
}

impl Generation {
    /// The generation's own encoder of queries: a whole model, whichever of its layers were trained. `None` if queries
    /// are encoded by the model that the index was created with.
    pub(crate) fn own_encoder(&self) -> Option<OwnEncoder> {
        own_encoder(&self.folder, &self.meta)
    }
}

impl Building {
    /// As [`Generation::own_encoder`].
    pub(crate) fn own_encoder(&self) -> Option<OwnEncoder> {
        own_encoder(&self.folder.0, &self.meta)
    }
}

fn own_encoder(folder: &Path, meta: &GenerationMeta) -> Option<OwnEncoder> {
    let (folder, weights, trained_against, beside) = match (&meta.queries.encoder, &meta.model) {
        (Some(own), _) => (query_folder(folder), own.weights, Some(own.trained_against), &own.files),
        (None, ModelPlace::Own) => (model_folder(folder), meta.weights, None, &meta.files),
        (None, ModelPlace::Folder(_)) => return None,
    };
    let mut files = beside.clone();
    files.insert(WEIGHTS.to_string(), weights);
    Some(OwnEncoder { folder, weights, trained_against, files })
}
