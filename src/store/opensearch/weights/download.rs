//! An encoder of the cluster, loaded.

use std::path::Path;
use std::sync::Arc;

use super::assemble::assemble;
use super::cache::Cache;
use super::parts::Parts;
use super::stored::StoredEncoder;
use crate::encoder::Encoder;
use crate::error::Result;
use crate::generation::ModelSource;

impl StoredEncoder {
    /// Loads the encoder from the cache, into which it is downloaded if it is not there.
    ///
    /// # Errors
    /// [`Error::Cluster`](crate::Error::Cluster) if a part is missing or another, or the cluster can't be asked.
    pub(in crate::store::opensearch) fn open(
        &self,
        cache: &Cache,
        parts: &Parts<'_>,
        source: &ModelSource,
    ) -> Result<Arc<Encoder>> {
        let beside = self.beside();
        let load = |folder: &_| source.copied(folder, self.weights, &beside, "remove the folder");
        cache.open(self, &load, &mut |part| parts.fetch(part))
    }
}

impl Parts<'_> {
    /// Downloads the files of an encoder into a folder.
    ///
    /// # Errors
    /// As [`StoredEncoder::open`].
    pub(crate) fn write(&self, encoder: &StoredEncoder, folder: &Path) -> Result<()> {
        assemble(encoder, folder, &mut |part| self.fetch(part))
    }
}
