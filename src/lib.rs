//! retune: an embedded search engine that learns from what it confuses.

#![deny(missing_docs, unsafe_op_in_unsafe_fn, clippy::unwrap_used)]
#![allow(dead_code, unused_imports)] // while the rooms are built

mod corpus;
mod dense;
pub mod encoder;
mod engine;
mod error;
pub mod eval;
mod feedback;
mod fusion;
mod generation;
mod ids;
mod learn;
mod lexical;
mod negatives;
mod search;
mod storage;
mod train;

pub use error::{Error, Result};
pub use ids::{ChunkId, Digest, GenerationId, QueryId};
