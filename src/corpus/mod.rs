//! Turns folders into files, text and chunks, with the byte range of every chunk in its file.
//!
//! [`Scan`] walks a folder in a fixed order and reports each file as unchanged, changed or skipped; [`FileReader`]
//! reads those that changed. [`chunk_text`] chunks one text that the application supplies.
//!
//! The path of a file: `walk` finds it, unless it is `left_out`. `read` and `encoding` return its text or a reason to
//! skip it; what is not text goes to the extractor, and `foreign` takes what comes back. `formats` has a reader for
//! each format of text, which finds its readable text, its headings and its tables of contents. `pack` groups sections
//! and cuts long ones. `chunk` puts title, text, range and digest together, `line_numbers` where it stands.

mod chunk;
mod config;
mod contents;
mod encoding;
mod file_reader;
mod fits;
mod foreign;
mod format;
mod formats;
mod left_out;
mod lengths;
mod line_numbers;
mod lines;
mod options;
mod outline;
mod pack;
mod pattern;
mod positions;
mod read;
mod scan;
mod sizer;
mod skip;
mod stamp;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use chunk::{Chunk, chunk_text, whole_text};
pub(crate) use config::{CONFIG, Config};
pub(crate) use file_reader::{ChunkedDocument, FileRead, FileReader, reading_digest};
pub(crate) use fits::Fits;
pub use format::Format;
pub(crate) use left_out::may_hold_documents;
pub(crate) use lengths::Lengths;
pub use options::CorpusOptions;
pub(crate) use scan::{ChangedFile, Scan, Scanned, Seen};
pub use skip::{SkipReason, Skipped};
pub(crate) use stamp::Stamp;

/// Counts the tokens of a text as the encoder sees them, without special tokens.
pub(crate) type TokenCounter<'a> = &'a dyn Fn(&str) -> usize;
