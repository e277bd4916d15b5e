//! Turns folders into files, text and chunks, with the byte range of every chunk in its file.
//!
//! [`FileReader`] walks a folder in a fixed order, reports each file as unchanged, changed or skipped, and reads those
//! that changed. [`chunk_text`] chunks one text that the application supplies. Only one file is in memory at a time.
//!
//! The path of a file: `walk` finds it, unless it is `left_out`. `read` and `encoding` return its text or a reason to
//! skip it; what is not text goes to the extractor, and `foreign` takes what comes back. `markdown`, `html`, `notebook`
//! and `underline` extract the readable text, its headings and its tables of contents. `pack` groups sections and cuts long ones. `chunk` puts title, text, range and digest together.

mod chunk;
mod contents;
mod encoding;
mod foreign;
mod format;
mod html;
mod html_tags;
mod html_text;
mod left_out;
mod lengths;
mod markdown;
mod notebook;
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
pub(crate) use lengths::Lengths;
pub use options::CorpusOptions;
pub(crate) use scan::{ChangedFile, ChunkedDocument, FileReader, Scanned};
pub use skip::{SkipReason, Skipped};

/// Counts the tokens of a text as the encoder sees them, without special tokens.
pub(crate) type TokenCounter<'a> = &'a dyn Fn(&str) -> usize;
