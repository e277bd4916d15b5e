//! The vector index.
