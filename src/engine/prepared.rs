//! Documents that are cut into chunks.

use serde_json::{Map, Value as Json};

use super::document::Document;
use super::options::Chunking;
use crate::corpus::{Chunk, Format, Lengths, chunk_text, whole_text};
use crate::encoder::Encoder;
use crate::error::Result;
use crate::ids::{ChunkId, Digest};
use crate::lexical::ChunkRecord;

/// A document cut into chunks, ready to be encoded.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) id: String,
    pub(super) digest: Digest,
    pub(super) chunks: Vec<Chunk>,
    pub(super) metadata: Map<String, Json>,
    /// A document of a file with the same content under another name: its passages differ in titles at most.
    pub(super) same_file: Option<String>,
}

impl Prepared {
    /// Cuts what an application adds.
    pub(super) fn of(
        document: &Document,
        chunking: Chunking,
        lengths: Lengths,
        encoder: &Encoder,
    ) -> Result<Prepared> {
        let chunks = cut(document, chunking, lengths, &|text| encoder.count_tokens(text))?;
        let (digest, metadata) = (document.digest(), document.stored_metadata());
        Ok(Prepared { id: document.id.clone(), digest, chunks, metadata, same_file: None })
    }

    /// What its chunks have in common, and these.
    pub(super) fn into_parts(self) -> (RecordParts, Vec<Chunk>) {
        (RecordParts { id: self.id, digest: self.digest, metadata: self.metadata }, self.chunks)
    }
}

fn cut(
    document: &Document,
    chunking: Chunking,
    lengths: Lengths,
    count: &dyn Fn(&str) -> usize,
) -> Result<Vec<Chunk>> {
    match chunking {
        Chunking::Whole => Ok(whole_text(&document.title, &document.text).into_iter().collect()),
        Chunking::Passages => {
            let chunks = chunk_text(Some(&document.title), &document.text, document.format, lengths, count)?;
            if !chunks.is_empty() {
                return Ok(chunks);
            }
            // Nothing but headings or markup, or nothing but a title: it can be found by that.
            let chunks = chunk_text(Some(&document.title), &document.text, Format::Code, lengths, count)?;
            match chunks.is_empty() && count(&document.title) > lengths.text {
                true => chunk_text(None, &document.title, Format::Code, lengths, count),
                false if chunks.is_empty() => Ok(whole_text(&document.title, "").into_iter().collect()),
                false => Ok(chunks),
            }
        }
    }
}

/// What all chunks of a document have in common.
pub(super) struct RecordParts {
    id: String,
    digest: Digest,
    metadata: Map<String, Json>,
}

impl RecordParts {
    pub(super) fn record(&self, id: ChunkId, ordinal: usize, chunk: Chunk) -> ChunkRecord {
        ChunkRecord {
            chunk: id,
            document: self.id.clone(),
            ordinal: ordinal as u32,
            title: chunk.title,
            body: chunk.text,
            start: chunk.start,
            end: chunk.end,
            place: chunk.place,
            chunk_digest: chunk.digest,
            document_digest: self.digest,
            metadata: self.metadata.clone(),
        }
    }
}
