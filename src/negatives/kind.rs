//! The sources of hard negatives.

use serde::{Deserialize, Serialize};

/// The source of a hard negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NegativeKind {
    /// Users passed it over, or judged it not relevant.
    Confusable,
    /// The indexes find it near the query.
    Semantic,
    /// It is the positive with its key terms replaced by those of another passage.
    Adversarial,
}

impl NegativeKind {
    /// The name: `confusable`, `semantic` or `adversarial`.
    pub fn name(self) -> &'static str {
        match self {
            NegativeKind::Confusable => "confusable",
            NegativeKind::Semantic => "semantic",
            NegativeKind::Adversarial => "adversarial",
        }
    }
}
