//! How many hard negatives a training row gets from each source.

use serde::{Deserialize, Serialize};

/// Hard negatives of a training row by source. What one source can't give, the others do, in this order; a source that
/// is asked for 0 gives none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NegativeCounts {
    /// What users passed over. Default 2.
    pub confusable: usize,
    /// What the indexes find near the query. Default 1.
    pub semantic: usize,
    /// The positive with its numbers, names and rare words exchanged. Default 0.
    pub adversarial: usize,
}

impl Default for NegativeCounts {
    fn default() -> Self {
        NegativeCounts { confusable: 2, semantic: 1, adversarial: 0 }
    }
}

impl NegativeCounts {
    /// So many of each source.
    pub fn new(confusable: usize, semantic: usize, adversarial: usize) -> NegativeCounts {
        NegativeCounts { confusable, semantic, adversarial }
    }

    pub(super) fn total(&self) -> usize {
        self.confusable + self.semantic + self.adversarial
    }
}
