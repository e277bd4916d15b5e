//! Options of the tiers between the fusion and the encoder.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::train::TrainOptions;

/// How the encoder of queries is trained; all else is as [`TrainOptions`] has it for the encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct QuerySideOptions {
    /// Passes over the examples, each of which encodes the queries alone. Default 3, which has not been measured.
    pub epochs: usize,
    /// Peak learning rate. Default 2e-5: with the encoder's 1e-4 the one round that was measured was rejected (docs/learning.md).
    pub learning_rate: f64,
}

impl Default for QuerySideOptions {
    fn default() -> Self {
        QuerySideOptions { epochs: 3, learning_rate: 2e-5 }
    }
}

/// How an adapter of the queries' vectors is fitted; all else is as [`TrainOptions`] has it for the encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AdapterOptions {
    /// Columns of each factor: in so many directions queries may move. Default 16, which has not been measured.
    pub rank: usize,
    /// Learning rate of every step. Default 1e-3, which has not been measured.
    pub learning_rate: f64,
    /// Steps at most; those that were best for a fifth of the queries, kept apart with all that share their answers, are made.
    /// Default 200.
    pub steps: usize,
    /// Rows of a batch. Default 128: the vectors are there, and each row more is another negative for the others.
    pub batch_size: usize,
}

impl Default for AdapterOptions {
    fn default() -> Self {
        AdapterOptions { rank: 16, learning_rate: 1e-3, steps: 200, batch_size: 128 }
    }
}

impl AdapterOptions {
    /// Sets [`rank`](AdapterOptions::rank).
    pub fn with_rank(mut self, rank: usize) -> Self {
        self.rank = rank;
        self
    }

    /// Sets [`learning_rate`](AdapterOptions::learning_rate).
    pub fn with_learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets [`steps`](AdapterOptions::steps).
    pub fn with_steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Sets [`batch_size`](AdapterOptions::batch_size).
    pub fn with_batch_size(mut self, rows: usize) -> Self {
        self.batch_size = rows;
        self
    }

    pub(super) fn training(&self, encoder: &TrainOptions) -> TrainOptions {
        let options = encoder.clone().with_learning_rate(self.learning_rate);
        // What is mixed or displaced changes with every step; batches here are laid out once.
        options.with_batch_size(self.batch_size).with_mixing(None).with_gradient_negatives(None)
    }

    /// # Errors
    /// [`Error::Invalid`] naming the first option that can't be used.
    pub fn validate(&self) -> Result<()> {
        if self.rank == 0 {
            return Err(Error::invalid("the rank of the adapter", 0, "1 or more"));
        }
        if self.steps == 0 {
            return Err(Error::invalid("the steps of the adapter", 0, "1 or more"));
        }
        if self.batch_size < 2 {
            return Err(Error::invalid("the rows of the adapter's batches", self.batch_size, "2 or more"));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Err(Error::invalid(
                "the learning rate of the adapter",
                self.learning_rate,
                "a positive number",
            ));
        }
        Ok(())
    }
}

impl QuerySideOptions {
    /// Sets [`epochs`](QuerySideOptions::epochs).
    pub fn with_epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Sets [`learning_rate`](QuerySideOptions::learning_rate).
    pub fn with_learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    pub(super) fn training(&self, encoder: &TrainOptions) -> TrainOptions {
        let options = encoder.clone().with_epochs(self.epochs).with_learning_rate(self.learning_rate);
        // Documents stand still: they can't be displaced, and this encoder's view of them says nothing.
        options.with_gradient_negatives(None).with_monitor_queries(0)
    }

    /// # Errors
    /// [`Error::Invalid`] naming the first option that can't be used.
    pub fn validate(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::invalid("the number of epochs of the query side", 0, "1 or more"));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            let found = self.learning_rate;
            return Err(Error::invalid("the learning rate of the query side", found, "a positive number"));
        }
        Ok(())
    }
}
