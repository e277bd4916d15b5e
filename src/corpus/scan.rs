//! Compares the files of a folder with what is indexed.
//!
//! A folder is looked at as a whole before anything is read, so that it is known how much is to be done. The look opens
//! no file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::error::Result;

use super::fits::Fits;
use super::options::CorpusOptions;
use super::skip::{SkipReason, Skipped};
use super::stamp::Stamp;
use super::walk::{FolderWalk, Found, walk_folder};

/// A file that is new or may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedFile {
    /// The path relative to the folder, with `/` separators.
    pub(crate) id: String,
    pub(super) path: PathBuf,
    /// Of the moment before it is read.
    pub(crate) stamp: Stamp,
}

/// The result for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// The file has the stamp that is known.
    Unchanged(String),
    Changed(ChangedFile),
    Skipped(Skipped),
}

/// What a complete scan has seen. It tells which indexed documents are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Documents in the folder, including files that could not be read this time.
    documents: HashSet<String>,
    /// Files that were not read anew: what lies in them is still there.
    kept: HashSet<String>,
    /// Folders that could not be listed, with a `/` at the end. The root is "".
    unreadable_folders: Vec<String>,
}

/// Whether a file with this path and stamp needs no reading.
pub(crate) type Known<'a> = &'a dyn Fn(&str, &Stamp) -> bool;

/// An iterator over the files of a folder.
pub(crate) struct Scan<'a> {
    walk: FolderWalk,
    known: Known<'a>,
    seen: Seen,
    complete: bool,
}

impl Iterator for Scan<'_> {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        let scanned = match self.walk.next() {
            Some(Found::File { document, path }) => self.file(document, path),
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

impl<'a> Scan<'a> {
    /// Starts a scan of `root`. Skips `excluded` paths, such as an index inside the folder.
    ///
    /// # Errors
    /// If the root can't be listed. A file or folder below it that can't be read is a [`Scanned::Skipped`] instead.
    pub(crate) fn start(
        options: &CorpusOptions,
        root: &Path,
        excluded: &[PathBuf],
        known: Known<'a>,
    ) -> Result<Scan<'a>> {
        let walk = walk_folder(root, excluded, options)?;
        Ok(Scan { walk, known, seen: Seen::default(), complete: false })
    }

    /// Which of the rules for the folder something in it fits.
    pub(crate) fn fits(&self) -> Fits {
        self.walk.fits()
    }

    /// What was seen; `None` before the iterator has ended, when missing files may still come.
    pub(crate) fn into_seen(self) -> Option<Seen> {
        self.complete.then_some(self.seen)
    }

    fn file(&mut self, id: String, path: PathBuf) -> Scanned {
        let stamp = match Stamp::of(&path) {
            Ok(stamp) => stamp,
            Err(error) => {
                return self.skipped(Skipped::of(id, SkipReason::Unreadable { message: error.to_string() }));
            }
        };
        self.seen.documents.insert(id.clone());
        match (self.known)(&id, &stamp) {
            true => {
                self.seen.unchanged(&id);
                Scanned::Unchanged(id)
            }
            false => Scanned::Changed(ChangedFile { id, path, stamp }),
        }
    }

    fn skipped(&mut self, skipped: Skipped) -> Scanned {
        self.seen.skip(&skipped);
        Scanned::Skipped(skipped)
    }
}

impl Seen {
    /// A file that was seen has the content that is indexed: what lies in it is still there.
    pub(crate) fn unchanged(&mut self, file: &str) {
        self.kept.insert(file.to_owned());
    }

    /// A file that was seen turned out to hold this document when it was read.
    pub(crate) fn read(&mut self, document: &str) {
        self.documents.insert(document.to_owned());
    }

    /// A file that was seen, or something in it, turned out to have nothing to index when it was read.
    pub(crate) fn turned_out(&mut self, skipped: &Skipped) {
        self.documents.remove(&skipped.document);
        self.skip(skipped);
    }

    fn skip(&mut self, skipped: &Skipped) {
        // An unreadable file may be unchanged and readable again later: its documents stay indexed.
        if matches!(skipped.reason, SkipReason::Unreadable { .. }) {
            self.documents.insert(skipped.document.clone());
            self.kept.insert(skipped.document.clone());
        }
    }

    /// Whether an indexed document should be removed: its file is gone, ignored, or has no text any more. Files that
    /// could not be read this time stay, and so do files in folders that could not be listed.
    pub(crate) fn has_vanished(&self, document: &str) -> bool {
        let mut containers = document.match_indices('/').map(|(at, _)| &document[..at]);
        !self.documents.contains(document)
            && !containers.any(|container| self.kept.contains(container))
            && !self.unreadable_folders.iter().any(|folder| document.starts_with(folder.as_str()))
    }

    /// The number of documents.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }
}
