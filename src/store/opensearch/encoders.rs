//! The encoders of generations: given, found on this machine, or downloaded from the cluster.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::client::Client;
use super::manifest::{Manifest, Names};
use super::weights::{Cache, Parts, StoredEncoder};
use crate::encoder::{Encoder, EncoderPrecision, Precisions};
use crate::error::Result;
use crate::generation::{ModelSource, OutsideModel};

/// Encoders, of which generations with the same weights share one.
pub(crate) struct Encoders {
    client: Arc<Client>,
    names: Names,
    source: ModelSource,
    cache: Cache,
    /// Held while one is loaded.
    last: Mutex<Option<Arc<Encoder>>>,
    /// Of passages, where queries have another.
    last_of_passages: Mutex<Option<Arc<Encoder>>>,
}

impl Encoders {
    /// From `source`, or else from the cluster, by way of the folder `cache` if there is one.
    pub(crate) fn new(
        client: &Arc<Client>,
        names: &Names,
        source: ModelSource,
        cache: Option<PathBuf>,
    ) -> Encoders {
        let (client, names) = (Arc::clone(client), names.clone());
        let (last, last_of_passages) = Default::default();
        Encoders { client, names, source, cache: Cache::new(cache), last, last_of_passages }
    }

    /// The encoder of a generation's queries: the last one, or else loaded.
    pub(super) fn of(&self, manifest: &Manifest) -> Result<Arc<Encoder>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let weights = manifest.query_weights();
        if let Some(encoder) = last.as_ref().filter(|encoder| encoder.weights() == weights) {
            return Ok(Arc::clone(encoder));
        }
        let encoder = match &manifest.encoder {
            Some(stored) => self.trained(stored)?,
            None => {
                let recorded = manifest.model.clone().unwrap_or_default();
                self.source.with_weights(weights, &recorded)?
            }
        };
        *last = Some(Arc::clone(&encoder));
        Ok(encoder)
    }

    /// The encoder that makes vectors of passages for a generation: the last one, or else loaded. `None` if it is
    /// neither on the cluster nor the model that the index was created with.
    pub(crate) fn for_passages(&self, manifest: &Manifest) -> Result<Option<Arc<Encoder>>> {
        let Precisions { documents, queries } = self.source.backend.precisions;
        let encodes_queries = manifest.query_weights() == manifest.weights;
        if encodes_queries && documents == queries {
            return self.of(manifest).map(Some);
        }
        let mut last = self.last_of_passages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(encoder) = last.as_ref().filter(|encoder| encoder.weights() == manifest.weights) {
            return Ok(Some(Arc::clone(encoder)));
        }
        let encoder = match (&manifest.encoder, manifest.first_of_passages()) {
            (Some(stored), _) if encodes_queries => self.of_passages(stored, documents)?,
            (_, Some(first)) => self.source_of(documents).with_weights(manifest.weights, first)?,
            (_, None) => return Ok(None),
        };
        *last = Some(Arc::clone(&encoder));
        Ok(Some(encoder))
    }

    /// A model that lies on no cluster.
    ///
    /// # Errors
    /// As [`ModelSource::with_weights`].
    pub(crate) fn outside(&self, model: &OutsideModel) -> Result<Arc<Encoder>> {
        self.source.with_weights(model.weights, &model.folder)
    }

    /// An encoder that lies on the cluster, for passages: in this precision, or what comes next to it here.
    pub(crate) fn of_passages(
        &self,
        stored: &StoredEncoder,
        precision: EncoderPrecision,
    ) -> Result<Arc<Encoder>> {
        let source = self.source_of(precision);
        match source.given(stored.weights)? {
            Some(given) => Ok(given),
            None => stored.open(&self.cache, &Parts::of(&self.client, &self.names), &source),
        }
    }

    fn source_of(&self, precision: EncoderPrecision) -> ModelSource {
        let mut source = self.source.clone();
        source.backend.precisions = Precisions::of(precision);
        // One that is loaded already may compute in another.
        source.shared = None;
        source
    }

    fn trained(&self, stored: &StoredEncoder) -> Result<Arc<Encoder>> {
        match self.source.given(stored.weights)? {
            Some(given) => Ok(given),
            None => stored.open(&self.cache, &Parts::of(&self.client, &self.names), &self.source),
        }
    }
}
