//! An index on a cluster: searched as an embedded one is, filled by migration.

mod basis;
mod collect;
mod documents;
mod editing;
mod edition;
mod encoding;
mod feedback;
mod filling;
mod following;
mod forget;
mod learning;
mod leased;
mod migrate;
mod migration;
mod progress;
mod queries;
mod queue;
mod rebased;
mod recording;
mod restore;
mod round;
mod serving;
mod slices;
mod status;
mod step;
mod transfer;
mod worker;

use std::sync::Arc;

pub use documents::{ListedDocument, ListedPage};
pub use editing::ChangeReport;
pub use learning::{ClusterProgress, ClusterRound};
pub use migrate::{MigrateOptions, MigrateReport};
pub use progress::{EncodeProgress, MigrateProgress};
pub use queue::FeedbackCounts;
pub use restore::RestoreReport;
pub use status::{ClusterNodes, ClusterStatus, EncodingStatus};
pub use worker::{WorkerProgress, WorkerReport};

use self::following::Following;
use self::recording::Feedback;
use self::serving::reached;
use super::impression::{impression, is_logged};
use super::options::Options;
use crate::encoder::model;
use crate::error::{Error, Result};
use crate::ids::{GenerationId, QueryId};
use crate::search::{Answer, Coverage, Query, rank};
use crate::store::Store as _;
use crate::store::opensearch::{Client, ClusterState, DEEPEST, Encoders, Names};

/// An index on an OpenSearch cluster, open for searching. Any number of processes may search it. `Send` and `Sync`.
///
/// Each search reads one generation. Another one that was published meanwhile is seen within a second. If it has
/// another encoder, a thread finds or downloads it first, and searches read the earlier generation until it is loaded.
///
/// Queries are those of an index of this machine, and find the same: docs/scale.md says where they may differ.
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
    feedback: Feedback,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("client", &self.client).field("name", &self.names.alias()).finish()
    }
}

impl Cluster {
    /// Opens the index at `store`: URLs of nodes, separated by commas, and behind the last one the index's name, which
    /// may be left out where the cluster has one index. The environment says who asks: see docs/scale.md. Of the
    /// options those about the model count, and the length of the log's queue. Weights that a round has trained and
    /// this machine has not are downloaded from the cluster into [`model_cache`](Options::model_cache).
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such index, or none was migrated to the end; [`Error::Cluster`] if the
    /// cluster can't be asked, or has lost weights; [`Error::Model`] if the model that the index was created with is
    /// not found; [`Error::Invalid`] for what is no address.
    pub fn open(store: &str, options: &Options) -> Result<Cluster> {
        options.validate()?;
        let (client, names) = reached(store)?;
        let cache = options.model_cache.clone().or_else(model::trained_models);
        let encoders = Encoders::new(&client, &names, options.model_source(), cache);
        let following = Following::open(&client, &names, encoders, !options.lazy_model)?;
        let feedback = Feedback::of(&client, &names, options.feedback.queue)?;
        Ok(Cluster { client, names, following, feedback })
    }

    /// The generation that the next search reads, as far as it was looked.
    pub fn generation(&self) -> GenerationId {
        self.following.current().generation()
    }

    /// How many passages that generation has, and how many of them have vectors.
    pub fn coverage(&self) -> Coverage {
        self.following.current().coverage()
    }

    /// The names of the folders that the documents of that generation are from.
    pub(crate) fn folders(&self) -> Vec<String> {
        self.following.current().manifest().folders.clone()
    }

    /// Answers a query. Never waits for the log.
    ///
    /// The answer is logged as one impression, unless it is a later page or the query has no word.
    ///
    /// # Errors
    /// [`Error::Invalid`] for unusable options of the query, and for what an index on a cluster can't answer: see
    /// docs/scale.md; [`Error::Cluster`] if the cluster can't be asked.
    pub fn search(&self, query: &Query) -> Result<Answer> {
        check(query)?;
        self.following.ask(|state| self.answer(state, query))
    }

    fn answer(&self, state: &ClusterState, query: &Query) -> Result<Answer> {
        let ranked = rank(state, query)?;
        let (query_id, generation) = (query.page_of.unwrap_or_else(QueryId::random), state.generation());
        let logged = is_logged(query, &ranked)
            && self.feedback.log(impression(query, query_id, &ranked, generation, None, Vec::new()));
        Ok(Answer {
            query_id,
            logged: logged || query.page_of.is_some(),
            generation,
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
    Ok(())
}
