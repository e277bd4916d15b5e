//! The proposals of a source of hard negatives.

use crate::ids::ChunkId;
use crate::lexical::ChunkRecord;

/// A text proposed by a source, and its chunk, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) text: String,
    pub(super) chunk: Option<ChunkId>,
}

impl Proposal {
    /// Proposes an unchanged passage.
    pub(super) fn passage(record: &ChunkRecord) -> Proposal {
        Proposal { text: record.encoder_text(), chunk: Some(record.chunk) }
    }
}
