//! A candidate query encoder over the published vectors. The gate judges it before anything is copied.

use std::path::Path;
use std::sync::Arc;

use super::meta::GenerationMeta;
use super::open::{Generation, Pinned};
use super::query_side::{QueriesMeta, QueryEncoderMeta, QuerySide, query_folder};
use super::scratch::{Scratch, scratch};
use crate::encoder::Encoder;
use crate::error::{Error, Result};

/// A query side that is not published. Dropping it removes its folder.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(super) meta: QueriesMeta,
    side: QuerySide,
    pub(super) folder: Scratch,
}

impl Candidate {
    /// A query encoder trained against the vectors of `serving`. `save` writes it into the folder it is given.
    pub(crate) fn with_encoder(
        root: &Path,
        serving: &Generation,
        save: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Candidate> {
        let folder = scratch(root, serving, "-encoder-of-queries")?;
        let model = query_folder(&folder.0);
        save(&model)?;
        let backend = serving.backend().for_queries();
        let encoder = Encoder::load_with(&model, backend.options())?;
        let meta = QueryEncoderMeta::of(&folder.0, encoder.weights(), serving.meta.weights)?;
        let meta = QueriesMeta { encoder: Some(meta) };
        let side = QuerySide { encoder: Some(Arc::new(encoder)) };
        Ok(Candidate { meta, side, folder })
    }

    /// The query side of another generation, possibly from another index.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it was made for the vectors of another encoder.
    pub(crate) fn of(root: &Path, serving: &Generation, other: &Generation) -> Result<Candidate> {
        if other.meta.weights != serving.meta.weights {
            let expected = format!("{}, which made the vectors of this one", serving.meta.weights);
            return Err(Error::invalid("the encoder of the other index", other.meta.weights, expected));
        }
        let folder = scratch(root, serving, "-other-queries")?;
        let meta = other.meta.queries.clone();
        meta.hand_on(other.folder(), &folder.0)?;
        let side = QuerySide::open(&folder.0, &meta, serving.encoder()?)?;
        Ok(Candidate { meta, side, folder })
    }

    /// The documents of `serving` as a search with this query side sees them.
    pub(crate) fn pin(&self, serving: &Pinned) -> Result<Pinned> {
        let Pinned { dense, generation } = serving;
        let meta = GenerationMeta { queries: self.meta.clone(), ..generation.meta.clone() };
        let documents = Arc::clone(generation.encoder()?);
        let generation = Generation::new(meta, documents, self.side.clone(), self.folder.0.clone());
        Ok(Pinned { dense: dense.clone(), generation: Arc::new(generation) })
    }
}
