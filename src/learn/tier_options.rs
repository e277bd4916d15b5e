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
    /// Peak learning rate. Default 2e-5, which has not been measured.
    pub learning_rate: f64,
}

impl Default for QuerySideOptions {
    fn default() -> Self {
        QuerySideOptions { epochs: 3, learning_rate: 2e-5 }
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
