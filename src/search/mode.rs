//! Which indexes answer.

use serde::{Deserialize, Serialize};

/// Which indexes answer a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// Both, fused.
    #[default]
    Hybrid,
    /// BM25 alone. The query is not encoded.
    Lexical,
    /// The vector index alone.
    Dense,
}

impl Mode {
    /// The name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Hybrid => "hybrid",
            Mode::Lexical => "lexical",
            Mode::Dense => "dense",
        }
    }
}
