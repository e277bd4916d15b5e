//! What an index has to do about each file of a folder.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::ids::Digest;

use super::TokenCounter;
use super::chunk::{Chunk, Names, chunk_with};
use super::format::{Format, Kind, extension_of, file_name_of};
use super::options::CorpusOptions;
use super::read::read;
use super::sizer::Sizer;
use super::skip::{SkipReason, Skipped};
use super::walk::{FolderWalk, Found, walk_folder};

/// A file that is new or has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChunkedDocument {
    /// Its path relative to the folder, with `/` separators.
    pub(crate) id: String,
    /// Of its bytes.
    pub(crate) digest: Digest,
    pub(crate) format: Format,
    /// Its length in bytes.
    pub(crate) bytes: u64,
    /// At least one, in order.
    pub(crate) chunks: Vec<Chunk>,
}

/// One file of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// Its digest is the known one.
    Unchanged {
        id: String,
    },
    Changed(ChunkedDocument),
    Skipped(Skipped),
}

/// What a complete scan says about documents that it did not name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Files that are in the folder: read, or there but unreadable this time.
    documents: HashSet<String>,
    /// Folders that could not be listed, with a `/` at the end; the root is "".
    unreadable_folders: Vec<String>,
}

/// An iterator over the files of a folder, one file in memory at a time.
pub(crate) struct Scan<'a> {
    walk: FolderWalk,
    options: CorpusOptions,
    known: &'a dyn Fn(&str) -> Option<Digest>,
    sizer: Sizer<'a>,
    seen: Seen,
    complete: bool,
}

/// Starts a scan of `root`. `excluded` paths (an index that lies in the folder) are passed over, `known` gives the
/// digest of a document as it was indexed, `counter` counts tokens.
///
/// # Errors
/// If the root can't be listed or an option is not valid. What goes wrong with a single file or folder below is a
/// [`Scanned::Skipped`].
pub(crate) fn scan_folder<'a>(
    root: &Path,
    excluded: &[PathBuf],
    options: &CorpusOptions,
    known: &'a dyn Fn(&str) -> Option<Digest>,
    counter: TokenCounter<'a>,
) -> Result<Scan<'a>> {
    options.validate()?;
    Ok(Scan {
        walk: walk_folder(root, excluded, options)?,
        options: options.clone(),
        known,
        sizer: Sizer::new(counter),
        seen: Seen::default(),
        complete: false,
    })
}

impl Iterator for Scan<'_> {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        let scanned = match self.walk.next() {
            Some(Found::File { document, path }) => self.file(document, &path),
            Some(Found::Skipped(skipped)) => self.skipped(skipped),
            Some(Found::UnreadableFolder(skipped)) => {
                let folder = &skipped.document;
                let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                self.seen.unreadable_folders.push(prefix);
                self.skipped(skipped)
            }
            None => {
                self.complete = true;
                return None;
            }
        };
        Some(scanned)
    }
}

impl Scan<'_> {
    /// What was seen, once the iterator has ended; `None` before, when nothing can be said of what is missing.
    pub(crate) fn into_seen(self) -> Option<Seen> {
        self.complete.then_some(self.seen)
    }

    fn file(&mut self, id: String, path: &Path) -> Scanned {
        match self.chunks(&id, path) {
            Ok(Some(document)) => {
                self.seen.documents.insert(id);
                Scanned::Changed(document)
            }
            Ok(None) => {
                self.seen.documents.insert(id.clone());
                Scanned::Unchanged { id }
            }
            Err(reason) => self.skipped(Skipped { document: id, reason }),
        }
    }

    fn skipped(&mut self, skipped: Skipped) -> Scanned {
        // A file that can't be read now may be readable again tomorrow, and nothing says that it has changed.
        if matches!(skipped.reason, SkipReason::Unreadable { .. }) {
            self.seen.documents.insert(skipped.document.clone());
        }
        Scanned::Skipped(skipped)
    }

    /// `None` if the file is as known.
    fn chunks(&self, id: &str, path: &Path) -> Result<Option<ChunkedDocument>, SkipReason> {
        let extension = extension_of(id);
        if !self.options.selects(&extension) {
            return Err(SkipReason::NotSelected);
        }
        let content = read(path, Kind::of_extension(&extension), self.options.max_file_bytes)?;
        let digest = content.digest;
        if (self.known)(id) == Some(digest) {
            return Ok(None);
        }
        let (text, format) = content.into_text()?;
        let names = Names { given: None, fallback: file_name_of(id) };
        let chunks = chunk_with(&names, &text, format, &self.options, &self.sizer);
        if chunks.is_empty() {
            return Err(SkipReason::Empty);
        }
        Ok(Some(ChunkedDocument { id: id.to_owned(), digest, format, bytes: text.len() as u64, chunks }))
    }
}

impl Seen {
    /// Whether an indexed document is to be removed: it is gone, ignored, or holds no text any more. What could
    /// only not be read this time, or lies in a folder that could not be listed, stays.
    pub(crate) fn has_vanished(&self, document: &str) -> bool {
        !self.documents.contains(document)
            && !self.unreadable_folders.iter().any(|folder| document.starts_with(folder.as_str()))
    }

    /// How many files there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }
}
