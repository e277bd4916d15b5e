//! A chunk as a document of the cluster.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use super::held::Held;
use super::mapping::{MARK, VECTOR};
use super::terms::text_of;
use crate::error::{Error, Result};
use crate::ids::{ChunkId, Digest};
use crate::lexical::{ChunkRecord, IndexedChunk};
use crate::place::Place;

/// A chunk as it is sent: the fields of [`mapping`](super::mapping).
pub(crate) struct Passage<'v> {
    pub(super) chunk: ChunkId,
    /// All fields but mark and vector, as one JSON object.
    fields: String,
    vector: Option<&'v [f32]>,
}

#[derive(Serialize)]
struct Fields<'a> {
    chunk: ChunkId,
    document: &'a str,
    record: Stored,
    title_terms: String,
    text_terms: String,
    facts: &'a BTreeSet<String>,
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

impl<'v> Passage<'v> {
    /// A chunk with its terms and its vector, if it has one.
    pub(crate) fn of(
        record: ChunkRecord,
        indexed: &IndexedChunk,
        vector: Option<&'v [f32]>,
    ) -> Result<Passage<'v>> {
        let fields = Fields {
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
        };
        match serde_json::to_string(&fields) {
            Ok(fields) => Ok(Passage { chunk: record.chunk, fields, vector }),
            Err(error) => {
                let found = format!("{}: {error}", record.document);
                Err(Error::invalid("a stored chunk", found, "what JSON can represent"))
            }
        }
    }

    /// What tells whether an index has it in this state.
    pub(crate) fn held(&self) -> Held {
        let mut digest = Sha256::new_with_prefix(self.fields.as_bytes());
        self.vector.unwrap_or_default().iter().for_each(|x| digest.update(x.to_le_bytes()));
        let digest: [u8; 32] = digest.finalize().into();
        Held { chunk: self.chunk, mark: digest.first_chunk().map_or(0, |mark| i64::from_le_bytes(*mark)) }
    }

    /// The line of JSON that is sent.
    pub(super) fn line(self) -> Result<String> {
        let mark = self.held().mark;
        let mut line = self.fields;
        // Of an object that has fields: in its place come two more.
        line.pop();
        line.push_str(&format!(",\"{MARK}\":{mark}"));
        if let Some(vector) = self.vector {
            let vector = serde_json::to_string(vector);
            let vector = vector.map_err(|error| Error::invalid("a vector", error, "numbers"))?;
            line.push_str(&format!(",\"{VECTOR}\":{vector}"));
        }
        line.push('}');
        Ok(line)
    }
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
