//! One generation on a cluster, as searches read it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;

use super::beginning;
use super::client::{Body, Call, Client, Method};
use super::encoders::Encoders;
use super::failure::unexpected;
use super::filter;
use super::frequencies::Frequencies;
use super::manifest::{Manifest, Names};
use super::mapping::DOCUMENT;
use super::query::ClusterQuery;
use super::retry::Repeat;
use super::searches::Searches;
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::generation::QueryCache;
use crate::ids::GenerationId;
use crate::lexical::{Analysis, Statistics};
use crate::store::coverage::Coverage;
use crate::store::restriction::{Asks, Restrictions};
use crate::store::state::Store;

/// A generation: its manifest, and what was asked of it so far. Its index is written once, so it never changes.
pub(crate) struct ClusterState {
    pub(super) client: Arc<Client>,
    pub(super) index: String,
    pub(super) manifest: Manifest,
    analysis: Analysis,
    encoders: Arc<Encoders>,
    encoder: OnceLock<Arc<Encoder>>,
    asked: QueryCache,
    frequencies: Frequencies,
}

impl ClusterState {
    /// Opens a generation. Loads no model.
    ///
    /// # Errors
    /// As [`Manifest::read`]; [`Error::Cluster`] for one whose passages an earlier version has sent.
    pub(crate) fn open(
        client: &Arc<Client>,
        names: &Names,
        id: GenerationId,
        encoders: &Arc<Encoders>,
    ) -> Result<ClusterState> {
        let manifest = Manifest::read(client, names, id)?;
        if manifest.version != Manifest::VERSION {
            return Err(Error::Cluster {
                doing: "open the generation at",
                at: client.at(&format!("/{}", names.generation(id))),
                found: format!("format version {}, of an earlier retune", manifest.version),
                remedy: "migrate the index again",
            });
        }
        let others = manifest.other_languages.iter().copied();
        Ok(ClusterState {
            client: Arc::clone(client),
            index: names.generation(manifest.passages()),
            analysis: Analysis::new(manifest.language, others),
            manifest,
            encoders: Arc::clone(encoders),
            encoder: OnceLock::new(),
            asked: QueryCache::default(),
            frequencies: Frequencies::default(),
        })
    }

    pub(crate) fn generation(&self) -> GenerationId {
        self.manifest.generation
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The index that has its passages.
    pub(crate) fn index(&self) -> &str {
        &self.index
    }

    /// The folder of the encoder, if it is loaded.
    pub(crate) fn encoder_folder(&self) -> Option<PathBuf> {
        self.encoder.get().map(|encoder| encoder.folder().to_path_buf())
    }

    /// Whether the encoder is loaded.
    pub(crate) fn has_encoder(&self) -> bool {
        self.encoder.get().is_some()
    }

    /// Whether queries are encoded with the same weights as in another generation.
    pub(crate) fn encodes_as(&self, other: &ClusterState) -> bool {
        self.manifest.query_weights() == other.manifest.query_weights()
    }

    /// Whether its index is known to have been dropped.
    pub(crate) fn is_gone(&self) -> bool {
        const DOING: &str = "look whether there is still";
        let path = format!("/{}/_settings?filter_path=*.settings.index.uuid", self.index);
        let call =
            Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
        matches!(self.client.answer(&call), Ok((404, _)))
    }

    /// Whether it has a document.
    pub(crate) fn has_document(&self, document: &str) -> Result<bool> {
        const DOING: &str = "look up a document at";
        let path = format!("/{}/_search?allow_partial_search_results=false", self.index);
        let query = json!({ "size": 0, "terminate_after": 1, "query": { "term": { DOCUMENT: document } } });
        let body = Body::Json(&query);
        let call = Call { doing: DOING, method: Method::Post, path: &path, body, repeat: Repeat::Safe };
        let count = self.client.ask(&call)?["hits"]["total"]["value"].as_u64();
        count.map(|count| count > 0).ok_or_else(|| unexpected(DOING, self.client.at(&path), "a count"))
    }

    /// Loads the encoder, if it is not loaded yet.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) if no model with the generation's weights is found;
    /// [`Error::Cluster`](crate::Error::Cluster) if weights that lie on the cluster can't be downloaded.
    pub(crate) fn encoder(&self) -> Result<&Arc<Encoder>> {
        if let Some(encoder) = self.encoder.get() {
            return Ok(encoder);
        }
        let encoder = self.encoders.of(&self.manifest)?;
        Ok(self.encoder.get_or_init(|| encoder))
    }
}

impl ClusterState {
    /// The terms that prefixes are searched for with.
    fn terms_of_prefixes(&self, restrictions: &Restrictions<'_>) -> Result<Vec<String>> {
        let searches = Searches { client: &self.client, index: &self.index };
        let mut terms = Vec::new();
        for one in restrictions.all.iter().filter(|one| !one.negated) {
            if let Asks::Prefix(prefix) = one.asks {
                terms.extend(beginning::terms_of(prefix, &self.analysis, searches)?);
            }
        }
        Ok(terms)
    }
}

impl Store for ClusterState {
    type Query<'s> = ClusterQuery<'s>;

    fn look_up<'s>(&'s self, text: &str, restrictions: &Restrictions<'_>) -> Result<ClusterQuery<'s>> {
        let manifest = &self.manifest;
        let filter = filter::clause(restrictions, &self.analysis, &manifest.fields)?;
        let words = self.analysis.of_query(text, &self.terms_of_prefixes(restrictions)?);
        let known = self.frequencies.of(&words.terms(), &self.client, &self.index)?;
        let weights = words.weights(&Statistics {
            chunks: manifest.counts.chunks,
            having: &|part| manifest.counts.having(part),
            with_term: &|part, term| known.of(part, term),
        });
        let query = ClusterQuery {
            searches: Searches { client: &self.client, index: &self.index },
            chunks: manifest.counts.chunks,
            words,
            weights,
            filter,
            records: Mutex::default(),
        };
        query.check().map(|()| query)
    }

    fn encode_query(&self, text: &str) -> Result<Arc<[f32]>> {
        self.asked.get(text, || self.encoder()?.encode_one(text))
    }

    fn fusion(&self) -> Fusion {
        self.manifest.fusion
    }

    fn coverage(&self) -> Coverage {
        let counts = &self.manifest.counts;
        Coverage { encoded: counts.encoded as usize, chunks: counts.chunks as usize }
    }
}
