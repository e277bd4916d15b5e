//! Copies an encoder of a generation out of the index.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::damage::REMEDY;
use super::meta::{ModelPlace, model_folder};
use super::model_files;
use super::open::Generation;
use super::query_side::query_folder;
use crate::encoder::{WEIGHTS, copy_model};
use crate::error::{Error, Result};
use crate::ids::Digest;

impl Generation {
    /// Copies the encoder of documents, or that of queries, into the folder `into`, which exists, as
    /// sentence-transformers reads it. Loads no model. Returns the SHA-256 of the weights.
    ///
    /// # Errors
    /// [`Error::Damaged`] and [`Error::Model`] if the weights are not those that the generation was built with;
    /// [`Error::NotFound`] if they lie outside the index and are gone.
    pub(crate) fn copy_encoder(&self, of_queries: bool, into: &Path) -> Result<Digest> {
        let queries = self.meta.queries.encoder.as_ref().filter(|_| of_queries);
        let (source, weights) = match (queries, &self.meta.model) {
            (Some(own), _) => {
                let source = query_folder(&self.folder);
                model_files::verify(&source, own.weights, &own.files, REMEDY)?;
                (source, own.weights)
            }
            (None, ModelPlace::Own) => {
                let (source, weights) = (model_folder(&self.folder), self.meta.weights);
                model_files::verify(&source, weights, &self.meta.files, REMEDY)?;
                (source, weights)
            }
            (None, ModelPlace::Folder(recorded)) => (self.outside(recorded)?, self.meta.weights),
        };
        copy_model(&source, into)?;
        let path = into.join(WEIGHTS);
        let copied = File::open(&path).and_then(|mut file| Digest::of_reader(&mut file));
        let copied = copied.map_err(Error::io("read", &path))?;
        match copied == weights {
            true => Ok(weights),
            false => Err(Error::Model {
                path: source,
                problem: format!("its weights are {copied}, the generation was built with {weights}"),
                remedy: "name the folder with those weights with --model DIR or RETUNE_MODEL",
            }),
        }
    }

    /// The folder of a model outside the index.
    fn outside(&self, recorded: &Path) -> Result<PathBuf> {
        self.source.places(recorded)?.into_iter().next().ok_or_else(|| Error::NotFound {
            what: "model in",
            id: recorded.display().to_string(),
            remedy: "name the folder with --model DIR or RETUNE_MODEL, or run `retune model fetch`",
        })
    }
}
