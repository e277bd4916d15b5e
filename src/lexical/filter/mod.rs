//! Filters over the fields of documents: their tree, their two written forms, and what they select.

mod asked;
mod parse;
mod select;
mod tree;
mod written;

#[cfg(feature = "opensearch")]
pub(super) use asked::{Asked, value_at};
pub use tree::Filter;
