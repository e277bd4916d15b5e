//! What a run over folders tells.

use serde::{Deserialize, Serialize};

use crate::corpus::Skipped;

/// What indexing folders did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IndexReport {
    /// Files that were new or had changed.
    pub read: usize,
    /// Files whose content is the one that is indexed: nothing was done.
    pub unchanged: usize,
    /// Chunks that were encoded. Those whose vectors [`Options::embeddings`](crate::Options::embeddings) had are not.
    pub chunks_encoded: usize,
    /// Chunks that share the vector of the same text: as it was before, or in another file.
    pub chunks_kept: usize,
    /// Documents whose file is gone.
    pub removed: usize,
    /// Files that were passed over, each with the reason, in the order of their ids.
    pub skipped: Vec<Skipped>,
    /// What the rules for the folders ask for and nothing in them fits, such as a name that is spelled wrong. A line
    /// each.
    pub warnings: Vec<String>,
    /// Seconds until every text could be found by its words.
    pub words_seconds: f64,
    /// Seconds it took.
    pub seconds: f64,
}

/// How far indexing folders is. No number ever falls.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IndexProgress {
    /// Files that were looked at, to find those that are new or may have changed.
    pub files: usize,
    /// Bytes of all files that are new or may have changed; 0 until the folders were looked at as a whole.
    pub total_bytes: u64,
    /// Bytes of those that were read.
    pub bytes: u64,
    /// Chunks that have no vector yet, earlier runs' too; 0 until every text can be found by its words.
    pub total_chunks: usize,
    /// How many of those were given one.
    pub chunks: usize,
}
