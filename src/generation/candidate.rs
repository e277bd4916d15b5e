//! Another way to turn queries into vectors, over the vectors that serve: judged before anything is copied.

use std::path::Path;
use std::sync::Arc;

use super::adapter_file;
use super::build::{Scratch, scratch};
use super::open::{Generation, GenerationMeta, Pinned};
use super::query_side::{AdapterMeta, QueriesMeta, QueryEncoderMeta, QuerySide, query_folder};
use crate::encoder::{Adapter, Encoder};
use crate::error::{Error, Result};

/// A query side that is not published. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(super) meta: QueriesMeta,
    side: QuerySide,
    pub(super) folder: Scratch,
}

impl Candidate {
    /// An encoder of queries that was trained against the vectors of `serving`; `save` writes it into the folder it is given.
    pub(crate) fn with_encoder(
        root: &Path,
        serving: &Generation,
        save: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Candidate> {
        let folder = scratch(root, serving, "-encoder-of-queries")?;
        let model = query_folder(&folder.0);
        save(&model)?;
        let backend = serving.encoder.backend().for_queries();
        let encoder = Encoder::load_with(&model, backend.options())?;
        let meta = QueryEncoderMeta::of(&folder.0, encoder.weights(), serving.meta.weights)?;
        // An adapter of the encoder before it is none of this one.
        let meta = QueriesMeta { encoder: Some(meta), adapter: None };
        let side = QuerySide { encoder: Some(Arc::new(encoder)), adapter: None };
        Ok(Candidate { meta, side, folder })
    }

    /// An adapter, in place of any other, of the vectors that the encoder of queries of `serving` gives; it was fitted to the
    /// documents' vectors there.
    pub(crate) fn with_adapter(root: &Path, serving: &Generation, adapter: Adapter) -> Result<Candidate> {
        let folder = scratch(root, serving, "-adapter-of-queries")?;
        let encoder = serving.meta.queries.encoder.clone();
        let fitted_to = serving.meta.weights;
        let queries = encoder.as_ref().map_or(fitted_to, |encoder| encoder.weights);
        let file = adapter_file::write(&folder.0, &adapter)?;
        let meta = QueriesMeta { encoder, adapter: Some(AdapterMeta { file, queries, fitted_to }) };
        let side = QuerySide { adapter: Some(Arc::new(adapter)), ..serving.queries.clone() };
        Ok(Candidate { meta, side, folder })
    }

    /// What another generation, perhaps of another index, has for queries.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is for the vectors of another encoder.
    pub(crate) fn of(root: &Path, serving: &Generation, other: &Generation) -> Result<Candidate> {
        if other.meta.weights != serving.meta.weights {
            let expected = format!("{}, which made the vectors of this one", serving.meta.weights);
            return Err(Error::invalid("the encoder of the other index", other.meta.weights, expected));
        }
        let folder = scratch(root, serving, "-other-queries")?;
        let meta = other.meta.queries.clone();
        meta.hand_on(other.folder(), &folder.0)?;
        let side = QuerySide::open(&folder.0, &meta, &serving.encoder)?;
        Ok(Candidate { meta, side, folder })
    }

    /// The documents of `serving` as a search with this query side sees them.
    pub(crate) fn pin(&self, serving: &Pinned) -> Pinned {
        let Pinned { dense, generation } = serving;
        let meta = GenerationMeta { queries: self.meta.clone(), ..generation.meta.clone() };
        let generation =
            Generation::new(meta, Arc::clone(&generation.encoder), self.side.clone(), self.folder.0.clone());
        Pinned { dense: dense.clone(), generation: Arc::new(generation) }
    }
}
