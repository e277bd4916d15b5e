//! Compares the files of a folder with what is indexed, and reads those that changed.
//!
//! A folder is looked at as a whole before anything is read, so that it is known how much is to be done. The look opens
//! no file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::error::Result;
use crate::extract::{Content as Part, Extractor};
use crate::ids::Digest;

use super::TokenCounter;
use super::chunk::{Chunk, Names, NoChunks, cut, number_lines};
use super::encoding::Decoded;
use super::foreign::{self, Foreign};
use super::format::{Format, Kind, extension_of, file_name_of};
use super::formats::extract;
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
const READING: u32 = 4;

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
    extractor: Option<Arc<dyn Extractor>>,
}

impl<'a> FileReader<'a> {
    /// Without an extractor only text is read.
    ///
    /// # Errors
    /// If an option is invalid.
    pub(crate) fn new(
        options: &CorpusOptions,
        lengths: Lengths,
        counter: TokenCounter<'a>,
        extractor: Option<Arc<dyn Extractor>>,
    ) -> Result<Self> {
        options.validate()?;
        let included = options.include.clone().unwrap_or_default();
        Ok(FileReader { options: options.clone(), included, lengths, sizer: Sizer::new(counter), extractor })
    }

    /// Reads and cuts a file. `give` gets its document; of a container each document in it, and what of it is skipped.
    /// Nothing of a file with the digest `known`. Returns whether it has that.
    pub(crate) fn read(&self, file: &ChangedFile, known: Option<Digest>, give: &mut Give<'_>) -> bool {
        let read = match self.foreign(&file.id, &file.path) {
            Ok(Some(foreign)) if known == Some(self.digest(foreign.digest)) => return true,
            Ok(Some(foreign)) => {
                self.parts(file, &foreign, give);
                return false;
            }
            Ok(None) => self.text_file(file, known),
            Err(reason) => Err(reason),
        };
        match read {
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
        let digest = self.digest(content.digest);
        if known == Some(digest) {
            // Whether it is left out may be asked for otherwise than in the run that has read it.
            return self.text(&file.id, content).map(|_| None);
        }
        self.document(&file.id, content, digest, Some(file.stamp.modified())).map(Some)
    }

    /// Reads a file that is not text, one document after the other.
    fn parts(&self, file: &ChangedFile, foreign: &Foreign, give: &mut Give<'_>) {
        let modified = Some(file.stamp.modified());
        let skipped = |id: &str, reason| Err(Skipped::of(id.to_owned(), reason));
        let Some(extractor) = &self.extractor else {
            let format = foreign.kind.name().into();
            return give(skipped(&file.id, SkipReason::NeedsExtractor { format }));
        };
        let digest = self.digest(foreign.digest);
        let mut found_any = false;
        let done = extractor.extract(&file.path, &mut |found| {
            found_any = true;
            let id = foreign::id_of(&file.id, &found);
            let document = match left_out::member(&found.path, &self.included) {
                Some(group) => Err(SkipReason::LeftOut { group: group.name().into() }),
                None => self.part(&id, found.content, digest, modified),
            };
            give(document.or_else(|reason| skipped(&id, reason)));
        });
        match done {
            Err(why) => give(skipped(&file.id, foreign::reason(why))),
            Ok(()) if !found_any => give(skipped(&file.id, SkipReason::Empty)),
            Ok(()) => {}
        }
    }

    /// Reads and cuts the bytes of a text with this name.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn read_bytes(&self, name: &str, bytes: Vec<u8>) -> Result<ChunkedDocument, SkipReason> {
        self.part(name, Part::Text(bytes), Digest([0; 32]), None)
    }

    fn part(
        &self,
        id: &str,
        part: Part,
        digest: Digest,
        modified: Option<SystemTime>,
    ) -> Result<ChunkedDocument, SkipReason> {
        let mut extracted = match part {
            Part::Extracted(extracted) => extracted,
            Part::Text(bytes) => {
                let limit = self.options.largest_file(CorpusOptions::MAX_FILE_BYTES);
                if bytes.len() as u64 > limit {
                    return Err(SkipReason::TooLarge { bytes: bytes.len() as u64, limit });
                }
                let content = Content::of(bytes, Kind::of_extension(&extension_of(id)))?;
                return self.document(id, content, digest, modified);
            }
            Part::Unreadable(why) => return Err(foreign::reason(why)),
        };
        let fields = std::mem::take(&mut extracted.fields);
        let name = shown_name(id);
        let names = Names { given: None, fallback: &name };
        let structured = foreign::structured(extracted);
        let chunks = cut(&names, structured, Format::Text, self.lengths, &self.sizer).map_err(no_chunks)?;
        Ok(ChunkedDocument { id: id.to_owned(), digest, modified, fields, format: Format::Text, chunks })
    }

    fn document(
        &self,
        id: &str,
        content: Content,
        digest: Digest,
        modified: Option<SystemTime>,
    ) -> Result<ChunkedDocument, SkipReason> {
        let (decoded, format) = self.text(id, content)?;
        let name = shown_name(id);
        let names = Names { given: None, fallback: &name };
        let mut extracted =
            extract(&name, &decoded.text, format).map_err(|message| SkipReason::Malformed { message })?;
        let fields = std::mem::take(&mut extracted.fields);
        let mut chunks = cut(&names, extracted, format, self.lengths, &self.sizer).map_err(no_chunks)?;
        number_lines(&mut chunks, &decoded.text);
        place_in_file(&mut chunks, &decoded);
        Ok(ChunkedDocument { id: id.to_owned(), digest, modified, fields, format, chunks })
    }

    /// `None` if the file is text, or nothing that is known.
    fn foreign(&self, id: &str, path: &Path) -> Result<Option<Foreign>, SkipReason> {
        let extension = extension_of(id);
        if !self.options.selects(&extension) {
            return Err(SkipReason::NotSelected);
        }
        Foreign::of(path, &extension, &self.options)
    }

    fn content(&self, id: &str, path: &Path) -> Result<Content, SkipReason> {
        read(
            path,
            Kind::of_extension(&extension_of(id)),
            self.options.largest_file(CorpusOptions::MAX_FILE_BYTES),
        )
    }

    /// Of a file's bytes and of how they are read.
    fn digest(&self, content: Digest) -> Digest {
        let Lengths { text, title } = self.lengths;
        Digest::of(format!("{READING} {text} {title} {content}").as_bytes())
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
pub(crate) fn reading_digest(options: &CorpusOptions, lengths: Lengths, extracts: bool) -> Digest {
    let options = serde_json::to_string(options).unwrap_or_default();
    Digest::of(format!("{READING} {} {} {extracts} {options}", lengths.text, lengths.title).as_bytes())
}

/// The name of a file. The id stays as it is on the disk; what is searched is composed, as people type it.
fn shown_name(id: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(file_name_of(id))
}

fn no_chunks(none: NoChunks) -> SkipReason {
    match none {
        NoChunks::Blank => SkipReason::Empty,
        NoChunks::NoPassage => SkipReason::NoPassage,
        NoChunks::Malformed(message) => SkipReason::Malformed { message },
    }
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
