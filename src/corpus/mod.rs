//! Turns folders into files, text and chunks, with the byte range of every chunk in its file.
//!
//! [`Scan`] walks a folder in a fixed order and reports each file as unchanged, changed or skipped; [`FileReader`]
//! reads those that changed. [`chunk_text`] chunks one text that the application supplies.
//!
//! The path of a file: `walk` finds it, unless it is `left_out`. `read` and `encoding` return its text or a reason to
//! skip it; what is not text goes to the extractor, and `foreign` takes what comes back. A reader for each format
//! extracts the readable text, its headings and its tables of contents: `markdown`, `html`, `latex`, `json` and others,
//! `source` for code. `pack` groups sections and cuts long ones. `chunk` puts title, text, range and digest together,
//! `line_numbers` where it stands.

mod asciidoc;
mod book_index;
mod builder;
mod chunk;
mod config;
mod contents;
mod declared;
mod encoding;
mod foreign;
mod format;
mod front_matter;
#[cfg(feature = "formats")]
mod grammar;
#[cfg(feature = "formats")]
mod html;
#[cfg(feature = "formats")]
mod html_meta;
#[cfg(feature = "formats")]
mod html_tags;
#[cfg(feature = "formats")]
mod html_text;
mod json;
mod latex;
mod latex_commands;
mod left_out;
mod lengths;
#[cfg(feature = "formats")]
mod licence;
mod line_numbers;
mod lines;
mod man;
mod markdown;
mod mdoc;
mod notebook;
mod options;
mod org;
mod outline;
mod pack;
mod plausible;
mod positions;
mod read;
mod roff;
mod scan;
mod settings;
mod sizer;
mod skip;
#[cfg(feature = "formats")]
mod source;
mod stamp;
mod subtitles;
#[cfg(feature = "formats")]
mod table;
#[cfg(test)]
mod tests;
mod underline;
mod walk;

pub(crate) use chunk::{Chunk, chunk_text, whole_text};
pub(crate) use config::{CONFIG, Config};
pub use format::Format;
pub(crate) use left_out::may_hold_documents;
pub(crate) use lengths::Lengths;
pub use options::CorpusOptions;
pub(crate) use scan::{ChangedFile, ChunkedDocument, FileReader, Scan, Scanned, Seen, reading_digest};
pub use skip::{SkipReason, Skipped};
pub(crate) use stamp::Stamp;

/// Counts the tokens of a text as the encoder sees them, without special tokens.
pub(crate) type TokenCounter<'a> = &'a dyn Fn(&str) -> usize;
