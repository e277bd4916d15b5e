//! What an index on a cluster is, and how it does.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::Cluster;
use crate::error::Result;
use crate::exchange::judging_actions;
use crate::ids::{Digest, GenerationId};
use crate::search::Coverage;
use crate::store::Store as _;
use crate::store::opensearch::{Found, Health, Job, Lease, SliceState, Standing, Ubi, health};

/// After how long the job of a machine that is silent is none any more. Its clock may be wrong by less.
const SILENT: Duration = Duration::from_secs(600);

/// What an index on a cluster is, and how it does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClusterStatus {
    /// The name of the index.
    pub name: String,
    /// Where it is: the addresses of nodes that were given, with the name behind the last one.
    pub store: String,
    /// The generation that serves.
    pub generation: GenerationId,
    /// Documents that a search can find.
    pub documents: u64,
    /// Their passages, and how many of them have vectors.
    pub coverage: Coverage,
    /// The names of the folders that they are from, as [`Folder::name`](crate::folders::Folder::name).
    pub folders: Vec<String>,
    /// SHA-256 of the weights that encode queries.
    pub weights: Digest,
    /// The folder of the encoder, once it is loaded.
    pub model: Option<PathBuf>,
    /// Answered queries on the cluster.
    pub queries: u64,
    /// What was said of their documents.
    pub judgements: u64,
    /// The nodes. `None` where this user may not ask for them.
    pub nodes: Option<ClusterNodes>,
    /// Passages that are being encoded for a round of learning.
    pub encoding: Option<EncodingStatus>,
}

/// How far workers are with the passages of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EncodingStatus {
    /// Passages that have their vectors.
    pub done: u64,
    /// All passages that get one.
    pub total: u64,
    /// Slices of the job that are done.
    pub slices_done: usize,
    /// All slices.
    pub slices: usize,
    /// Processes that have taken one, the machine that learns among them.
    pub workers: usize,
}

/// The nodes of a cluster, and how an index lies on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClusterNodes {
    /// Nodes that are there.
    pub count: u32,
    /// `green` if all copies of the index are there, `yellow` if one of each part is, else `red`.
    pub health: String,
}

impl Cluster {
    /// What the index is, and how it does. Asks the cluster six times at most.
    ///
    /// # Errors
    /// [`Error::Cluster`](crate::Error::Cluster) if it can't be asked.
    pub fn status(&self) -> Result<ClusterStatus> {
        self.following.ask(|state| {
            let records = &self.feedback.records;
            let nodes = health(&self.client, state)?;
            Ok(ClusterStatus {
                name: self.names.alias().to_string(),
                store: self.client.at(&format!("/{}", self.names.alias())),
                generation: state.generation(),
                documents: state.manifest().documents,
                coverage: state.coverage(),
                folders: state.manifest().folders.clone(),
                weights: state.manifest().query_weights(),
                model: state.encoder_folder(),
                queries: records.count(Ubi::Queries, &[])?,
                judgements: records.count(Ubi::Events, &judging_actions())?,
                encoding: self.encoding()?,
                nodes: nodes.map(|Health { status, nodes }| ClusterNodes { count: nodes, health: status }),
            })
        })
    }

    fn encoding(&self) -> Result<Option<EncodingStatus>> {
        let Some(Found { job, holder, .. }) = Job::find(&self.client, &self.names)? else { return Ok(None) };
        if Lease::learner_within(&self.client, &self.names, SILENT)? != Some(holder) {
            return Ok(None);
        }
        let Standing { passages, done, slices, others } =
            Standing::of(&SliceState::all(&self.client, &self.names, &job)?, "");
        let (done, slices_done) = (passages, done);
        Ok(Some(EncodingStatus { done, total: job.passages, slices_done, slices, workers: others }))
    }
}
