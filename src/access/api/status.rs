//! What an index is and does.

use serde::{Deserialize, Serialize};

use super::search::Covered;
use crate::engine::Folder;
use crate::ids::{Digest, GenerationId};
use crate::learn::{LearnStage, TrialReport};

/// `GET status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusAnswer {
    /// The version of retune.
    pub version: String,
    /// The index folder, or the address of the index on a cluster.
    pub index: String,
    /// The folders that it follows. On a cluster their paths are empty: they lie on another machine.
    pub folders: Vec<Folder>,
    /// Documents that can be found.
    pub documents: usize,
    /// Their passages.
    pub chunks: usize,
    /// How many of them have vectors.
    pub coverage: Covered,
    /// The generation that answers.
    pub generation: GenerationId,
    /// Whether an earlier one is kept, to which `rollback` returns.
    pub can_roll_back: bool,
    /// What is in the log; none where answers can't be logged.
    pub log: Option<LogCounts>,
    /// The round that is running.
    pub learning: Option<Learning>,
    /// The generation on trial.
    #[serde(default)]
    pub trial: Option<OnTrial>,
    /// What is being indexed or encoded.
    pub indexing: Option<Indexing>,
    /// The encoder.
    pub model: ModelStatus,
    /// The cluster that has the index; left out for an index of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<OnCluster>,
}

/// The cluster that has an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OnCluster {
    /// The name of the index there.
    pub name: String,
    /// Nodes that are there, if this user may know.
    pub nodes: Option<u32>,
    /// `green` if all copies of the index are there, `yellow` if one of each part is, else `red`.
    pub health: Option<String>,
}

/// A generation that answers beside the one that serves, until picks have decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OnTrial {
    /// Its number.
    pub generation: GenerationId,
    /// Needs that have voted.
    pub votes: u32,
    /// Votes for it.
    pub wins: u32,
    /// Votes for the one that serves.
    pub losses: u32,
    /// The number of votes at which the trial ends undecided.
    pub most_votes: u32,
}

impl From<&TrialReport> for OnTrial {
    fn from(trial: &TrialReport) -> OnTrial {
        let TrialReport { candidate: generation, votes, wins, losses, most_votes, .. } = *trial;
        OnTrial { generation, votes, wins, losses, most_votes }
    }
}

/// What is in the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogCounts {
    /// Answered queries.
    pub impressions: u64,
    /// Judgements of their documents.
    pub judgements: u64,
}

/// How far a round of learning is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Learning {
    /// What it does; none while it waits for its turn.
    pub stage: Option<LearnStage>,
    /// The share of the round that is done, 0 to 1.
    pub fraction: f32,
    /// Seconds that are left, as far as that can be told.
    pub eta_s: Option<f64>,
    /// Whether it waits for the machine to be idle.
    pub paused: bool,
}

/// How far indexing is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Indexing {
    /// What is done.
    pub stage: IndexingStage,
    /// Bytes of files that were read, or passages that were given their vectors.
    pub done: u64,
    /// Bytes of all files that are new or have changed, or passages that had no vector.
    pub total: u64,
    /// Seconds that are left, as far as that can be told.
    pub eta_s: Option<f64>,
}

/// What indexing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IndexingStage {
    /// Files are read. What was read can be found by its words.
    Reading,
    /// Passages are given their vectors.
    Encoding,
}

/// The encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelStatus {
    /// Where its files are.
    pub folder: String,
    /// SHA-256 of its weights.
    pub weights: Digest,
}
