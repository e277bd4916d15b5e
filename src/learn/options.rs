//! Options of a round.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::golden::GoldenQuery;
use super::tier::Tier;
use crate::error::{Error, Result};
use crate::negatives::NegativeCounts;
use crate::train::TrainOptions;

/// Time spent on training steps between two checkpoints.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(300);

/// The tiers that a round tries by itself.
const TIERS: [Tier; 2] = [Tier::Fusion, Tier::Encoder];
/// A night.
const REINDEX_BUDGET: Duration = Duration::from_secs(8 * 3600);

/// Options of a round. The defaults suit a log of a few dozen to a few thousand judged queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LearnOptions {
    /// The tiers to try, whatever they cost. By default (`None`) the fusion weight and the encoder; where a reindex
    /// takes longer than [`reindex_budget`](LearnOptions::reindex_budget), the query encoder in place of the encoder.
    pub tiers: Option<Vec<Tier>>,
    /// The longest time in which every chunk may be encoded anew, as another encoder needs it. The round estimates it
    /// from the speed with which it encodes a few of the chunks. Where it takes longer, the query encoder learns alone,
    /// and the report says so; the next round for which the estimate fits trains the encoder. Workers of a cluster
    /// count as further machines of that speed. `None`: no limit. Default: 8 hours.
    pub reindex_budget: Option<Duration>,
    /// Hard negatives of each training row, by source.
    pub negatives: NegativeCounts,
    /// A candidate is left out as a suspected answer if its cosine, minus that of the query's farthest positive, is
    /// above this quantile of all such differences in the round, 0 to 1. This applies to confusables too, but not to
    /// documents that a user called not relevant. By default, and with fewer than 50 differences, a semantic negative's
    /// cosine is limited to 0.95 of the positive's instead.
    pub suspect_quantile: Option<f32>,
    /// How the encoder is trained.
    pub train: TrainOptions,
    /// The gate's alpha budget: the probability that a generation is published which is no better, over all rounds
    /// since the last publication together. The k-th attempt may spend `significance · 6 / (π k)²` of it. `None`
    /// publishes whatever is not worse. Default 0.2.
    pub significance: Option<f64>,
    /// Queries that must not get worse. The gate rejects a round if their mean nDCG@10 falls by more than 0.02. A query
    /// without an answer in the index is left out.
    pub golden: Vec<GoldenQuery>,
    /// Number of threads, 1 or more. Default: all processors, and in the background all but one.
    pub threads: Option<usize>,
    #[serde(skip)]
    pub(crate) checkpoint_interval: Interval,
}

/// The time between two checkpoints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval(pub(crate) Duration);

impl Default for Interval {
    fn default() -> Self {
        Interval(CHECKPOINT_INTERVAL)
    }
}

impl Default for LearnOptions {
    fn default() -> Self {
        LearnOptions {
            tiers: None,
            reindex_budget: Some(REINDEX_BUDGET),
            negatives: NegativeCounts::default(),
            suspect_quantile: None,
            train: TrainOptions::default(),
            significance: Some(0.2),
            golden: Vec::new(),
            threads: None,
            checkpoint_interval: Interval::default(),
        }
    }
}

impl LearnOptions {
    /// Sets [`tiers`](LearnOptions::tiers).
    pub fn with_tiers(mut self, tiers: &[Tier]) -> Self {
        self.tiers = Some(tiers.to_vec());
        self
    }

    /// Sets [`reindex_budget`](LearnOptions::reindex_budget).
    pub fn with_reindex_budget(mut self, budget: Option<Duration>) -> Self {
        self.reindex_budget = budget;
        self
    }

    /// Sets [`negatives`](LearnOptions::negatives).
    pub fn with_negatives(mut self, negatives: NegativeCounts) -> Self {
        self.negatives = negatives;
        self
    }

    /// Sets [`suspect_quantile`](LearnOptions::suspect_quantile).
    pub fn with_suspect_quantile(mut self, quantile: Option<f32>) -> Self {
        self.suspect_quantile = quantile;
        self
    }

    /// Sets [`train`](LearnOptions::train).
    pub fn with_train(mut self, train: TrainOptions) -> Self {
        self.train = train;
        self
    }

    /// Sets [`significance`](LearnOptions::significance).
    pub fn with_significance(mut self, significance: Option<f64>) -> Self {
        self.significance = significance;
        self
    }

    /// Sets [`golden`](LearnOptions::golden).
    pub fn with_golden(mut self, queries: Vec<GoldenQuery>) -> Self {
        self.golden = queries;
        self
    }

    /// Sets [`threads`](LearnOptions::threads).
    pub fn with_threads(mut self, threads: Option<usize>) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the time between checkpoints. For tests: five minutes suit everything else.
    #[doc(hidden)]
    pub fn with_checkpoint_interval(mut self, interval: Duration) -> Self {
        self.checkpoint_interval = Interval(interval);
        self
    }

    /// # Errors
    /// [`Error::Invalid`] names the first invalid option.
    pub fn validate(&self) -> Result<()> {
        if let Some(quantile) = self.suspect_quantile.filter(|quantile| !(0.0..=1.0).contains(quantile)) {
            return Err(Error::invalid("the quantile above which answers are suspected", quantile, "0 to 1"));
        }
        if let Some(level) = self.significance.filter(|level| !(*level > 0.0 && *level <= 1.0)) {
            return Err(Error::invalid("the gate's alpha budget", level, "above 0, at most 1"));
        }
        if self.threads == Some(0) {
            return Err(Error::invalid("the number of threads", 0, "1 or more"));
        }
        self.golden.iter().try_for_each(GoldenQuery::validate)?;
        self.train.validate()
    }

    /// Whether a round tries a tier, if it can afford it.
    pub(super) fn tries(&self, tier: Tier) -> bool {
        self.tiers.as_deref().unwrap_or(&TIERS).contains(&tier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_options_are_refused() {
        let golden = GoldenQuery { text: "q".into(), relevant: Vec::new() };
        for options in [
            LearnOptions::default().with_significance(Some(0.0)),
            LearnOptions::default().with_suspect_quantile(Some(1.5)),
            LearnOptions::default().with_threads(Some(0)),
            LearnOptions::default().with_golden(vec![golden]),
            LearnOptions::default().with_train(TrainOptions::default().with_batch_size(1)),
        ] {
            assert!(matches!(options.validate(), Err(Error::Invalid { .. })), "{options:?}");
        }
        assert!(LearnOptions::default().validate().is_ok());
    }
}
