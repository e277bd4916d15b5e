//! The tiers: what a round can publish.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of change that a round can publish, from the cheapest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tier {
    /// Another fusion weight. Every vector stays.
    Fusion,
    /// A query encoder, trained against the documents' vectors. Every vector stays.
    QuerySide,
    /// Another encoder, with all vectors rebuilt.
    Encoder,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tier::Fusion => "a fusion weight",
            Tier::QuerySide => "a query encoder",
            Tier::Encoder => "an encoder",
        })
    }
}

impl Tier {
    /// All tiers, in the order in which they are tried.
    pub const ALL: [Tier; 3] = [Tier::Fusion, Tier::QuerySide, Tier::Encoder];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Fusion => "fusion",
            Tier::QuerySide => "query_side",
            Tier::Encoder => "encoder",
        }
    }

    /// Whether the tier trains something.
    pub(super) fn is_trained(self) -> bool {
        self != Tier::Fusion
    }
}
