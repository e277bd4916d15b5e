//! An index on a cluster: searched as an embedded one is, filled by migration.

mod migrate;

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

pub use migrate::{MigrateOptions, MigrateProgress, MigrateReport};

use super::options::Options;
use crate::error::{Error, Result};
use crate::ids::{GenerationId, QueryId};
use crate::search::{Answer, Query, rank};
use crate::store::Store as _;
use crate::store::opensearch::{Address, Client, ClusterState, DEEPEST, Encoders, Names, indexes, live};

/// How long a reader goes on without a look at which generation serves.
const LOOK: Duration = Duration::from_millis(500);

/// An index on an OpenSearch cluster, open for searching. Any number of processes may search it. `Send` and `Sync`.
///
/// Each search reads one generation. Another one that was published meanwhile is seen within a second; if it has
/// another encoder, the first search that needs it loads that.
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
    encoders: Arc<Encoders>,
    current: ArcSwap<ClusterState>,
    /// When it was looked last which generation serves.
    looked: Mutex<Instant>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("client", &self.client).field("name", &self.names.alias()).finish()
    }
}

impl Cluster {
    /// Opens the index at `store`: URLs of nodes, separated by commas, and behind the last one the index's name, which
    /// may be left out where the cluster has one index. The environment says who asks: see docs/scale.md. Of the
    /// options those about the model count.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such index, or none was migrated to the end; [`Error::Cluster`] if the
    /// cluster can't be asked; [`Error::Invalid`] for what is no address.
    pub fn open(store: &str, options: &Options) -> Result<Cluster> {
        options.validate()?;
        let Address { nodes, name } = store.parse()?;
        let client = Arc::new(Client::new(nodes)?);
        let names = Names::of(name.map_or_else(|| only_index(&client), Ok)?);
        let encoders = Arc::new(Encoders::new(options.model_source()));
        let looked = Mutex::new(Instant::now());
        let state = ClusterState::open(&client, &names, serving(&client, &names)?, &encoders)?;
        if !options.lazy_model && state.coverage().encoded > 0 {
            state.encoder()?;
        }
        Ok(Cluster { current: ArcSwap::from_pointee(state), client, names, encoders, looked })
    }

    /// The generation that the next search reads, as far as it was looked.
    pub fn generation(&self) -> GenerationId {
        self.current.load().generation()
    }

    /// Answers a query. Nothing is logged yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for unusable options of the query, and for those that an index on a cluster does not have:
    /// totals, facets, phrases, prefixes and paths; [`Error::Cluster`] if the cluster can't be asked.
    pub fn search(&self, query: &Query) -> Result<Answer> {
        check(query)?;
        let state = self.state();
        let begun = Instant::now();
        match self.answer(&state, query) {
            // Its generation may have been dropped meanwhile.
            Err(error @ Error::Cluster { .. }) => {
                let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
                // Somebody else may have looked since: then the answer is the same for all.
                if *looked < begun {
                    self.look(&mut looked)?;
                }
                let now = self.current.load_full();
                drop(looked);
                if now.generation() == state.generation() { Err(error) } else { self.answer(&now, query) }
            }
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

    /// The state to search. One search in a while looks which generation serves; others don't wait for it.
    fn state(&self) -> Arc<ClusterState> {
        let looked = match self.looked.try_lock() {
            Ok(looked) => Some(looked),
            Err(TryLockError::Poisoned(looked)) => Some(looked.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut looked) = looked.filter(|looked| looked.elapsed() >= LOOK)
            && let Err(error) = self.look(&mut looked)
        {
            // The generation that is open may be there all the same: the search will tell.
            tracing::warn!(%error, "could not look which generation serves");
        }
        self.current.load_full()
    }

    fn look(&self, looked: &mut Instant) -> Result<()> {
        let serving = serving(&self.client, &self.names);
        *looked = Instant::now();
        let serving = serving?;
        if serving != self.current.load().generation() {
            let state = ClusterState::open(&self.client, &self.names, serving, &self.encoders)?;
            self.current.store(Arc::new(state));
        }
        Ok(())
    }
}

const REMEDY: &str = "make it with `retune migrate DIR --store URL/NAME`";

/// The generation that serves.
fn serving(client: &Client, names: &Names) -> Result<GenerationId> {
    let missing = |what| Error::NotFound { what, id: names.alias().to_string(), remedy: REMEDY };
    let index = live(client, names)?.ok_or_else(|| missing("index on the cluster with the name"))?;
    names.id_of(&index).ok_or_else(|| missing("generation that was migrated to the end of the index"))
}

/// The name of the only index on the cluster.
fn only_index(client: &Client) -> Result<String> {
    let mut found = indexes(client)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            Err(Error::NotFound { what: "index of retune on the cluster", id: String::new(), remedy: REMEDY })
        }
        _ => Err(Error::invalid(
            "the address of the cluster",
            "no name of an index",
            format!("one of {} behind the last URL", found.join(", ")),
        )),
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
