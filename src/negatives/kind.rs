//! The sources of hard negatives.

use serde::{Deserialize, Serialize};

/// Where a hard negative comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NegativeKind {
    /// Users passed it over, or said that it does not answer the query.
    Confusable,
    /// The indexes find it near the query.
    Semantic,
    /// It is the positive with its key terms exchanged for those of another passage.
    Adversarial,
}

impl NegativeKind {
    /// `confusable`, `semantic` or `adversarial`.
    pub fn name(self) -> &'static str {
        match self {
            NegativeKind::Confusable => "confusable",
            NegativeKind::Semantic => "semantic",
            NegativeKind::Adversarial => "adversarial",
        }
    }
}
