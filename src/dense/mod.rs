//! The dense index: vectors in a memory-mapped file, searched exactly or through proximity graphs.
//!
//! A folder holds
//!
//! | file | content |
//! |---|---|
//! | `dense.json` | envelope: the options chosen at creation |
//! | `vectors.bin` | the vectors, append-only, bf16, bound to the weights that made them ([`vectors`]) |
//! | `graph-N/` | a segment: an HNSW graph over consecutive rows ([`segment`]) |
//!
//! The vectors are the source of truth. Segments are sealed and merged geometrically ([`tiers`], [`merge`]); the rows
//! after the last one are found through an index in memory ([`live`]) or scored one by one. Any of these may be
//! missing, damaged or behind: they only propose candidates, scores always come from the vectors, and rows that none of
//! them finds are scored exactly. The room does not know which chunks are alive: a [`DenseView`] is made for a list of
//! them.

mod bits;
mod code;
mod coverage;
mod directory;
mod exact;
mod grow;
mod hnsw;
mod index;
mod kernel;
mod live;
mod merge;
mod options;
mod segment;
mod tiers;
mod unit;
mod vectors;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use index::DenseIndex;
pub(crate) use merge::{Merge, Merged};
pub(crate) use options::DenseOptions;
#[cfg(feature = "opensearch")]
pub(crate) use vectors::as_stored;
pub(crate) use view::DenseView;
