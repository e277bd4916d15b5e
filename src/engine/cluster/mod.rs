//! An index on a cluster: searched as an embedded one is, filled by migration.

mod following;
mod migrate;
mod migration;
mod progress;
mod serving;

use std::sync::Arc;
use std::time::Instant;

pub use migrate::{MigrateOptions, MigrateReport};
pub use progress::MigrateProgress;

use self::following::Following;
use self::serving::only_index;
use super::options::Options;
use crate::encoder::model;
use crate::error::{Error, Result};
use crate::ids::{GenerationId, QueryId};
use crate::search::{Answer, Query, rank};
use crate::store::Store as _;
use crate::store::opensearch::{Address, Client, ClusterState, DEEPEST, Encoders, Names};

/// An index on an OpenSearch cluster, open for searching. Any number of processes may search it. `Send` and `Sync`.
///
/// Each search reads one generation. Another one that was published meanwhile is seen within a second. If it has
/// another encoder, a thread finds or downloads it first, and searches read the earlier generation until it is loaded.
///
/// What an index of this machine offers beyond words, vectors and filters is not there yet: see docs/scale.md.
///
/// ```no_run
/// use retune::cluster::Cluster;
/// use retune::{Options, Query};
///
/// # fn main() -> retune::Result<()> {
/// let cluster = Cluster::open("http://search-1:9200,http://search-2:9200/handbook", &Options::default())?;
/// let answer = cluster.search(&Query::new("when is the boiler cleaned"))?;
/// # Ok(())
/// # }
/// ```
pub struct Cluster {
    client: Arc<Client>,
    names: Names,
    following: Arc<Following>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("client", &self.client).field("name", &self.names.alias()).finish()
    }
}

impl Cluster {
    /// Opens the index at `store`: URLs of nodes, separated by commas, and behind the last one the index's name, which
    /// may be left out where the cluster has one index. The environment says who asks: see docs/scale.md. Of the
    /// options those about the model count. Weights that a round has trained and this machine has not are downloaded
    /// from the cluster into [`model_cache`](Options::model_cache).
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such index, or none was migrated to the end; [`Error::Cluster`] if the
    /// cluster can't be asked, or has lost weights; [`Error::Model`] if the model that the index was created with is
    /// not found; [`Error::Invalid`] for what is no address.
    pub fn open(store: &str, options: &Options) -> Result<Cluster> {
        options.validate()?;
        let Address { nodes, name } = store.parse()?;
        let client = Arc::new(Client::new(nodes)?);
        let names = Names::of(name.map_or_else(|| only_index(&client), Ok)?);
        let cache = options.model_cache.clone().or_else(model::trained_models);
        let encoders = Encoders::new(&client, &names, options.model_source(), cache);
        let following = Following::open(&client, &names, encoders)?;
        let state = following.current();
        if !options.lazy_model && state.coverage().encoded > 0 {
            state.encoder()?;
        }
        Ok(Cluster { client, names, following })
    }

    /// The generation that the next search reads, as far as it was looked.
    pub fn generation(&self) -> GenerationId {
        self.following.current().generation()
    }

    /// Answers a query. Nothing is logged yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for unusable options of the query, and for those that an index on a cluster does not have:
    /// totals, facets, phrases, prefixes and paths; [`Error::Cluster`] if the cluster can't be asked.
    pub fn search(&self, query: &Query) -> Result<Answer> {
        check(query)?;
        let state = self.following.state();
        let begun = Instant::now();
        match self.answer(&state, query) {
            // Its generation may have been dropped meanwhile.
            Err(error @ Error::Cluster { .. }) => match self.following.instead_of(&state, begun)? {
                Some(now) => self.answer(&now, query),
                None => Err(error),
            },
            answered => answered,
        }
    }

    fn answer(&self, state: &ClusterState, query: &Query) -> Result<Answer> {
        let ranked = rank(state, query)?;
        Ok(Answer {
            query_id: query.page_of.unwrap_or_else(QueryId::random),
            logged: false,
            generation: state.generation(),
            mode: query.mode,
            took_ms: ranked.took,
            coverage: state.coverage(),
            hits: ranked.hits,
            total: ranked.counts.total,
            facets: ranked.counts.facets,
        })
    }
}

/// Rejects what a cluster can't answer before it is asked.
fn check(query: &Query) -> Result<()> {
    let most = query.candidates.max(query.offset.saturating_add(query.limit));
    if most > DEEPEST {
        let found = format!("{most} candidates, or documents up to the end of the page");
        return Err(Error::invalid("the query on a cluster", found, format!("{DEEPEST} at most")));
    }
    let found = match query {
        Query { total: true, .. } => "a count of all documents",
        Query { facets, .. } if !facets.is_empty() => "counts of the values of fields",
        Query { path: Some(_), .. } => "a path",
        _ => return Ok(()),
    };
    Err(Error::invalid(
        "the query on a cluster",
        found,
        "none: an index of this machine has it (docs/scale.md)",
    ))
}
