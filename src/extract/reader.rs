//! What all readers of this room have in common.

use std::io::{self, Read, Seek};

use super::text::{ExtractedText, Unreadable};
use crate::place::Place;

/// The bytes of a file: on disk, or in the memory of whoever has unpacked it.
pub(super) trait Source: Read + Seek {}

impl<S: Read + Seek + ?Sized> Source for S {}

/// Bytes of a document or a member, which is held in memory as a whole.
pub(super) const MOST_DOCUMENT_BYTES: u64 = 256 << 20;

/// How a format is read.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// A document.
    Document(fn(&[u8]) -> Result<ExtractedText, Unreadable>),
    /// A document that may have files attached, as a message has. Its own text is what the function returns.
    WithAttachments(fn(&[u8], &mut dyn Members) -> Result<ExtractedText, Unreadable>),
    /// A container without a text of its own: an archive, a mailbox. It is never in memory as a whole.
    Container(fn(&mut dyn Source, &mut dyn Members) -> Result<(), Unreadable>),
}

/// A file that lies in a container.
pub(super) struct Member<'a> {
    /// Its path in the container, with `/` separators. Any path is allowed: who takes it makes it safe and unique.
    pub(super) path: &'a str,
    /// Where in the container it stands, where the format counts: the message of a mailbox.
    pub(super) place: Place,
    pub(super) bytes: &'a [u8],
}

/// Takes what lies in a container, one at a time.
pub(super) trait Members {
    /// A file. It is read as if it lay in a folder, by its content and by the extension of its path.
    ///
    /// # Errors
    /// If a bound is reached: return it, the rest of the container is not read.
    fn take(&mut self, member: Member<'_>) -> Result<(), Unreadable>;

    /// A file that is there and can't be had, such as an encrypted entry.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    fn refuse(&mut self, path: &str, why: Unreadable) -> Result<(), Unreadable>;
}

/// Reads all of an unpacked part of a file.
///
/// # Errors
/// [`Unreadable::TooLarge`] above `limit` bytes, whatever the file says about the part's size.
pub(super) fn read_bounded(part: &mut dyn Read, what: &str, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    part.take(limit + 1).read_to_end(&mut bytes).map_err(|error| malformed(what, &error))?;
    if bytes.len() as u64 > limit {
        return Err(Unreadable::TooLarge(format!("{what} of more than {} MiB", limit >> 20)));
    }
    Ok(bytes)
}

/// A part of the file that can't be unpacked.
pub(super) fn malformed(what: &str, error: &io::Error) -> Unreadable {
    Unreadable::Malformed(format!("{what} can't be unpacked: {error}"))
}
