//! Compares the files of a folder with what is indexed, and reads those that changed.
//!
//! A folder is looked at as a whole before anything is read, so that it is known how much is to be done. The look opens
//! no file.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::Result;
use crate::ids::Digest;

use super::TokenCounter;
use super::chunk::{Chunk, Names, NoChunks, chunk_with};
use super::encoding::Decoded;
use super::format::{Format, Kind, extension_of, file_name_of};
use super::left_out;
use super::lengths::Lengths;
use super::options::CorpusOptions;
use super::read::{Content, read};
use super::sizer::Sizer;
use super::skip::{SkipReason, Skipped};
use super::stamp::Stamp;
use super::walk::{FolderWalk, Found, walk_folder};

/// Changes whenever files give other chunks or places than before: then all are read again, once. What is the same
/// keeps its vectors.
const READING: u32 = 3;

/// A file that is new or may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedFile {
    /// The path relative to the folder, with `/` separators.
    pub(crate) id: String,
    path: PathBuf,
    /// Of the moment before it is read.
    pub(crate) stamp: Stamp,
}

/// A document cut into chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChunkedDocument {
    /// As in [`ChangedFile`]; of what lies in a container, the container's id, a `/` and the path in it.
    pub(crate) id: String,
    /// Of the file's bytes and of how they are read. All documents of a container have the container's.
    pub(crate) digest: Digest,
    /// When the file was last changed.
    pub(crate) modified: Option<SystemTime>,
    /// What the document says of itself: `author`, `date`, `tags`, `language`, `subject`, `from`, `to`.
    pub(crate) fields: BTreeMap<String, Vec<String>>,
    pub(crate) format: Format,
    /// At least one, in order.
    pub(crate) chunks: Vec<Chunk>,
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

/// Takes a document that was read, or what was skipped.
pub(crate) type Give<'a> = dyn FnMut(Result<ChunkedDocument, Skipped>) + 'a;

/// An iterator over the files of a folder.
pub(crate) struct Scan<'a> {
    walk: FolderWalk,
    known: Known<'a>,
    seen: Seen,
    complete: bool,
}

/// Reads and cuts files.
pub(crate) struct FileReader<'a> {
    options: CorpusOptions,
    included: Vec<String>,
    lengths: Lengths,
    sizer: Sizer<'a>,
}

impl<'a> FileReader<'a> {
    /// # Errors
    /// If an option is invalid.
    pub(crate) fn new(options: &CorpusOptions, lengths: Lengths, counter: TokenCounter<'a>) -> Result<Self> {
        options.validate()?;
        let included = options.include.clone().unwrap_or_default();
        Ok(FileReader { options: options.clone(), included, lengths, sizer: Sizer::new(counter) })
    }

    /// Reads and cuts a file. `give` gets its document; of a container each document in it, and what of it is skipped.
    /// Nothing of a file with the digest `known`. Returns whether it has that.
    pub(crate) fn read(&self, file: &ChangedFile, known: Option<Digest>, give: &mut Give<'_>) -> bool {
        match self.text_file(file, known) {
            Ok(None) => return true,
            Ok(Some(document)) => give(Ok(document)),
            Err(reason) => give(Err(Skipped::of(file.id.clone(), reason))),
        }
        false
    }

    /// `None` if the file has the digest `known`.
    fn text_file(
        &self,
        file: &ChangedFile,
        known: Option<Digest>,
    ) -> Result<Option<ChunkedDocument>, SkipReason> {
        let content = self.content(&file.id, &file.path)?;
        let digest = self.digest(&content);
        if known == Some(digest) {
            return Ok(None);
        }
        let (decoded, format) = self.text(&file.id, content)?;
        let names = Names { given: None, fallback: file_name_of(&file.id) };
        let chunks = chunk_with(&names, &decoded.text, format, self.lengths, &self.sizer);
        let mut chunks = chunks.map_err(|none| match none {
            NoChunks::Blank => SkipReason::Empty,
            NoChunks::NoPassage => SkipReason::NoPassage,
            NoChunks::Malformed(message) => SkipReason::Malformed { message },
        })?;
        place_in_file(&mut chunks, &decoded);
        let modified = std::fs::metadata(&file.path).and_then(|data| data.modified()).ok();
        let fields = BTreeMap::new();
        Ok(Some(ChunkedDocument { id: file.id.clone(), digest, modified, fields, format, chunks }))
    }

    fn content(&self, id: &str, path: &Path) -> Result<Content, SkipReason> {
        let extension = extension_of(id);
        if !self.options.selects(&extension) {
            return Err(SkipReason::NotSelected);
        }
        let limit = self.options.max_file_bytes.unwrap_or(CorpusOptions::MAX_FILE_BYTES);
        read(path, Kind::of_extension(&extension), limit)
    }

    fn digest(&self, content: &Content) -> Digest {
        let Lengths { text, title } = self.lengths;
        Digest::of(format!("{READING} {text} {title} {}", content.digest).as_bytes())
    }

    fn text(&self, id: &str, content: Content) -> Result<(Decoded, Format), SkipReason> {
        let (decoded, format) = content.into_text()?;
        match left_out::text(file_name_of(id), &decoded.text, &self.included) {
            Some(group) => Err(SkipReason::LeftOut { group: group.name().into() }),
            None => Ok((decoded, format)),
        }
    }
}

/// Of all that decides what becomes of a file, beside its content.
pub(crate) fn reading_digest(options: &CorpusOptions, lengths: Lengths) -> Digest {
    let options = serde_json::to_string(options).unwrap_or_default();
    Digest::of(format!("{READING} {} {} {options}", lengths.text, lengths.title).as_bytes())
}

/// Moves the ranges of chunks from the text to the file.
fn place_in_file(chunks: &mut [Chunk], decoded: &Decoded) {
    let mut offsets: Vec<u64> = chunks.iter().flat_map(|chunk| [chunk.start, chunk.end]).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let in_file = decoded.in_file(&offsets);
    let place = |offset: u64| offsets.binary_search(&offset).map_or(offset, |at| in_file[at]);
    for chunk in chunks {
        (chunk.start, chunk.end) = (place(chunk.start), place(chunk.end));
    }
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
