//! Why a file is not in the index.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file, or a folder, that was not read, and why.
///
/// Hidden files and files that a `.gitignore` names are not listed: they were never candidates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The path relative to the folder that was indexed, with `/` separators; not valid UTF-8 is shown as `�`.
    pub document: String,
    /// Why.
    pub reason: SkipReason,
}

/// The reason a file was not read. `Display` is one line for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// The operating system refused; for a folder, nothing below it was read.
    Unreadable {
        /// What it said.
        message: String,
    },
    /// A pipe, a socket or a device.
    NotAFile,
    /// A symbolic link, and links are not followed.
    SymbolicLink,
    /// A followed link that leads to a folder it lies in.
    LinkLoop,
    /// Its path is not valid UTF-8, so it can't be a document's id.
    PathNotUtf8,
    /// More bytes than the limit.
    TooLarge {
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Nothing in it, or nothing but white space or markup.
    Empty,
    /// Not text.
    Binary,
    /// Text in another encoding than UTF-8.
    NotUtf8 {
        /// What was found.
        found: String,
    },
    /// A document format that is not read.
    UnsupportedFormat {
        /// The format's name.
        format: String,
    },
    /// Not among the extensions that were asked for.
    NotSelected,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::Unreadable { message } => write!(f, "could not be read: {message}"),
            SkipReason::NotAFile => f.write_str("is not a regular file"),
            SkipReason::SymbolicLink => f.write_str("is a symbolic link, and links are not followed"),
            SkipReason::LinkLoop => f.write_str("is a symbolic link to a folder it lies in"),
            SkipReason::PathNotUtf8 => f.write_str("its path is not valid UTF-8"),
            SkipReason::TooLarge { bytes, limit } => write!(f, "has {bytes} bytes, the limit is {limit}"),
            SkipReason::Empty => f.write_str("holds no text"),
            SkipReason::Binary => f.write_str("is not text"),
            SkipReason::NotUtf8 { found } => write!(f, "is not UTF-8: {found}; convert it"),
            SkipReason::UnsupportedFormat { format } => {
                write!(f, "is {format}, a format that is not read; convert it to text, Markdown or HTML")
            }
            SkipReason::NotSelected => f.write_str("its extension was not asked for"),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.document, self.reason)
    }
}
