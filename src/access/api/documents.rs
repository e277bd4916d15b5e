//! Reading and listing documents.

use serde::{Deserialize, Serialize};

use super::search::At;
use crate::ids::{ChunkId, QueryId};

/// `GET read`. Without a part that is asked for, the beginning.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReadRequest {
    /// The document.
    pub document: String,
    /// The passage to read around, as an answer names it. It is marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<ChunkId>,
    /// The passage to read on behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ChunkId>,
    /// The line to read from, of text files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// How many lines from there on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The most characters, 1 to 100,000. Default 20,000. At least one passage is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
    /// As much of the whole document as `max` allows, from its beginning. `max` is 100,000 then, unless it is given.
    #[serde(default)]
    pub whole: bool,
    /// The answer that led here: the document is noted as opened for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_id: Option<QueryId>,
}

impl ReadRequest {
    /// The beginning of a document.
    pub fn new(document: impl Into<String>) -> ReadRequest {
        ReadRequest { document: document.into(), ..ReadRequest::default() }
    }
}

/// Consecutive passages of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadAnswer {
    /// The document's id.
    pub document: String,
    /// Its title, or the name of its file.
    pub title: String,
    /// The file's extension in lower case.
    pub kind: String,
    /// The document's day.
    pub date: Option<String>,
    /// Where its file lies, or the archive that holds it, if it came from a folder.
    pub path: Option<String>,
    /// Whether `GET file` has its bytes.
    pub file: bool,
    /// The line that the first passage begins on, of text files.
    pub first_line: Option<u32>,
    /// The line that the last passage ends on.
    pub last_line: Option<u32>,
    /// The last line of the last passage of all.
    pub lines: Option<u32>,
    /// What is left out.
    pub cut: Cut,
    /// The passages in order.
    pub passages: Vec<ReadPassage>,
}

/// Whether passages are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cut {
    /// Before the first one.
    pub before: bool,
    /// Behind the last one.
    pub after: bool,
}

/// A passage of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadPassage {
    /// Its id.
    pub passage: ChunkId,
    /// The headings that it stands under, or the title.
    pub heading: String,
    /// The text.
    pub text: String,
    /// Where it begins in the file.
    pub place: At,
    /// Whether it is the one that was asked for.
    pub marked: bool,
}

/// `GET files`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FilesRequest {
    /// Only documents behind this id: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Documents of a page, 1 to 1,000. Default 100.
    pub limit: usize,
}

impl FilesRequest {
    /// The most documents of a page.
    pub(crate) const MOST: usize = 1000;
}

impl Default for FilesRequest {
    fn default() -> FilesRequest {
        FilesRequest { after: None, limit: 100 }
    }
}

/// One page of the documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FilesAnswer {
    /// In the order of their ids.
    pub documents: Vec<ListedDocument>,
    /// What the last run over the folders passed over, by reasons, most first. On the first page only.
    pub passed_over: Vec<PassedOver>,
    /// Where the next page begins; none on the last one.
    pub next: Option<String>,
}

/// A document of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListedDocument {
    /// Its id.
    pub document: String,
    /// Its title, or the name of its file.
    pub title: String,
    /// The file's extension in lower case.
    pub kind: String,
    /// The day on which its file was changed.
    pub modified: Option<String>,
    /// Its passages.
    pub passages: usize,
    /// How many of them have vectors.
    pub covered: usize,
}

/// Files that were passed over for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PassedOver {
    /// In a few words.
    pub reason: String,
    /// How many.
    pub count: usize,
    /// Some of them.
    pub examples: Vec<String>,
}
