//! How the encoder is fine-tuned.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gradient_negatives::GradientNegatives;
use super::mixing::Mixing;
use crate::encoder::EncoderPrecision;
use crate::error::{Error, Result};

/// Options of the optimiser and the loss. The defaults are sentence-transformers' but for what a round is different in: it
/// consists of a handful of steps, so that they are larger and none of the warm-up is wasted, and it must not forget, so that
/// half of the layers stand still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TrainOptions {
    /// Passes over the examples. Default 1.
    pub epochs: usize,
    /// Rows of a batch: each sees the other rows' positives as negatives. Default 16.
    pub batch_size: usize,
    /// Peak learning rate. Default 1e-4: of the tens of steps that a round has, sentence-transformers' 2e-5 makes too little
    /// (docs/learning.md).
    pub learning_rate: f64,
    /// Share of the steps in which the rate rises linearly to its peak, from above 0 since no step is to be wasted;
    /// afterwards it falls linearly towards 0. Default 0.1.
    pub warmup_ratio: f64,
    /// Decoupled weight decay (Loshchilov and Hutter, 2019), not applied to biases and layer norms. Default 0.01.
    pub weight_decay: f64,
    /// Gradients are scaled down to this L2 norm, over all variables together. Default 1.
    pub max_grad_norm: f64,
    /// Factor of the cosine in the loss: the inverse of a temperature. Default 20.
    pub scale: f64,
    /// Seed of the order of the examples. Default 42.
    pub seed: u64,
    /// Which anchors see a row's hard negatives. Default by corpus size.
    pub scope: NegativeScope,
    /// Texts are cut at so many tokens while training, the two special ones included: 3 or more. Default: the model's
    /// own limit.
    pub max_tokens: Option<usize>,
    /// What products are computed in: bf16 (the default) or f32; where the processor has no bf16, the better one that
    /// [`EncoderPrecision`] tells of. Parameters, their gradients and the optimiser's
    /// moments are f32 either way.
    pub precision: EncoderPrecision,
    /// So many of the lowest layers stay as they are, and with them the embeddings and the position biases. A step then
    /// takes less time and memory, and what they give for a text is computed once and kept in a temporary file (3 kB a
    /// token, in the system's folder for such files). With 0 everything learns. Default: half of the encoder's layers, with which
    /// queries that nobody has asked yet gain as much or more (docs/learning.md).
    pub frozen_layers: Option<usize>,
    /// A candidate that the guide (the serving encoder, which stands still) ranks above the positive less this margin of
    /// the cosine is hidden from the anchor as a suspected answer, unless it is the row's own hard negative. `None`: no
    /// candidate is. Default 0.
    pub guide_margin: Option<f32>,
    /// A candidate whose cosine to the positive, by the guide, is this or more counts as the positive and is hidden.
    /// Default 0.95.
    pub duplicate_cosine: f32,
    /// Two anchors whose cosine, by the guide, is this or more never share a batch. Default 0.9.
    pub similar_anchors: f32,
    /// Whether positives choose among the anchors too. Default off.
    pub bidirectional: Bidirectional,
    /// Whether the hardest candidates count more. Default no.
    pub hardness: Option<Hardness>,
    /// Training takes no longer than this, by the pace of its own steps: if they won't fit, it ends earlier, and the learning
    /// rate falls to its end by then. Pauses don't count. How many steps fit depends on the machine, so a seed alone no longer
    /// fixes the weights. One step is always made. Default: no limit.
    pub time_limit: Option<Duration>,
    /// Whether hard negatives are made by mixing others. Default no.
    pub mixing: Option<Mixing>,
    /// Whether hard negatives also count once they are displaced towards their anchors. Default no.
    pub gradient_negatives: Option<GradientNegatives>,
    /// Queries whose hard negatives are measured before training and after each epoch, drawn at random where there are
    /// more: see [`MonitorReport`](crate::MonitorReport). Each time their texts are encoded once, where a step takes each of its texts
    /// about three times as long; the weights don't depend on it. Default 64; 0 measures nothing.
    pub monitor_queries: usize,
}

/// Whether a positive is also asked which of the batch's anchors is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bidirectional {
    /// Only anchors choose, among documents.
    #[default]
    Off,
    /// The mean of the losses of both directions (the symmetric loss of sentence-transformers).
    PerDirection,
    /// One loss over the candidates of both directions (`directions` with `partition_mode="joint"` there).
    Joint,
}

/// `strength · cos` is added to the logits of some candidates, without a gradient, so that hard ones count more than
/// their share (`hardness_mode` and `hardness_strength` of sentence-transformers).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hardness {
    /// Which candidates.
    pub of: HardnessOf,
    /// Above 0; 5 to 9 in the literature.
    pub strength: f32,
}

/// Candidates that [`Hardness`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HardnessOf {
    /// Other rows' positives and hard negatives.
    InBatchNegatives,
    /// The row's own hard negatives.
    HardNegatives,
    /// All of them.
    AllNegatives,
}

/// Which anchors see a row's hard negatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NegativeScope {
    /// Every anchor of the batch, as in sentence-transformers: right in a corpus so large that a text picked at random
    /// is practically never an answer.
    Batch,
    /// Their own row's anchor alone; the other rows' positives still serve as negatives.
    OwnAnchor,
    /// [`Batch`](NegativeScope::Batch) from a million chunks on, and below where the guide suspects no more than 2 % of
    /// other rows' hard negatives; else [`OwnAnchor`](NegativeScope::OwnAnchor). In a small corpus about one thing what is
    /// confused with one query is too often a right answer to the next.
    #[default]
    Auto,
}

impl NegativeScope {
    /// What is taken in a corpus of so many chunks, and why; `suspected` is the share of other rows' hard negatives that
    /// may be answers, where that could be measured.
    pub(super) fn resolve(self, chunks: usize, suspected: Option<f64>) -> (NegativeScope, String) {
        const LARGE: usize = 1_000_000;
        const FEW: f64 = 0.02;
        let percent =
            |share: f64| format!("{:.1} % of other rows' hard negatives may be answers", 100.0 * share);
        match (self, suspected) {
            (NegativeScope::Auto, _) if chunks >= LARGE => {
                (NegativeScope::Batch, format!("the corpus has {chunks} chunks"))
            }
            (NegativeScope::Auto, Some(share)) if share <= FEW => (NegativeScope::Batch, percent(share)),
            (NegativeScope::Auto, Some(share)) => (NegativeScope::OwnAnchor, percent(share)),
            (NegativeScope::Auto, None) => {
                (NegativeScope::OwnAnchor, format!("the corpus has only {chunks} chunks"))
            }
            (chosen, _) => (chosen, "chosen".into()),
        }
    }
}

impl Default for TrainOptions {
    fn default() -> Self {
        TrainOptions {
            epochs: 1,
            batch_size: 16,
            learning_rate: 1e-4,
            warmup_ratio: 0.1,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            scale: 20.0,
            seed: 42,
            scope: NegativeScope::Auto,
            max_tokens: None,
            precision: EncoderPrecision::Bf16,
            frozen_layers: None,
            guide_margin: Some(0.0),
            duplicate_cosine: 0.95,
            similar_anchors: 0.9,
            bidirectional: Bidirectional::Off,
            hardness: None,
            time_limit: None,
            mixing: None,
            gradient_negatives: None,
            monitor_queries: 64,
        }
    }
}

impl TrainOptions {
    /// Sets [`epochs`](TrainOptions::epochs).
    pub fn with_epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

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

    /// Sets [`warmup_ratio`](TrainOptions::warmup_ratio).
    pub fn with_warmup_ratio(mut self, ratio: f64) -> Self {
        self.warmup_ratio = ratio;
        self
    }

    /// Sets [`weight_decay`](TrainOptions::weight_decay).
    pub fn with_weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = decay;
        self
    }

    /// Sets [`max_grad_norm`](TrainOptions::max_grad_norm).
    pub fn with_max_grad_norm(mut self, norm: f64) -> Self {
        self.max_grad_norm = norm;
        self
    }

    /// Sets [`scale`](TrainOptions::scale).
    pub fn with_scale(mut self, scale: f64) -> Self {
        self.scale = scale;
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

    /// Sets [`max_tokens`](TrainOptions::max_tokens).
    pub fn with_max_tokens(mut self, tokens: usize) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// Sets [`precision`](TrainOptions::precision).
    pub fn with_precision(mut self, precision: EncoderPrecision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets [`frozen_layers`](TrainOptions::frozen_layers).
    pub fn with_frozen_layers(mut self, layers: usize) -> Self {
        self.frozen_layers = Some(layers);
        self
    }

    /// Sets [`guide_margin`](TrainOptions::guide_margin).
    pub fn with_guide_margin(mut self, margin: Option<f32>) -> Self {
        self.guide_margin = margin;
        self
    }

    /// Sets [`duplicate_cosine`](TrainOptions::duplicate_cosine).
    pub fn with_duplicate_cosine(mut self, cosine: f32) -> Self {
        self.duplicate_cosine = cosine;
        self
    }

    /// Sets [`similar_anchors`](TrainOptions::similar_anchors).
    pub fn with_similar_anchors(mut self, cosine: f32) -> Self {
        self.similar_anchors = cosine;
        self
    }

    /// Sets [`bidirectional`](TrainOptions::bidirectional).
    pub fn with_bidirectional(mut self, bidirectional: Bidirectional) -> Self {
        self.bidirectional = bidirectional;
        self
    }

    /// Sets [`hardness`](TrainOptions::hardness).
    pub fn with_hardness(mut self, hardness: Option<Hardness>) -> Self {
        self.hardness = hardness;
        self
    }

    /// Sets [`time_limit`](TrainOptions::time_limit).
    pub fn with_time_limit(mut self, limit: Option<Duration>) -> Self {
        self.time_limit = limit;
        self
    }

    /// Sets [`mixing`](TrainOptions::mixing).
    pub fn with_mixing(mut self, mixing: Option<Mixing>) -> Self {
        self.mixing = mixing;
        self
    }

    /// Sets [`gradient_negatives`](TrainOptions::gradient_negatives).
    pub fn with_gradient_negatives(mut self, negatives: Option<GradientNegatives>) -> Self {
        self.gradient_negatives = negatives;
        self
    }

    /// Sets [`monitor_queries`](TrainOptions::monitor_queries).
    pub fn with_monitor_queries(mut self, queries: usize) -> Self {
        self.monitor_queries = queries;
        self
    }

    /// # Errors
    /// [`Error::Invalid`] naming the first option that can't be used.
    pub fn validate(&self) -> Result<()> {
        let positive = |what, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Error::invalid(what, value, "a positive number")),
        };
        if self.epochs == 0 {
            return Err(Error::invalid("the number of epochs", 0, "1 or more"));
        }
        if self.batch_size < 2 {
            return Err(Error::invalid(
                "the batch size",
                self.batch_size,
                "2 or more: rows are each other's negatives",
            ));
        }
        positive("the learning rate", self.learning_rate)?;
        positive("the gradient norm", self.max_grad_norm)?;
        positive("the scale of the loss", self.scale)?;
        if !(0.0..1.0).contains(&self.warmup_ratio) {
            return Err(Error::invalid("the warm-up ratio", self.warmup_ratio, "0 to below 1"));
        }
        if !(0.0..1.0).contains(&self.weight_decay) {
            return Err(Error::invalid("the weight decay", self.weight_decay, "0 to below 1"));
        }
        if self.precision != self.precision.of_training() {
            return Err(Error::invalid("the precision of training", self.precision, "bf16 or f32"));
        }
        let cosine = |what, value: f32| match (-1.0..=1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::invalid(what, value, "a cosine, from -1 to 1")),
        };
        self.guide_margin.map_or(Ok(()), |margin| cosine("the guide's margin", margin))?;
        cosine("the cosine of duplicates", self.duplicate_cosine)?;
        cosine("the cosine of similar anchors", self.similar_anchors)?;
        if let Some(hardness) = self.hardness {
            positive("the strength of the hardness", hardness.strength.into())?;
        }
        if self.time_limit == Some(Duration::ZERO) {
            return Err(Error::invalid("the time for training", "none", "more than 0 seconds"));
        }
        self.mixing.map_or(Ok(()), |mixing| mixing.validate())?;
        self.gradient_negatives.map_or(Ok(()), |negatives| negatives.validate())?;
        if let Some(tokens @ ..3) = self.max_tokens {
            return Err(Error::invalid("max_tokens", tokens, "3 or more: two are special"));
        }
        Ok(())
    }
}
