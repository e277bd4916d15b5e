//! Folders to files to text to chunks, with the byte range of every chunk in its file.
//!
//! [`scan_folder`] walks a folder in a fixed order and says of each file what an index has to do with it;
//! [`chunk_text`] does the same for one text that an application hands over. One file is in memory at a time.
//!
//! The way of a file: `walk` names it, `read` turns bytes into UTF-8 or a reason to skip it, `markdown`, `html`
//! and `underline` find the readable text and its headings, `pack` groups sections and cuts long ones, and
//! `chunk` puts title, text, range and digest together.

mod chunk;
mod format;
mod html;
mod html_tags;
mod html_text;
mod markdown;
mod options;
mod outline;
mod pack;
mod positions;
mod read;
mod scan;
mod sizer;
mod skip;
#[cfg(test)]
mod tests;
mod underline;
mod walk;

pub(crate) use chunk::{Chunk, chunk_text, whole_text};
pub use format::Format;
pub use options::CorpusOptions;
pub(crate) use scan::{Scanned, scan_folder};
pub use skip::{SkipReason, Skipped};

/// Counts the tokens of a text, without special tokens: what the encoder would see of it.
pub(crate) type TokenCounter<'a> = &'a dyn Fn(&str) -> usize;
