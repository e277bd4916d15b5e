//! A chunk as a document of the cluster.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use super::held::Held;
use super::mapping::{MARK, RECORD, VECTOR};
use super::path::terms_of;
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
    record: String,
    title_terms: String,
    text_terms: String,
    words: String,
    vocabulary: BTreeSet<&'a str>,
    paths: Vec<String>,
    facts: &'a BTreeSet<String>,
}

/// What is stored of a chunk and not indexed, as JSON in one field: a search reads it without the vector.
#[derive(Serialize, Deserialize)]
struct Stored {
    document: String,
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
        let chunk = record.chunk;
        let stored = Stored {
            document: record.document,
            ordinal: record.ordinal,
            title: record.title,
            body: record.body,
            start: record.start,
            end: record.end,
            place: record.place,
            chunk_digest: record.chunk_digest,
            document_digest: record.document_digest,
            metadata: record.metadata,
        };
        let fields = serde_json::to_string(&stored).and_then(|record| {
            serde_json::to_string(&Fields {
                chunk,
                document: &stored.document,
                record,
                title_terms: text_of(&indexed.title),
                text_terms: text_of(&indexed.text),
                words: text_of(&indexed.words),
                vocabulary: indexed.text.iter().flatten().map(String::as_str).collect(),
                paths: terms_of(&stored.document),
                facts: &indexed.facts,
            })
        });
        match fields {
            Ok(fields) => Ok(Passage { chunk, fields, vector }),
            Err(error) => {
                let found = format!("{}: {error}", stored.document);
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

/// The chunk of a hit.
pub(super) fn chunk(hit: &Json) -> Option<ChunkId> {
    hit["_id"].as_str()?.parse().ok().map(ChunkId)
}

/// The chunk of a hit with the stored field [`RECORD`]. `None` if it is none of ours.
pub(super) fn record(hit: &Json) -> Option<ChunkRecord> {
    let stored: Stored = serde_json::from_str(hit["fields"][RECORD][0].as_str()?).ok()?;
    Some(ChunkRecord {
        chunk: chunk(hit)?,
        document: stored.document,
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
