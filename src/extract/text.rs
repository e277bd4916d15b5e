//! What a reader of a format gives: the readable text with its structure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// The readable text of a document and its structure. All offsets are bytes of `text`, on character boundaries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExtractedText {
    /// Paragraphs are separated by a blank line, rows of a table by a line feed. Headings stand in the text too.
    pub text: String,
    /// The document's title, if the format has a place for one.
    pub title: Option<String>,
    /// Ascending by `start`.
    pub headings: Vec<Heading>,
    /// Where stretches of the text stand in the file: each holds up to the next. Ascending by `start`.
    pub markers: Vec<Marker>,
    /// Start offsets of blocks that should not be cut, ascending: paragraphs, rows. If empty, cut at blank lines.
    pub blocks: Vec<usize>,
    /// Tables of contents, ascending and apart. They become part of no passage.
    pub contents: Vec<std::ops::Range<usize>>,
    /// What the format says about the document, by the names `author`, `date` (RFC 3339 or `YYYY-MM-DD`), `tags`
    /// (list), `language`, `subject`, `from`, `to`.
    pub fields: BTreeMap<String, Vec<String>>,
}

/// A heading in the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heading {
    /// Start of its line.
    pub start: usize,
    /// End of its line.
    pub end: usize,
    /// 1 is the highest.
    pub level: u8,
    /// Its text on one line.
    pub title: String,
}

/// From here on the text stands at this place of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    pub start: usize,
    pub place: Place,
}

/// Why bytes could not be read in their format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unreadable {
    /// Needs a password.
    Encrypted,
    /// Not of the format, or cut short: what was expected and found.
    Malformed(String),
    /// More than a bound allows: which, as `an entry of more than 64 MiB`.
    TooLarge(String),
    /// Readable, but without text: such as a scanned page.
    NoText,
}
