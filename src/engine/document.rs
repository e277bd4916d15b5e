//! What an application adds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::corpus::{Chunk, Format};
use crate::error::{Error, Result};
use crate::ids::{Digest, LONGEST_DOCUMENT_ID};
use crate::lexical::FieldValue;

/// A document: an id of the application's own, a text, and what it can be filtered by.
///
/// ```
/// use retune::Document;
/// let document = Document::new("faq/17", "To reset your password, open Settings.")
///     .with_title("Passwords")
///     .with_metadata("language", "en");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// Unique within the index; adding the same id again replaces the document.
    pub id: String,
    /// Searched and encoded together with every passage. Default none.
    pub title: String,
    /// The text itself.
    pub text: String,
    /// How the text is read. Default plain text.
    pub format: Format,
    /// What [`Filter`](crate::Filter) can select by. Default nothing.
    pub metadata: BTreeMap<String, FieldValue>,
}

impl Document {
    /// A plain text without title and metadata.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Document {
        Document {
            id: id.into(),
            title: String::new(),
            text: text.into(),
            format: Format::default(),
            metadata: BTreeMap::new(),
        }
    }

    /// Sets [`title`](Document::title).
    pub fn with_title(mut self, title: impl Into<String>) -> Document {
        self.title = title.into();
        self
    }

    /// Sets [`format`](Document::format).
    pub fn with_format(mut self, format: Format) -> Document {
        self.format = format;
        self
    }

    /// Adds one field of [`metadata`](Document::metadata).
    pub fn with_metadata(mut self, field: impl Into<String>, value: impl Into<FieldValue>) -> Document {
        self.metadata.insert(field.into(), value.into());
        self
    }

    pub(super) fn validate(&self) -> Result<()> {
        validate_id(&self.id)?;
        if self.text.trim().is_empty() && self.title.trim().is_empty() {
            let found = format!("nothing in {:?}", self.id);
            return Err(Error::invalid(
                "a document's text",
                found,
                "a text or a title; `remove` takes one away",
            ));
        }
        self.metadata.iter().try_for_each(|(field, value)| match value {
            _ if field.is_empty() => Err(Error::invalid("a metadata field's name", "an empty one", "a name")),
            _ if field.starts_with("retune.") => Err(Error::invalid(
                "a metadata field's name",
                field,
                "one that does not begin with \"retune.\"",
            )),
            FieldValue::Number(number) if !number.is_finite() => {
                Err(Error::invalid("a metadata value", number, "a finite number"))
            }
            _ => Ok(()),
        })
    }

    /// The metadata as it is stored.
    pub(super) fn stored_metadata(&self) -> serde_json::Map<String, serde_json::Value> {
        let value = |value: &FieldValue| match value {
            FieldValue::Bool(value) => (*value).into(),
            FieldValue::Number(number) => (*number).into(),
            FieldValue::Text(text) => text.as_str().into(),
        };
        self.metadata.iter().map(|(field, one)| (field.clone(), value(one))).collect()
    }

    /// Changes whenever anything that is stored would change.
    pub(super) fn digest(&self) -> Digest {
        let parts = (&self.title, &self.text, self.format, &self.metadata);
        Digest::of(&serde_json::to_vec(&parts).unwrap_or_default())
    }
}

fn validate_id(id: &str) -> Result<()> {
    match id.len() {
        1..=LONGEST_DOCUMENT_ID => Ok(()),
        0 => Err(Error::invalid("a document id", "an empty one", "a non-empty text")),
        n => {
            let expected = format!("at most {LONGEST_DOCUMENT_ID}");
            Err(Error::invalid("a document id", format!("{n} bytes"), expected))
        }
    }
}

/// A document cut into chunks, ready to be encoded.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: String,
    pub(super) digest: Digest,
    pub(super) chunks: Vec<Chunk>,
    pub(super) metadata: serde_json::Map<String, serde_json::Value>,
}

/// What adding documents did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AddReport {
    /// Documents that were new or had changed.
    pub documents: usize,
    /// Documents that were there already, with the same content: nothing was done.
    pub unchanged: usize,
    /// Chunks that were encoded. Those whose vectors [`Options::embeddings`](crate::Options::embeddings) had are not.
    pub chunks_encoded: usize,
    /// Chunks of changed documents that were the same as before and kept their vectors.
    pub chunks_kept: usize,
}
