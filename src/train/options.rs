//! Options of fine-tuning.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gradient_negatives;
use super::scope::NegativeScope;
use crate::error::{Error, Result};

/// Options of fine-tuning. Other settings are constants where they are used, with sentence-transformers' value or the
/// one from docs/experiments.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TrainOptions {
    /// Rows per batch, 2 or more: each row uses the other rows' positives as negatives. Memory does not grow with it.
    /// Default 16.
    pub batch_size: usize,
    /// Peak learning rate. Default 1e-4, because a round has tens of steps: sentence-transformers' 2e-5 teaches too
    /// little.
    pub learning_rate: f64,
    /// Seed for the order of rows, the sampled queries and other random choices. Default 42.
    pub seed: u64,
    /// Which anchors see a row's hard negatives. Default: measured, see [`NegativeScope::Auto`].
    pub scope: NegativeScope,
    /// Number of lowest layers to freeze, together with the embeddings and the position biases; 0 trains everything.
    /// The output of frozen layers is computed once per text and kept in a temporary file, 3 kB a token. Default: half
    /// of the layers, which halves the time and teaches as much.
    pub frozen_layers: Option<usize>,
    /// Adds gradient negatives: hard negatives displaced towards their anchors in the embedding space. The value is the
    /// distance as a share of the length of a text's embeddings, above 0 to 1. Default: none.
    pub gradient_negatives: Option<f32>,
    /// Limits the training time. If the steps don't fit at their measured pace, there are fewer, and the learning rate
    /// decays within the limit; the result then depends on the machine's speed. At least one step is made. Default: no
    /// limit.
    pub time_limit: Option<Duration>,
    #[serde(skip)]
    pub(crate) epochs: Epochs,
}

/// Passes over the training rows. Two teach less than one (docs/benchmarks.md): rows repeat from round to round anyway.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Epochs(pub(crate) usize);

impl Default for Epochs {
    fn default() -> Self {
        Epochs(1)
    }
}

impl Default for TrainOptions {
    fn default() -> Self {
        TrainOptions {
            batch_size: 16,
            learning_rate: 1e-4,
            seed: 42,
            scope: NegativeScope::Auto,
            frozen_layers: None,
            gradient_negatives: None,
            time_limit: None,
            epochs: Epochs::default(),
        }
    }
}

impl TrainOptions {
    /// Sets [`batch_size`](TrainOptions::batch_size).
    pub fn with_batch_size(mut self, rows: usize) -> Self {
        self.batch_size = rows;
        self
    }

    /// Sets [`learning_rate`](TrainOptions::learning_rate).
    pub fn with_learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets [`seed`](TrainOptions::seed).
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets [`scope`](TrainOptions::scope).
    pub fn with_scope(mut self, scope: NegativeScope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets [`frozen_layers`](TrainOptions::frozen_layers).
    pub fn with_frozen_layers(mut self, layers: usize) -> Self {
        self.frozen_layers = Some(layers);
        self
    }

    /// Sets [`gradient_negatives`](TrainOptions::gradient_negatives).
    pub fn with_gradient_negatives(mut self, epsilon: Option<f32>) -> Self {
        self.gradient_negatives = epsilon;
        self
    }

    /// Sets [`time_limit`](TrainOptions::time_limit).
    pub fn with_time_limit(mut self, limit: Option<Duration>) -> Self {
        self.time_limit = limit;
        self
    }

    /// Sets the passes over the training rows, 1 or more. For tests and benchmarks: one suits everything else.
    #[doc(hidden)]
    pub fn with_epochs(mut self, epochs: usize) -> Self {
        self.epochs = Epochs(epochs);
        self
    }

    /// # Errors
    /// [`Error::Invalid`] with the first invalid option.
    pub fn validate(&self) -> Result<()> {
        if self.batch_size < 2 {
            let expected = "2 or more: rows are each other's negatives";
            return Err(Error::invalid("the batch size", self.batch_size, expected));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Err(Error::invalid("the learning rate", self.learning_rate, "a positive number"));
        }
        if self.time_limit == Some(Duration::ZERO) {
            return Err(Error::invalid("the time limit of training", "none", "more than 0 seconds"));
        }
        self.gradient_negatives.map_or(Ok(()), gradient_negatives::validate)
    }
}
