//! Compares the files of a folder with what is indexed.

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

/// A new or changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChunkedDocument {
    /// The path relative to the folder, with `/` separators.
    pub(crate) id: String,
    /// SHA-256 of the file.
    pub(crate) digest: Digest,
    pub(crate) format: Format,
    /// The file's length.
    pub(crate) bytes: u64,
    /// At least one, in order.
    pub(crate) chunks: Vec<Chunk>,
}

/// The result for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// The file has the digest that is indexed.
    Unchanged {
        id: String,
    },
    Changed(ChunkedDocument),
    Skipped(Skipped),
}

/// What a complete scan has seen. It tells which indexed documents are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Files in the folder, including those that could not be read this time.
    documents: HashSet<String>,
    /// Folders that could not be listed, with a `/` at the end. The root is "".
    unreadable_folders: Vec<String>,
}

/// An iterator over the files of a folder. Holds one file in memory at a time.
pub(crate) struct Scan<'a> {
    walk: FolderWalk,
    options: CorpusOptions,
    known: &'a dyn Fn(&str) -> Option<Digest>,
    sizer: Sizer<'a>,
    seen: Seen,
    complete: bool,
}

/// Starts a scan of `root`. Skips `excluded` paths, such as an index inside the folder. `known` returns the digest of
/// an indexed document.
///
/// # Errors
/// If the root can't be listed or an option is invalid. A file or folder below it that can't be read is a
/// [`Scanned::Skipped`] instead.
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
    /// What was seen; `None` before the iterator has ended, when missing files may still come.
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
        // An unreadable file may be unchanged and readable again later: its document stays indexed.
        if matches!(skipped.reason, SkipReason::Unreadable { .. }) {
            self.seen.documents.insert(skipped.document.clone());
        }
        Scanned::Skipped(skipped)
    }

    /// Reads and chunks a file; `None` if it has not changed.
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
    /// Whether an indexed document should be removed: its file is gone, ignored, or has no text any more. Files that
    /// could not be read this time stay, and so do files in folders that could not be listed.
    pub(crate) fn has_vanished(&self, document: &str) -> bool {
        !self.documents.contains(document)
            && !self.unreadable_folders.iter().any(|folder| document.starts_with(folder.as_str()))
    }

    /// The number of files.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }
}
