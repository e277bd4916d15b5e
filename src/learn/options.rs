//! How a round of learning goes.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::train::TrainOptions;

/// Options of a round. The defaults suit a log of a few dozen to a few thousand judged queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LearnOptions {
    /// The optimiser's part.
    pub train: TrainOptions,
    /// Share of the judged queries that is never trained on and judges the new generation. Chosen by a hash of the
    /// normalised query text, so that a query never wanders from one side to the other. Default 0.2.
    pub held_out_share: f32,
    /// Fewer judged queries than this to train on: the round is skipped. Default 8.
    pub min_queries: usize,
    /// Fewer held-out queries than this: the gate could not tell, the round is skipped. Default 3.
    pub min_held_out: usize,
    /// Hard negatives a training row has at most, those with the strongest evidence. Default 3.
    pub negatives_per_query: usize,
    /// Whether the fusion weight is learnt from the judgements too. Default yes.
    pub learn_fusion: bool,
}

impl Default for LearnOptions {
    fn default() -> Self {
        LearnOptions {
            train: TrainOptions::default(),
            held_out_share: 0.2,
            min_queries: 8,
            min_held_out: 3,
            negatives_per_query: 3,
            learn_fusion: true,
        }
    }
}

impl LearnOptions {
    /// Sets [`train`](LearnOptions::train).
    pub fn with_train(mut self, train: TrainOptions) -> Self {
        self.train = train;
        self
    }

    /// Sets [`held_out_share`](LearnOptions::held_out_share).
    pub fn with_held_out_share(mut self, share: f32) -> Self {
        self.held_out_share = share;
        self
    }

    /// Sets [`min_queries`](LearnOptions::min_queries).
    pub fn with_min_queries(mut self, queries: usize) -> Self {
        self.min_queries = queries;
        self
    }

    /// Sets [`min_held_out`](LearnOptions::min_held_out).
    pub fn with_min_held_out(mut self, queries: usize) -> Self {
        self.min_held_out = queries;
        self
    }

    /// Sets [`negatives_per_query`](LearnOptions::negatives_per_query).
    pub fn with_negatives_per_query(mut self, negatives: usize) -> Self {
        self.negatives_per_query = negatives;
        self
    }

    /// Sets [`learn_fusion`](LearnOptions::learn_fusion).
    pub fn with_learn_fusion(mut self, learn: bool) -> Self {
        self.learn_fusion = learn;
        self
    }

    /// # Errors
    /// [`Error::Invalid`] for a share outside 0.05 to 0.9, for minima of zero, and for unusable training options.
    pub fn validate(&self) -> Result<()> {
        if !(0.05..=0.9).contains(&self.held_out_share) {
            return Err(Error::invalid("the held-out share", self.held_out_share, "0.05 to 0.9"));
        }
        if self.min_queries == 0 || self.min_held_out == 0 {
            return Err(Error::invalid("the least number of judged queries", 0, "1 or more, on both sides"));
        }
        self.train.validate()
    }
}
