//! What stands in a file and is no passage: tables of contents, indexes, embedded data, and placeholders for text that
//! is still to be written.
//!
//! Tables of contents and placeholders hold the words of the passages that they announce, in few words, and would stand
//! above them.

mod book_index;
mod data;
mod lines;
mod links;
mod pages;
mod placeholder;
mod titles;

pub(super) use book_index::in_lines as indexes_in_lines;
pub(super) use data::{base64_length, embedded_data};
pub(super) use lines::in_lines;
pub(super) use links::{LinkShare, is_internal};
pub(super) use placeholder::is_placeholder;
#[cfg(feature = "formats")]
pub(super) use titles::is_index_title;
pub(super) use titles::{WITHIN, announces};
