//! What a reader of a format gives: the readable text with its structure.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// The readable text of a document and its structure. All offsets are bytes of `text`, on character boundaries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExtractedText {
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
pub struct Heading {
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
pub struct Marker {
    /// Offset in the text.
    pub start: usize,
    /// The place in the file.
    pub place: Place,
}

/// Why bytes could not be read in their format. `Display` says it in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Unreadable {
    /// Needs a password.
    Encrypted,
    /// Not of the format, or cut short: what was expected and found.
    Malformed(String),
    /// More than a bound allows: which, as `an entry of more than 64 MiB`.
    TooLarge(String),
    /// Readable, but without text: such as a scanned page.
    NoText,
    /// Neither text nor a format that is known.
    Binary,
    /// A format that nothing reads: its name.
    Unsupported(String),
    /// What reads it has failed: it crashed, took too long, or wanted too much memory.
    Failed(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Encrypted => f.write_str("it is encrypted"),
            Unreadable::Malformed(found) => f.write_str(found),
            Unreadable::TooLarge(bound) => write!(f, "it has {bound}"),
            Unreadable::NoText => f.write_str("it has no text"),
            Unreadable::Binary => f.write_str("it is not text"),
            Unreadable::Unsupported(format) => write!(f, "it is {format}"),
            Unreadable::Failed(message) => f.write_str(message),
        }
    }
}

impl ExtractedText {
    /// Whether all offsets are in order and on character boundaries, as the fields promise.
    pub(crate) fn is_sound(&self) -> bool {
        let on_boundary = |at: usize| self.text.is_char_boundary(at);
        let ascending = |mut starts: &mut dyn Iterator<Item = usize>| {
            let mut last = 0;
            Iterator::all(&mut starts, |start| {
                on_boundary(start) && std::mem::replace(&mut last, start) <= start
            })
        };
        let mut apart = 0;
        ascending(&mut self.headings.iter().map(|heading| heading.start))
            && self.headings.iter().all(|heading| heading.start <= heading.end && on_boundary(heading.end))
            && ascending(&mut self.markers.iter().map(|marker| marker.start))
            && ascending(&mut self.blocks.iter().copied())
            && self.contents.iter().all(|range| {
                let before = std::mem::replace(&mut apart, range.end);
                before <= range.start
                    && range.start <= range.end
                    && on_boundary(range.start)
                    && on_boundary(range.end)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_off_a_boundary_or_out_of_order_are_unsound() {
        let sound = ExtractedText { text: "äb\n\nc".into(), blocks: vec![0, 5], ..ExtractedText::default() };
        assert!(sound.is_sound());
        assert!(!ExtractedText { blocks: vec![1], ..sound.clone() }.is_sound());
        assert!(!ExtractedText { blocks: vec![5, 0], ..sound.clone() }.is_sound());
        assert!(!ExtractedText { blocks: vec![7], ..sound.clone() }.is_sound());
        assert!(!ExtractedText { contents: vec![0..4, 2..5], ..sound.clone() }.is_sound());
        let heading = Heading { start: 0, end: 1, level: 1, title: "a".into() };
        assert!(!ExtractedText { headings: vec![heading], ..sound }.is_sound());
    }
}
