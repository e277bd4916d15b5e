//! The schema: how a chunk is stored and indexed.

use std::borrow::Cow;
use std::path::Path;

use serde_json::{Map, Value as Json};
use tantivy::TantivyDocument;
use tantivy::schema::{
    BytesOptions, FAST, Field, INDEXED, IndexRecordOption, JsonObjectOptions, STORED, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions, Value,
};

use super::analysis::Analyzer;
use super::facts::{facts_of, language_term, text_term};
use super::failure::damaged;
use super::language::Language;
use crate::error::{Error, Result};
use crate::ids::{ChunkId, Digest};
use crate::place::Place;

/// The name of our text analysis in tantivy.
pub(super) const ANALYZER: &str = "retune";
pub(super) const CHUNK: &str = "chunk";
pub(super) const DOCUMENT: &str = "document";
pub(super) const DOCUMENT_DIGEST: &str = "document_digest";
pub(super) const NUMBERS: &str = "numbers";

/// Where the place stands in the stored metadata: no field of its own, so that indexes of all versions can have it.
const PLACE: &str = "retune.place";

/// tantivy silently drops longer terms. Such a document could never be found or deleted by its id.
const LONGEST_DOCUMENT_ID: usize = 32 << 10;

/// One chunk of a document: what is stored, indexed and encoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChunkRecord {
    /// The chunk's id, never reused.
    pub chunk: ChunkId,
    /// The application's id of the document.
    pub document: String,
    /// The chunk's position in the document, from 0.
    pub ordinal: u32,
    /// Heading path or file name.
    pub title: String,
    /// The passage.
    pub body: String,
    /// Byte offset of the passage in the file.
    pub start: u64,
    /// Byte offset behind the passage in the file.
    pub end: u64,
    /// Where the passage begins in the file. Unknown where an earlier version has indexed it.
    pub place: Place,
    /// SHA-256 of title and body, which the encoder saw.
    pub chunk_digest: Digest,
    /// SHA-256 of the whole document.
    pub document_digest: Digest,
    /// The values that filters compare with.
    pub metadata: Map<String, Json>,
}

impl ChunkRecord {
    /// What words are searched in: title and body as one text.
    pub(super) fn searched_text(&self) -> String {
        format!("{}\n{}", self.title, self.body)
    }

    /// The encoder's input: title and body as one text, as in BEIR.
    pub(crate) fn encoder_text(&self) -> String {
        match (self.title.is_empty(), self.body.is_empty()) {
            (true, _) => self.body.clone(),
            (_, true) => self.title.clone(),
            _ => format!("{} {}", self.title, self.body),
        }
    }

    /// Whether its title says what it is about: one word is too often shared by chance, as `README` is.
    pub(crate) fn has_telling_title(&self) -> bool {
        self.title.split_whitespace().nth(1).is_some()
    }
}

#[cfg(test)]
impl ChunkRecord {
    /// The only chunk of a document.
    pub(crate) fn sample(id: u64, title: &str, body: &str) -> ChunkRecord {
        ChunkRecord {
            chunk: ChunkId(id),
            document: format!("document-{id}"),
            ordinal: 0,
            title: title.to_owned(),
            body: body.to_owned(),
            start: 0,
            end: body.len() as u64,
            place: Place::default(),
            chunk_digest: Digest::of(format!("{title}\n{body}").as_bytes()),
            document_digest: Digest::of(body.as_bytes()),
            metadata: Map::new(),
        }
    }
}

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub chunk: Field,
    pub document: Field,
    pub ordinal: Field,
    pub title: Field,
    pub body: Field,
    /// Title and body together. Searched but not stored.
    pub text: Field,
    pub start: Field,
    pub end: Field,
    pub chunk_digest: Field,
    pub document_digest: Field,
    /// The metadata as JSON text, returned unchanged.
    pub metadata: Field,
    /// One exact term for every metadata value and for the chunk's text, see [`facts`](super::facts).
    pub facts: Field,
    /// Columns of the numeric metadata values, for range filters.
    pub numbers: Field,
}

impl Fields {
    /// The schema of a new index.
    pub(super) fn schema() -> Schema {
        let mut schema = SchemaBuilder::new();
        let text = TextFieldIndexing::default()
            .set_tokenizer(ANALYZER)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let text = TextOptions::default().set_indexing_options(text);
        let exact = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::Basic);
        let exact = TextOptions::default().set_indexing_options(exact);
        schema.add_u64_field(CHUNK, INDEXED | FAST | STORED);
        schema.add_text_field(DOCUMENT, exact.clone() | STORED | FAST);
        schema.add_u64_field("ordinal", STORED);
        schema.add_text_field("title", text.clone() | STORED);
        schema.add_text_field("body", STORED);
        schema.add_text_field("text", text);
        schema.add_u64_field("start", STORED);
        schema.add_u64_field("end", STORED);
        schema.add_bytes_field("chunk_digest", STORED);
        schema.add_bytes_field(DOCUMENT_DIGEST, BytesOptions::default().set_stored().set_fast());
        schema.add_text_field("metadata", STORED);
        schema.add_text_field("facts", exact);
        schema.add_json_field(NUMBERS, JsonObjectOptions::default().set_fast("raw"));
        schema.build()
    }

    /// The fields of an opened index, by name.
    pub(super) fn of(schema: &Schema) -> tantivy::Result<Fields> {
        let field = |name| schema.get_field(name);
        Ok(Fields {
            chunk: field(CHUNK)?,
            document: field(DOCUMENT)?,
            ordinal: field("ordinal")?,
            title: field("title")?,
            body: field("body")?,
            text: field("text")?,
            start: field("start")?,
            end: field("end")?,
            chunk_digest: field("chunk_digest")?,
            document_digest: field(DOCUMENT_DIGEST)?,
            metadata: field("metadata")?,
            facts: field("facts")?,
            numbers: field(NUMBERS)?,
        })
    }

    /// Converts a record to tantivy's form. One that is not in the index's own language comes with it and its analyzer.
    pub(super) fn pack(
        &self,
        record: &ChunkRecord,
        other: Option<(Language, &Analyzer)>,
    ) -> Result<TantivyDocument> {
        if record.document.len() > LONGEST_DOCUMENT_ID {
            let found = format!("{} bytes", record.document.len());
            let expected = format!("at most {LONGEST_DOCUMENT_ID} bytes");
            return Err(Error::invalid("the document id", found, expected));
        }
        let mut packed = TantivyDocument::new();
        packed.add_u64(self.chunk, record.chunk.0);
        packed.add_text(self.document, &record.document);
        packed.add_u64(self.ordinal, u64::from(record.ordinal));
        packed.add_text(self.body, &record.body);
        let text = record.searched_text();
        match other {
            None => {
                packed.add_text(self.title, &record.title);
                packed.add_text(self.text, text);
            }
            Some((language, analyzer)) => {
                packed.add_pre_tokenized_text(self.title, analyzer.analysed(&record.title));
                packed.add_pre_tokenized_text(self.text, analyzer.analysed(&text));
                packed.add_text(self.facts, language_term(language));
            }
        }
        packed.add_u64(self.start, record.start);
        packed.add_u64(self.end, record.end);
        packed.add_bytes(self.chunk_digest, &record.chunk_digest.0);
        packed.add_bytes(self.document_digest, &record.document_digest.0);
        let unwritable = |e| Error::invalid("the metadata", e, "values that JSON can represent");
        let mut stored = Cow::Borrowed(&record.metadata);
        if !record.place.is_unknown() {
            let place = serde_json::to_value(&record.place).map_err(unwritable)?;
            stored.to_mut().insert(PLACE.into(), place);
        }
        if !stored.is_empty() {
            packed.add_text(self.metadata, serde_json::to_string(&stored).map_err(unwritable)?);
        }
        packed.add_text(self.facts, text_term(&record.chunk_digest));
        if !record.metadata.is_empty() {
            let facts = facts_of(&record.metadata);
            facts.terms.iter().for_each(|term| packed.add_text(self.facts, term));
            if !facts.numbers.is_empty() {
                packed.add_object(self.numbers, facts.numbers);
            }
        }
        Ok(packed)
    }

    /// Converts back what [`Fields::pack`] made. `path` is for error messages.
    pub(super) fn unpack(&self, packed: &TantivyDocument, path: &Path) -> Result<ChunkRecord> {
        const DOING: &str = "read a stored chunk";
        let missing =
            |name: &str| damaged(DOING, path, format!("the field {name:?} is missing or of another type"));
        let number =
            |field, name| packed.get_first(field).and_then(|v| v.as_u64()).ok_or_else(|| missing(name));
        let text = |field, name| {
            let value = packed.get_first(field);
            value.and_then(|v| v.as_str()).map(str::to_owned).ok_or_else(|| missing(name))
        };
        let digest = |field, name| {
            let bytes = packed.get_first(field).and_then(|v| v.as_bytes());
            bytes.and_then(|b| b.try_into().ok()).map(Digest).ok_or_else(|| missing(name))
        };
        let mut metadata: Map<String, Json> = match packed.get_first(self.metadata).and_then(|v| v.as_str()) {
            Some(json) => serde_json::from_str(json).map_err(|e| damaged(DOING, path, e))?,
            None => Map::new(),
        };
        let place = match metadata.remove(PLACE) {
            Some(place) => serde_json::from_value(place).map_err(|e| damaged(DOING, path, e))?,
            None => Place::default(),
        };
        Ok(ChunkRecord {
            chunk: ChunkId(number(self.chunk, CHUNK)?),
            document: text(self.document, DOCUMENT)?,
            ordinal: number(self.ordinal, "ordinal")?.try_into().map_err(|_| missing("ordinal"))?,
            title: text(self.title, "title")?,
            body: text(self.body, "body")?,
            start: number(self.start, "start")?,
            end: number(self.end, "end")?,
            place,
            chunk_digest: digest(self.chunk_digest, "chunk_digest")?,
            document_digest: digest(self.document_digest, DOCUMENT_DIGEST)?,
            metadata,
        })
    }
}
