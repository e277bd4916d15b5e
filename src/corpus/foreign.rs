//! Files that are not text: what the extractor finds in them becomes documents.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::extract::{ExtractedText, Found, HEAD_BYTES, Kind, Unreadable};
use crate::ids::Digest;

use super::contents;
use super::format::Format;
use super::options::CorpusOptions;
use super::outline::{Extracted, Outline};
use super::skip::SkipReason;

/// A file that is not text.
pub(super) struct Foreign {
    pub(super) kind: Kind,
    /// SHA-256 of all bytes.
    pub(super) digest: Digest,
}

/// The default limit on documents: they are read in a process of their own.
pub(super) const MOST_DOCUMENT_BYTES: u64 = 256 << 20;
/// The default limit on archives and mailboxes, which are never in memory as a whole.
pub(super) const MOST_CONTAINER_BYTES: u64 = 4 << 30;

impl Foreign {
    /// `None` if a file is text, or nothing that the extractor knows.
    pub(super) fn of(
        path: &Path,
        extension: &str,
        options: &CorpusOptions,
    ) -> Result<Option<Foreign>, SkipReason> {
        let unreadable = |error: io::Error| SkipReason::Unreadable { message: error.to_string() };
        let mut file = File::open(path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        let mut head = Vec::new();
        file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(unreadable)?;
        let Some(kind) = Kind::of(&head, extension) else { return Ok(None) };
        if !kind.is_read() {
            return Err(SkipReason::UnsupportedFormat { format: kind.name().into() });
        }
        let default = if kind.is_container() { MOST_CONTAINER_BYTES } else { MOST_DOCUMENT_BYTES };
        let limit = options.largest_file(default);
        if bytes > limit {
            return Err(SkipReason::TooLarge { bytes, limit });
        }
        file.rewind().map_err(unreadable)?;
        let digest = Digest::of_reader(&mut file).map_err(unreadable)?;
        Ok(Some(Foreign { kind, digest }))
    }
}

/// The document id of what was found in a file.
pub(super) fn id_of(file: &str, found: &Found) -> String {
    if found.path.is_empty() { file.to_owned() } else { format!("{file}/{}", found.path) }
}

pub(super) fn reason(why: Unreadable) -> SkipReason {
    match why {
        Unreadable::Encrypted => SkipReason::Encrypted,
        Unreadable::NoText => SkipReason::NoText,
        Unreadable::Binary => SkipReason::Binary,
        Unreadable::Malformed(message) => SkipReason::Malformed { message },
        Unreadable::TooLarge(bound) => SkipReason::TooMuch { bound },
        Unreadable::Unsupported(format) => SkipReason::UnsupportedFormat { format },
        other => SkipReason::ExtractionFailed { message: other.to_string() },
    }
}

/// The structure as that of a text. Ranges stay offsets in the extracted text.
pub(super) fn structured(extracted: ExtractedText) -> Extracted<'static> {
    let ExtractedText { text, title, headings, markers, blocks, contents, .. } = extracted;
    let contents = if contents.is_empty() { contents::in_lines(&text, Format::Text) } else { contents };
    Extracted {
        text: text.into(),
        title: title.filter(|title| !title.trim().is_empty()),
        blocks,
        contents,
        markers,
        ..Extracted::whole("", Outline::new(headings))
    }
}
