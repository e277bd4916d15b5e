//! How queries are encoded when they have an encoder of their own.
//!
//! Vectors of different encoders are never compared, with one exception: a query encoder that was trained against the
//! very document vectors that it is compared with. The generation records the digest of the encoder that made those
//! vectors, and opening checks it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::calibration;
use super::damage::{META, REMEDY};
use super::model_files::{self, Files};
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::ids::Digest;

/// The part of `generation.json` about queries. Empty if the documents' encoder serves both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueriesMeta {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encoder: Option<QueryEncoderMeta>,
}

/// A query encoder, in the generation's folder `queries/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueryEncoderMeta {
    /// SHA-256 of its weights.
    pub(crate) weights: Digest,
    /// SHA-256 of the weights that made the document vectors it was trained against.
    pub(crate) trained_against: Digest,
    /// Its other files.
    pub(super) files: Files,
}

impl QueryEncoderMeta {
    #[cfg(test)]
    pub(super) fn new(weights: Digest, trained_against: Digest) -> QueryEncoderMeta {
        QueryEncoderMeta { weights, trained_against, files: Files::new() }
    }

    /// Describes the query encoder saved in the generation's folder. `weights` is the digest of what was loaded from
    /// there.
    pub(super) fn of(
        generation: &Path,
        weights: Digest,
        trained_against: Digest,
    ) -> Result<QueryEncoderMeta> {
        Ok(QueryEncoderMeta {
            weights,
            trained_against,
            files: model_files::digests(&query_folder(generation))?,
        })
    }

    fn open(&self, generation: &Path, documents: &Encoder) -> Result<Encoder> {
        held_to(generation, "an encoder of queries", self.trained_against, documents.weights())?;
        // This encoder encodes queries only.
        let (folder, backend) = (query_folder(generation), documents.backend().for_queries());
        let encoder = model_files::load(&folder, self.weights, &self.files, backend, REMEDY)?;
        calibration::resume(&encoder, generation)?;
        Ok(encoder)
    }
}

/// Rejects a query side made for the vectors of other weights.
fn held_to(generation: &Path, what: &str, found: Digest, expected: Digest) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Damaged {
        path: generation.join(META),
        found: format!("{what} for vectors of {found}"),
        expected: format!("one for vectors of {expected}"),
        remedy: REMEDY,
    })
}

impl QueriesMeta {
    /// Compares the files of the encoder of queries in the folder of a generation, whose vectors are made by the
    /// weights `documents`, with what was published.
    pub(super) fn verify(&self, generation: &Path, documents: Digest) -> Result<()> {
        let Some(encoder) = &self.encoder else { return Ok(()) };
        held_to(generation, "an encoder of queries", encoder.trained_against, documents)?;
        model_files::verify(&query_folder(generation), encoder.weights, &encoder.files, REMEDY)
    }

    /// Copies the query files of another generation that has the same documents' encoder. Does nothing if they are
    /// there.
    pub(super) fn hand_on(&self, from: &Path, to: &Path) -> Result<()> {
        if self.encoder.is_some() && !query_folder(to).exists() {
            model_files::copy(&query_folder(from), &query_folder(to))?;
        }
        Ok(())
    }
}

/// Encodes queries. Empty if the documents' encoder does.
#[derive(Debug, Clone, Default)]
pub(crate) struct QuerySide {
    pub(super) encoder: Option<Arc<Encoder>>,
}

impl QuerySide {
    /// Opens what `meta` names in the folder of a generation. `documents` made the generation's vectors.
    pub(super) fn open(generation: &Path, meta: &QueriesMeta, documents: &Encoder) -> Result<QuerySide> {
        let encoder = meta.encoder.as_ref().map(|meta| meta.open(generation, documents)).transpose()?;
        Ok(QuerySide { encoder: encoder.map(Arc::new) })
    }

    /// The vector of a query, of length 1.
    pub(super) fn encode(&self, documents: &Encoder, text: &str) -> Result<Vec<f32>> {
        self.encoder.as_deref().unwrap_or(documents).encode_one(text)
    }
}

/// The folder of the query encoder in its generation's folder.
pub(super) fn query_folder(generation: &Path) -> PathBuf {
    generation.join("queries")
}
