//! What reads files that are not text, as an application sees it.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::Path;

use super::text::{ExtractedText, Unreadable};

/// Reads files that are not text.
///
/// What parses such formats can be made to crash, to loop and to eat memory by a file that somebody wrote for it, and
/// no library is free of that. [`ChildProcess`](super::ChildProcess) keeps it out of the application.
pub trait Extractor: Debug + Send + Sync {
    /// Reads a file and gives what it holds, in order: one document, or of a container each of its members. Ends when
    /// `give` breaks. May be called by several threads at a time.
    ///
    /// # Errors
    /// If the file as a whole can't be read, or not to its end. What was given stands.
    fn extract(&self, file: &Path, give: &mut dyn FnMut(Found) -> ControlFlow<()>) -> Result<(), Unreadable>;
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The path in the container, with `/` separators and without `..`; empty for the file itself. No two are the same.
    pub path: String,
    /// What it holds.
    pub content: Content,
}

/// What a file, or a member of a container, holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A document that is not text: its text.
    Extracted(ExtractedText),
    /// A text, as the bytes that lie in the container.
    Text(Vec<u8>),
    /// Nothing that can be used.
    Unreadable(Unreadable),
}
