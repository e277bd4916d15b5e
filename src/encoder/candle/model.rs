//! The model, from tokens to vectors.

use std::collections::HashMap;
use std::ops::Range;

use candle_core::{DType, Result, Tensor};
use candle_nn::{Embedding, Module, VarBuilder, embedding};

use super::attention::{Attention, Bias};
use super::batch::Batch;
use super::build::Build;
use super::dense::Dense;
use super::forms::Norm;
use crate::encoder::parameters::POSITION_TABLE;

/// Norms below this are not used as divisors, as in PyTorch.
const SHORTEST: f64 = 1e-12;

/// MPNet (Song et al. 2020) without its pooler, which sentence embeddings do not use.
pub(super) struct Mpnet {
    words: Embedding,
    positions: Embedding,
    norm: Norm,
    /// `(buckets, heads)`.
    table: Tensor,
    layers: Vec<Layer>,
}

/// One transformer block, with post-layer normalisation.
struct Layer {
    attention: Attention,
    attention_norm: Norm,
    up: Dense,
    down: Dense,
    output_norm: Norm,
}

impl Mpnet {
    /// Builds the model from f32 tensors under their names in the weights' file. It does not copy them, so variables
    /// among them can learn.
    pub(super) fn new(build: &Build<'_>, tensors: HashMap<String, Tensor>) -> Result<Mpnet> {
        let config = build.config;
        let weights = VarBuilder::from_tensors(tensors, DType::F32, build.device);
        let embeddings = weights.pp("embeddings");
        let layers =
            (0..config.layers).map(|index| Layer::load(build, weights.pp(format!("encoder.layer.{index}"))));
        Ok(Mpnet {
            words: embedding(config.vocabulary, config.hidden, embeddings.pp("word_embeddings"))?,
            positions: embedding(config.positions, config.hidden, embeddings.pp("position_embeddings"))?,
            norm: build.norm(embeddings.pp("LayerNorm"))?,
            table: weights.get((config.buckets, config.heads), POSITION_TABLE)?,
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// One L2-normalised vector for each text, `(texts, hidden)`.
    pub(super) fn embed(&self, batch: &Batch) -> Result<Tensor> {
        let x = self.normalise(&self.sum(batch)?)?;
        let x = self.pass(0..self.layers.len(), &x, batch)?;
        pool(&x, batch)
    }

    /// The sum of word and position vectors, `(texts · longest, hidden)`.
    pub(super) fn sum(&self, batch: &Batch) -> Result<Tensor> {
        self.words.forward(&batch.ids)? + self.positions.forward(&batch.positions)?
    }

    /// The input of the first layer, from that sum.
    pub(super) fn normalise(&self, sum: &Tensor) -> Result<Tensor> {
        self.norm.forward(sum)
    }

    /// Runs some of the layers on `x`, `(texts · longest, hidden)`.
    pub(super) fn pass(&self, layers: Range<usize>, x: &Tensor, batch: &Batch) -> Result<Tensor> {
        let bias = Bias::new(&self.table, batch)?;
        self.layers[layers].iter().try_fold(x.clone(), |x, layer| layer.forward(&x, batch, &bias))
    }

    /// The attention weights of a layer with input `x`.
    #[cfg(test)]
    pub(super) fn attention_weights(&self, layer: usize, x: &Tensor, batch: &Batch) -> Result<Tensor> {
        self.layers[layer].attention.weights(x, batch, &Bias::new(&self.table, batch)?)
    }
}

impl Layer {
    fn load(build: &Build<'_>, weights: VarBuilder<'_>) -> Result<Layer> {
        let (hidden, wide) = (build.config.hidden, build.config.intermediate);
        Ok(Layer {
            attention: Attention::load(build, weights.pp("attention"))?,
            attention_norm: build.norm(weights.pp("attention.LayerNorm"))?,
            up: build.dense(hidden, wide, weights.pp("intermediate.dense"))?,
            down: build.dense(wide, hidden, weights.pp("output.dense"))?,
            output_norm: build.norm(weights.pp("output.LayerNorm"))?,
        })
    }

    fn forward(&self, x: &Tensor, batch: &Batch, bias: &Bias) -> Result<Tensor> {
        let middle = self.attention_norm.forward(&(self.attention.forward(x, batch, bias)? + x)?)?;
        let wide = self.up.forward(&middle)?.gelu_erf()?;
        self.output_norm.forward(&(self.down.forward(&wide)? + middle)?)
    }
}

/// The mean over the tokens of each text, `(texts, hidden)`.
pub(super) fn mean(x: &Tensor, batch: &Batch) -> Result<Tensor> {
    let x = x.reshape((batch.texts, batch.longest, x.dim(1)?))?;
    x.broadcast_mul(&batch.shares)?.sum(1)
}

/// The vectors of the texts from the output of the last layer: the mean, normalised.
pub(super) fn pool(x: &Tensor, batch: &Batch) -> Result<Tensor> {
    let mean = mean(x, batch)?;
    let lengths = mean.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(SHORTEST)?;
    mean.broadcast_div(&lengths)
}
