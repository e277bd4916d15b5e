//! Confidence intervals of the gate's figures.

use serde::{Deserialize, Serialize};

use crate::eval::Interval;

/// The 95 % confidence intervals of the figures on the held-out queries. They cover only the choice of queries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateIntervals {
    /// The hybrid.
    pub hybrid: RankingIntervals,
    /// The vectors alone.
    pub dense: RankingIntervals,
}

/// The intervals of [`RankingScores`](super::RankingScores).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RankingIntervals {
    /// Of MRR@10.
    #[serde(rename = "mrr@10")]
    pub mrr_10: ChangeIntervals,
    /// Of nDCG@10.
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: ChangeIntervals,
    /// Of GMAP@20.
    #[serde(rename = "gmap@20")]
    pub gmap_20: ChangeIntervals,
}

/// The intervals of a figure before and after, and of its change on the same queries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangeIntervals {
    /// The serving generation.
    pub before: Interval,
    /// The new generation.
    pub after: Interval,
    /// The new generation's figure minus the serving one's.
    pub change: Interval,
}
