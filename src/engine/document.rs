//! What an application adds.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::corpus::Format;
use crate::error::{Error, Result};
use crate::ids::{Digest, LONGEST_DOCUMENT_ID};
use crate::lexical::{FieldValue, LANGUAGE, Language, RESERVED, stored_fields};

/// The metadata that keeps a document's title.
pub(super) const TITLE: &str = "retune.title";

/// A document: an id of the application's own, a text, and what it can be filtered by.
///
/// ```
/// use retune::Document;
/// let document = Document::new("faq/17", "To reset your password, open Settings.")
///     .with_title("Passwords")
///     .with_field("language", "en")
///     .with_field("tags", ["account", "security"]);
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
    /// The language of its words, which decides how they are stemmed. Default: the index's own.
    pub language: Option<Language>,
    /// What [`Filter`](crate::Filter) can select by, and what comes back with every hit. Default nothing.
    pub fields: BTreeMap<String, FieldValue>,
}

impl Document {
    /// A plain text without title and fields.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Document {
        Document {
            id: id.into(),
            title: String::new(),
            text: text.into(),
            format: Format::default(),
            language: None,
            fields: BTreeMap::new(),
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

    /// Sets [`language`](Document::language).
    pub fn with_language(mut self, language: Language) -> Document {
        self.language = Some(language);
        self
    }

    /// Adds one of the [`fields`](Document::fields). A second value for the same field makes a list of both; if they
    /// are of two kinds, adding the document fails.
    pub fn with_field(mut self, name: impl Into<String>, value: impl Into<FieldValue>) -> Document {
        let (name, value) = (name.into(), value.into());
        let value = match self.fields.remove(&name) {
            Some(first) => first.followed_by(value),
            None => value,
        };
        self.fields.insert(name, value);
        self
    }

    /// Refuses documents of which one can't be stored, or has the id of another.
    pub(super) fn validate_all(documents: &[Document]) -> Result<()> {
        let mut ids = HashSet::new();
        for document in documents {
            document.validate()?;
            if !ids.insert(document.id.as_str()) {
                let found = format!("{:?} twice", document.id);
                return Err(Error::invalid("the documents to add", found, "each id once"));
            }
        }
        Ok(())
    }

    fn validate(&self) -> Result<()> {
        validate_id(&self.id)?;
        if self.text.trim().is_empty() && self.title.trim().is_empty() {
            let found = format!("nothing in {:?}", self.id);
            return Err(Error::invalid(
                "a document's text",
                found,
                "a text or a title; `remove` takes one away",
            ));
        }
        self.fields.iter().try_for_each(|(name, value)| {
            let place = |found: String| format!("{found} in the field {name:?} of {:?}", self.id);
            if name.is_empty() {
                return Err(Error::invalid(
                    "a field's name",
                    format!("an empty one in {:?}", self.id),
                    "a name",
                ));
            }
            if name.starts_with(RESERVED) {
                let expected = format!("one that does not begin with {RESERVED:?}");
                return Err(Error::invalid("a field's name", name, expected));
            }
            value.validate("a field's value").map_err(|error| match error {
                Error::Invalid { what, found, expected } => {
                    Error::Invalid { what, found: place(found), expected }
                }
                other => other,
            })
        })
    }

    /// The fields and the title as they are stored.
    pub(super) fn stored_metadata(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut metadata = stored_fields(&self.fields);
        if !self.title.is_empty() {
            metadata.insert(TITLE.into(), self.title.as_str().into());
        }
        if let Some(language) = self.language {
            metadata.insert(LANGUAGE.into(), language.name().into());
        }
        metadata
    }

    /// Changes whenever anything that is stored would change.
    pub(super) fn digest(&self) -> Digest {
        let parts = (&self.title, &self.text, self.format, &stored_fields(&self.fields));
        let mut parts = serde_json::to_vec(&parts).unwrap_or_default();
        parts.extend(self.language.into_iter().flat_map(|language| language.name().bytes()));
        Digest::of(&parts)
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

/// How documents are added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddOptions {
    /// Whether to commit the documents before they are encoded, so that searches find them by their words at once.
    /// [`Engine::encode_pending`](super::Engine::encode_pending) gives them their vectors. Default false: vectors are
    /// made first.
    pub words_first: bool,
}

impl AddOptions {
    /// Turns on [`words_first`](AddOptions::words_first).
    pub fn with_words_first(mut self) -> AddOptions {
        self.words_first = true;
        self
    }
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
    /// Chunks that share the vector of the same text: as it was before, or in another document.
    pub chunks_kept: usize,
    /// Chunks that have no vector yet, with [`AddOptions::words_first`].
    pub chunks_pending: usize,
}
