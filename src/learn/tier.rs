//! What a round can publish.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a round can publish, the cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tier {
    /// Another weight of the two sides. Every vector stays.
    Fusion,
    /// Another encoder of queries, trained against the documents' vectors as they are. Every vector stays.
    QuerySide,
    /// Another encoder, and all vectors anew.
    Encoder,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tier::Fusion => "a fusion weight",
            Tier::QuerySide => "an encoder of queries",
            Tier::Encoder => "an encoder",
        })
    }
}

impl Tier {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Tier; 3] = [Tier::Fusion, Tier::QuerySide, Tier::Encoder];

    /// The name as it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Fusion => "fusion",
            Tier::QuerySide => "query_side",
            Tier::Encoder => "encoder",
        }
    }

    /// Whether something is trained for it.
    pub(super) fn is_trained(self) -> bool {
        self != Tier::Fusion
    }
}
