//! Rounds of learning.

use serde::{Deserialize, Serialize};

use crate::ids::GenerationId;
use crate::learn::Decision;

/// `GET rounds`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoundsAnswer {
    /// The first one first.
    pub rounds: Vec<Round>,
}

impl From<Vec<Round>> for RoundsAnswer {
    fn from(rounds: Vec<Round>) -> RoundsAnswer {
        RoundsAnswer { rounds }
    }
}

/// What a round has come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Round {
    /// Its number, from 1.
    pub round: u64,
    /// When it began, in milliseconds since 1970; 0 in reports of older versions.
    pub at: u64,
    /// What the gate decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// nDCG@10 on the held-out queries before the round, 0 to 1, if it was measured.
    pub before: Option<f64>,
    /// The same after it.
    pub after: Option<f64>,
    /// The p-value of the paired test.
    pub p: Option<f64>,
    /// Whether picks decided, on trial, or still decide. The held-out queries were picked from what answered before:
    /// they can't tell whether such a round has made answers better.
    #[serde(default)]
    pub by_picks: bool,
    /// What was published: `fusion`, `query_side` or `encoder`.
    pub published: Option<String>,
    /// The generation that answers after the round.
    pub generation: GenerationId,
    /// Queries with judgements that it learnt from.
    pub examples: usize,
    /// Queries that were held out.
    pub held_out: usize,
    /// Seconds that it took.
    pub seconds: f64,
    /// The held-out queries that gained most.
    pub queries_won: Vec<RoundQuery>,
    /// Those that lost most.
    pub queries_lost: Vec<RoundQuery>,
}

/// A held-out query before and after a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoundQuery {
    /// Its text.
    pub query: String,
    /// The rank of the first right document before, if among the first 20.
    pub before: Option<usize>,
    /// The same after.
    pub after: Option<usize>,
    /// The first documents before.
    pub first_before: Vec<String>,
    /// The first documents after.
    pub first_after: Vec<String>,
}
