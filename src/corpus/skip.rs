//! Reasons to skip a file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file or folder that was not read, and the reason.
///
/// Hidden files and files ignored by a `.gitignore` are not listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Skipped {
    /// The path relative to the indexed folder, with `/` separators. Invalid UTF-8 is shown as `�`.
    pub document: String,
    /// The reason.
    pub reason: SkipReason,
    /// Whether the last run over the folder didn't skip it for the same reason.
    pub new: bool,
}

/// The reason a file was not read. `Display` is one line for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// The operating system refused access. For a folder, nothing below it was read.
    Unreadable {
        /// The operating system's message.
        message: String,
    },
    /// A pipe, a socket or a device.
    NotAFile,
    /// A symbolic link, and links are not followed.
    SymbolicLink,
    /// A followed link to a folder that contains it.
    LinkLoop,
    /// The path is not valid UTF-8, so it can't be a document id.
    PathNotUtf8,
    /// More bytes than the limit.
    TooLarge {
        /// The file's length in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Empty, or only white space or markup.
    Empty,
    /// Only headings, a table of contents, an index or a placeholder such as TODO.
    NoPassage,
    /// What programs have fetched or made, and not asked for with
    /// [`CorpusOptions::include`](crate::CorpusOptions::include).
    LeftOut {
        /// `dependencies`, `build` or `generated`.
        group: String,
    },
    /// Not what its extension says.
    Malformed {
        /// What was expected and found.
        message: String,
    },
    /// Not text.
    Binary,
    /// Text in an encoding that was not recognised.
    NotUtf8 {
        /// What was found.
        found: String,
    },
    /// A document format that retune can't read.
    UnsupportedFormat {
        /// The format's name.
        format: String,
    },
    /// Needs a password.
    Encrypted,
    /// Readable, but without text, such as a scan.
    NoText,
    /// More than a bound on what is unpacked allows.
    TooMuch {
        /// What was found, such as `more than 100000 files`.
        bound: String,
    },
    /// What reads the format crashed, took too long, or wanted too much memory.
    ExtractionFailed {
        /// What happened.
        message: String,
    },
    /// Not text, and the engine has no [`Extractor`](crate::extract::Extractor).
    NeedsExtractor {
        /// The format's name.
        format: String,
    },
    /// Not one of the selected extensions.
    NotSelected,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::Unreadable { message } => write!(f, "could not be read: {message}"),
            SkipReason::NotAFile => f.write_str("is not a regular file"),
            SkipReason::SymbolicLink => f.write_str("is a symbolic link, and links are not followed"),
            SkipReason::LinkLoop => f.write_str("is a symbolic link to a folder that contains it"),
            SkipReason::PathNotUtf8 => f.write_str("has a path that is not valid UTF-8; rename it"),
            SkipReason::TooLarge { bytes, limit } => {
                write!(f, "has {bytes} bytes, the limit is {limit}; `--max-file-size` sets it")
            }
            SkipReason::Empty => f.write_str("has no text"),
            SkipReason::NoPassage => {
                f.write_str("has only headings, a table of contents, an index or a placeholder")
            }
            SkipReason::LeftOut { group } => {
                write!(f, "is left out ({group}); `--include {group}` or its name reads it")
            }
            SkipReason::Malformed { message } => write!(f, "is not what its extension says: {message}"),
            SkipReason::Binary => f.write_str("is not text"),
            SkipReason::NotUtf8 { found } => {
                write!(f, "is in no encoding that retune recognises: {found}; convert it to UTF-8")
            }
            SkipReason::UnsupportedFormat { format } => {
                write!(f, "is {format}, which retune can't read; convert it to text, Markdown or HTML")
            }
            SkipReason::Encrypted => f.write_str("is encrypted; save a copy without a password"),
            SkipReason::NoText => {
                f.write_str("has no text: if it is a scan, run OCR over it, such as ocrmypdf")
            }
            SkipReason::TooMuch { bound } => write!(f, "has {bound}; unpack it, or split it"),
            SkipReason::ExtractionFailed { message } => write!(f, "could not be read: {message}"),
            SkipReason::NeedsExtractor { format } => {
                write!(f, "is {format}, and the application has set no extractor (Options::with_extractor)")
            }
            SkipReason::NotSelected => f.write_str("does not have a selected extension"),
        }
    }
}

impl Skipped {
    /// Counts as new, until it is compared with the last run.
    pub(crate) fn of(document: String, reason: SkipReason) -> Skipped {
        Skipped { document, reason, new: true }
    }
}

impl SkipReason {
    /// The reason of several files, in a few words and without what differs between them.
    pub fn group(&self) -> String {
        match self {
            SkipReason::Unreadable { message } => format!("could not be read: {message}"),
            SkipReason::NotAFile => "not regular files".into(),
            SkipReason::SymbolicLink => "symbolic links, which are not followed".into(),
            SkipReason::LinkLoop => "symbolic links to a folder that contains them".into(),
            SkipReason::PathNotUtf8 => "a path that is not valid UTF-8; rename them".into(),
            SkipReason::TooLarge { limit, .. } => {
                format!("larger than {limit} bytes; `--max-file-size` sets the limit")
            }
            SkipReason::Empty => "no text".into(),
            SkipReason::NoPassage => "only headings, a table of contents, an index or a placeholder".into(),
            SkipReason::LeftOut { group } => {
                format!("left out as {group}; `--include {group}` or their names read them")
            }
            SkipReason::Malformed { .. } => "not what their extension says".into(),
            SkipReason::Binary => "not text".into(),
            SkipReason::NotUtf8 { .. } => {
                "in no encoding that retune recognises; convert them to UTF-8".into()
            }
            SkipReason::UnsupportedFormat { format } => {
                format!("{format}, which retune can't read; convert them to text, Markdown or HTML")
            }
            SkipReason::Encrypted => "encrypted; save copies without a password".into(),
            SkipReason::NoText => "no text: if they are scans, run OCR over them, such as ocrmypdf".into(),
            SkipReason::TooMuch { bound } => format!("{bound}; unpack them, or split them"),
            SkipReason::ExtractionFailed { .. } => {
                "what reads them failed; `--skipped` says how for each".into()
            }
            SkipReason::NeedsExtractor { format } => {
                format!("{format}, and the application has set no extractor")
            }
            SkipReason::NotSelected => "no selected extension".into(),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.document, self.reason)
    }
}
