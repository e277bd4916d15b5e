//! The number of hard negatives per training row from each source.

use serde::{Deserialize, Serialize};

/// Hard negatives per training row, by source. If a source runs short, the others fill in, in this order; a source set
/// to 0 yields nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NegativeCounts {
    /// Documents that users passed over. Default 2.
    pub confusable: usize,
    /// Passages that the indexes find near the query. Default 1.
    pub semantic: usize,
    /// The positive with its numbers, names and rare words replaced. Default 0.
    pub adversarial: usize,
}

impl Default for NegativeCounts {
    fn default() -> Self {
        NegativeCounts { confusable: 2, semantic: 1, adversarial: 0 }
    }
}

impl NegativeCounts {
    /// Sets the count of each source.
    pub fn new(confusable: usize, semantic: usize, adversarial: usize) -> NegativeCounts {
        NegativeCounts { confusable, semantic, adversarial }
    }

    pub(super) fn total(&self) -> usize {
        self.confusable + self.semantic + self.adversarial
    }
}
