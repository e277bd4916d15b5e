//! How much of an index has vectors.

use serde::{Deserialize, Serialize};

/// How much of an index has vectors. Chunks without one yet are found by their words alone, and ranked among the others
/// without favouring either; a dense search doesn't find them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Coverage {
    /// Chunks that have a vector.
    pub encoded: usize,
    /// All chunks.
    pub chunks: usize,
}

impl Coverage {
    /// Whether each chunk has a vector.
    pub fn is_complete(&self) -> bool {
        self.encoded == self.chunks
    }

    /// The share of the chunks that have a vector, 0 to 1; 1 of none.
    pub fn share(&self) -> f64 {
        if self.chunks == 0 { 1.0 } else { self.encoded as f64 / self.chunks as f64 }
    }
}
