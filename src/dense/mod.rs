//! The dense index: vectors in a memory-mapped file, searched exactly or through a proximity graph.
//!
//! A folder holds
//!
//! | file | content |
//! |---|---|
//! | `dense.json` | envelope: the options chosen at creation |
//! | `vectors.bin` | the vectors, append-only, bf16, bound to the weights that made them ([`vectors`]) |
//! | `graph-N/` | an HNSW graph over a prefix of the rows, with an envelope that says which ([`graph`]) |
//!
//! The vectors are the truth; a graph is an aid that may be missing, damaged or behind. It only proposes candidates:
//! scores always come from the vectors, rows that it does not cover are searched exactly, and when it proposes too
//! little the search is exact. Which chunks are alive is not known here: a [`DenseView`] is made for a list of them.

mod build;
mod code;
mod directory;
mod exact;
mod graph;
mod grow;
mod hnsw;
mod index;
mod kernel;
mod options;
mod unit;
mod vectors;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use index::DenseIndex;
pub(crate) use options::DenseOptions;
pub(crate) use view::DenseView;
