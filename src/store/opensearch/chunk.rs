//! A chunk as a document of the cluster.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::terms::text_of;
use crate::error::{Error, Result};
use crate::ids::{ChunkId, Digest};
use crate::lexical::{ChunkRecord, IndexedChunk};
use crate::place::Place;

/// The document: the fields of [`mapping`](super::mapping).
#[derive(Serialize)]
struct Document<'a> {
    chunk: ChunkId,
    document: &'a str,
    record: Stored,
    title_terms: String,
    text_terms: String,
    facts: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a [f32]>,
}

/// What is stored of a chunk and not indexed.
#[derive(Serialize, Deserialize)]
struct Stored {
    ordinal: u32,
    title: String,
    body: String,
    start: u64,
    end: u64,
    #[serde(default, skip_serializing_if = "Place::is_unknown")]
    place: Place,
    chunk_digest: Digest,
    document_digest: Digest,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Json>,
}

/// The document of a chunk with its terms and its vector, if it has one, as one line of JSON.
pub(crate) fn document(
    record: ChunkRecord,
    indexed: &IndexedChunk,
    vector: Option<&[f32]>,
) -> Result<String> {
    let document = Document {
        chunk: record.chunk,
        document: &record.document,
        record: Stored {
            ordinal: record.ordinal,
            title: record.title,
            body: record.body,
            start: record.start,
            end: record.end,
            place: record.place,
            chunk_digest: record.chunk_digest,
            document_digest: record.document_digest,
            metadata: record.metadata,
        },
        title_terms: text_of(&indexed.title),
        text_terms: text_of(&indexed.text),
        facts: &indexed.facts,
        vector,
    };
    serde_json::to_string(&document).map_err(|error| {
        Error::invalid("a stored chunk", format!("{}: {error}", record.document), "what JSON can represent")
    })
}

/// The chunk of a document that the cluster returns. `None` if it is none of ours.
pub(super) fn record(source: &Json) -> Option<ChunkRecord> {
    let stored: Stored = serde_json::from_value(source["record"].clone()).ok()?;
    Some(ChunkRecord {
        chunk: ChunkId(source["chunk"].as_u64()?),
        document: source["document"].as_str()?.to_string(),
        ordinal: stored.ordinal,
        title: stored.title,
        body: stored.body,
        start: stored.start,
        end: stored.end,
        place: stored.place,
        chunk_digest: stored.chunk_digest,
        document_digest: stored.document_digest,
        metadata: stored.metadata,
    })
}
