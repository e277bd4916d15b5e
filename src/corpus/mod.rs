//! Turns folders into files, text and chunks, with the byte range of every chunk in its file.
//!
//! [`scan_folder`] walks a folder in a fixed order and reports each file as unchanged, changed or skipped.
//! [`chunk_text`] chunks one text that the application supplies. Only one file is in memory at a time.
//!
//! The path of a file: `walk` finds it. `read` returns UTF-8 or a reason to skip it. `markdown`, `html` and `underline`
//! extract the readable text and its headings. `pack` groups sections and cuts long ones. `chunk` puts title, text,
//! range and digest together.

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

/// Counts the tokens of a text as the encoder sees them, without special tokens.
pub(crate) type TokenCounter<'a> = &'a dyn Fn(&str) -> usize;
