//! Reads files and cuts them into chunks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::error::Result;
use crate::extract::{Allowance, Content as Part, Extractor};
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
use super::scan::ChangedFile;
use super::sizer::Sizer;
use super::skip::{SkipReason, Skipped};

/// Changes whenever files give other chunks or places than before: then all are read again, once. What is the same
/// keeps its vectors.
const READING: u32 = 4;

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

/// What reading a file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileRead {
    /// It has the digest that is known.
    Known,
    /// It was read, and has this digest, if it was read to its end.
    New(Option<Digest>),
}

/// Takes a document that was read, or what was skipped. Nothing more of the file is read once it breaks.
pub(crate) type Give<'a> = dyn FnMut(Result<ChunkedDocument, Skipped>) -> ControlFlow<()> + 'a;

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
    /// Nothing of a file with the digest `known`.
    pub(crate) fn read(&self, file: &ChangedFile, known: Option<Digest>, give: &mut Give<'_>) -> FileRead {
        let skipped = |reason| Err(Skipped::of(file.id.clone(), reason));
        let foreign = match self.foreign(&file.id, &file.path) {
            Ok(foreign) => foreign,
            Err(reason) => {
                _ = give(skipped(reason));
                return FileRead::New(None);
            }
        };
        let Some(foreign) = foreign else { return self.text_file(file, known, give) };
        let digest = self.digest(foreign.digest);
        if known == Some(digest) {
            return FileRead::Known;
        }
        self.parts(file, &foreign, give);
        FileRead::New(Some(digest))
    }

    fn text_file(&self, file: &ChangedFile, known: Option<Digest>, give: &mut Give<'_>) -> FileRead {
        let skipped = |reason| Err(Skipped::of(file.id.clone(), reason));
        let content = match self.content(&file.id, &file.path) {
            Ok(content) => content,
            Err(reason) => {
                _ = give(skipped(reason));
                return FileRead::New(None);
            }
        };
        let digest = self.digest(content.digest);
        let read = match known == Some(digest) {
            // Whether it is left out may be asked for otherwise than in the run that has read it.
            true => self.text(&file.id, content).map(|_| None),
            false => self.document(&file.id, content, digest, Some(file.stamp.modified())).map(Some),
        };
        match read {
            Ok(None) => return FileRead::Known,
            Ok(Some(document)) => _ = give(Ok(document)),
            Err(reason) => _ = give(skipped(reason)),
        }
        FileRead::New(Some(digest))
    }

    /// Reads a file that is not text, one document after the other.
    fn parts(&self, file: &ChangedFile, foreign: &Foreign, give: &mut Give<'_>) {
        let modified = Some(file.stamp.modified());
        let skipped = |id: &str, reason| Err(Skipped::of(id.to_owned(), reason));
        let Some(extractor) = &self.extractor else {
            let format = foreign.kind.name().into();
            _ = give(skipped(&file.id, SkipReason::NeedsExtractor { format }));
            return;
        };
        let digest = self.digest(foreign.digest);
        // Whatever the extractor bounds itself.
        let (mut allowance, mut within) = (Allowance::of(file.stamp.bytes), Ok(()));
        let (mut found_any, mut ended) = (false, false);
        let done = extractor.extract(&file.path, &mut |found| {
            found_any = true;
            within = allowance.take(&found.content);
            if within.is_err() {
                return ControlFlow::Break(());
            }
            let id = foreign::id_of(&file.id, &found);
            let document = match left_out::member(&found.path, &self.included) {
                Some(group) => Err(SkipReason::LeftOut { group: group.name().into() }),
                None => self.part(&id, found.content, digest, modified),
            };
            let wanted = give(document.or_else(|reason| skipped(&id, reason)));
            ended = wanted.is_break();
            wanted
        });
        let reason = match done.and(within) {
            Err(why) => foreign::reason(why),
            Ok(()) if !found_any => SkipReason::Empty,
            Ok(()) => return,
        };
        if !ended {
            _ = give(skipped(&file.id, reason));
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
        let language = self.options.language.as_deref().unwrap_or_default();
        Digest::of(format!("{READING} {text} {title} {content}{language}").as_bytes())
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
