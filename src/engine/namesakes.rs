//! Files with the same content under several names: a renamed file keeps its vectors, though its name may be its title.
//!
//! The title is encoded with the passage. A vector that is taken over was made with the old name, until the passage is
//! encoded again, as for a new generation: what it says of the passage is the same.

use super::prepared::Prepared;
use crate::corpus::Chunk;
use crate::error::Result;
use crate::ids::ChunkId;
use crate::lexical::{ChunkRecord, LexicalSnapshot};

/// The chunks of a file with the same content under another name, such as the one that it had before.
pub(super) struct Namesakes(Vec<ChunkRecord>);

impl Namesakes {
    /// Those of the file that `document` names as the same.
    pub(super) fn of(before: &LexicalSnapshot, document: &Prepared) -> Result<Namesakes> {
        let Some(other) = &document.same_file else { return Ok(Namesakes(Vec::new())) };
        let mut chunks = before.chunks_of(other)?;
        chunks.retain(|chunk| chunk.document_digest == document.digest);
        Ok(Namesakes(chunks))
    }

    /// The same passage as a new chunk.
    pub(super) fn of_chunk(&self, ordinal: usize, chunk: &Chunk) -> Option<ChunkId> {
        self.0.get(ordinal).filter(|other| other.body == chunk.text).map(|other| other.chunk)
    }
}
