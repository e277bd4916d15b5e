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
        Encoders { client, names, source, cache: Cache::new(cache), last: Mutex::default() }
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
        let mut source = self.source.clone();
        source.backend.precisions = Precisions::of(precision);
        // One that is loaded already may compute in another.
        source.shared = None;
        match source.given(stored.weights)? {
            Some(given) => Ok(given),
            None => stored.open(&self.cache, &Parts::of(&self.client, &self.names), &source),
        }
    }

    fn trained(&self, stored: &StoredEncoder) -> Result<Arc<Encoder>> {
        match self.source.given(stored.weights)? {
            Some(given) => Ok(given),
            None => stored.open(&self.cache, &Parts::of(&self.client, &self.names), &self.source),
        }
    }
}
