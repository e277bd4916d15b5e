//! What a source of hard negatives gives.

use crate::ids::ChunkId;
use crate::lexical::ChunkRecord;

/// A text that a source proposes, and the chunk whose text it is, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) text: String,
    pub(super) chunk: Option<ChunkId>,
}

impl Proposal {
    /// A passage as it is.
    pub(super) fn passage(record: &ChunkRecord) -> Proposal {
        Proposal { text: record.encoder_text(), chunk: Some(record.chunk) }
    }
}
