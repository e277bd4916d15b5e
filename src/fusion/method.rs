//! Fusion methods.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How the lexical and the dense score of a hit are combined into the score it is ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", from = "Stored")]
#[non_exhaustive]
pub enum Fusion {
    /// `dense_weight · dense + (1 − dense_weight) · lexical`: the cosine, and BM25 divided by the score of a
    /// hypothetical chunk that has all words of the query.
    Convex {
        /// The share of the dense side, `0..=1`: 0 ranks by BM25 alone, 1 by the encoder alone.
        dense_weight: f32,
    },
    /// Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): the sum of `1 / (k + rank)` over both sides. Ranks
    /// count from 1, equal scores share the better rank, and chunks that match no term share the last one.
    Rrf {
        /// A higher k makes the first ranks stand out less. 60 in the paper.
        k: u32,
    },
}

impl std::fmt::Display for Fusion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fusion::Convex { dense_weight } => write!(f, "fusion with a dense weight of {dense_weight}"),
            Fusion::Rrf { k } => write!(f, "reciprocal rank fusion with k = {k}"),
        }
    }
}

impl Fusion {
    /// The default dense weight, before any was learnt: docs/benchmarks.md has the collections behind it.
    pub const DEFAULT_DENSE_WEIGHT: f32 = 0.55;

    /// Reciprocal rank fusion with the usual k = 60.
    pub const RRF: Fusion = Fusion::Rrf { k: 60 };

    /// Rejects a weight outside `0..=1` and a k of 0.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn validate(&self) -> Result<()> {
        match *self {
            Fusion::Convex { dense_weight } if !(0.0..=1.0).contains(&dense_weight) => {
                Err(Error::invalid("the dense weight", dense_weight, "a number from 0 to 1"))
            }
            Fusion::Rrf { k: 0 } => Err(Error::invalid("the k of rank fusion", 0, "at least 1 (usually 60)")),
            Fusion::Convex { .. } | Fusion::Rrf { .. } => Ok(()),
        }
    }

    /// The name: "convex" or "rrf".
    pub fn name(&self) -> &'static str {
        match self {
            Fusion::Convex { .. } => "convex",
            Fusion::Rrf { .. } => "rrf",
        }
    }
}

/// The convex combination with [`Fusion::DEFAULT_DENSE_WEIGHT`].
impl Default for Fusion {
    fn default() -> Self {
        Fusion::Convex { dense_weight: Fusion::DEFAULT_DENSE_WEIGHT }
    }
}

/// The stored form. Earlier versions also had a weight for each kind of query.
#[derive(Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
enum Stored {
    Convex { dense_weight: f32 },
    ByClass,
    Rrf { k: u32 },
}

impl From<Stored> for Fusion {
    fn from(stored: Stored) -> Fusion {
        match stored {
            Stored::Convex { dense_weight } => Fusion::Convex { dense_weight },
            Stored::Rrf { k } => Fusion::Rrf { k },
            Stored::ByClass => {
                tracing::warn!(
                    "fusion weights by kind of query are no longer supported; using the default weight"
                );
                Fusion::default()
            }
        }
    }
}
