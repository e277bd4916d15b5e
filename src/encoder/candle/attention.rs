//! Self-attention with relative positions.

use candle_core::{DType, Result, Tensor};
use candle_nn::VarBuilder;

use super::batch::Batch;
use super::build::Build;
use super::dense::Dense;
use super::forms::Forms;

/// Added to attention scores: position biases and the padding mask, `(texts or 1, heads, longest, longest)`. All layers
/// share it.
pub(super) struct Bias(Tensor);

impl Bias {
    /// Looks the biases up in the table, `(buckets, heads)`.
    pub(super) fn new(table: &Tensor, batch: &Batch) -> Result<Bias> {
        let (buckets, heads) = table.dims2()?;
        // A product with one-hot rows looks the biases up, and its backward pass runs in parallel.
        let numbers = Tensor::arange(0, buckets as u32, table.device())?.unsqueeze(0)?;
        let chosen = batch.buckets.unsqueeze(1)?.broadcast_eq(&numbers)?.to_dtype(DType::F32)?;
        let bias = chosen.matmul(table)?.t()?.reshape((1, heads, batch.longest, batch.longest))?;
        match &batch.mask {
            Some(mask) => Ok(Bias(bias.broadcast_add(mask)?)),
            None => Ok(Bias(bias)),
        }
    }
}

/// The attention of one layer.
pub(super) struct Attention {
    q: Dense,
    k: Dense,
    v: Dense,
    out: Dense,
    heads: usize,
    product: DType,
    forms: Forms,
}

impl Attention {
    pub(super) fn load(build: &Build<'_>, weights: VarBuilder<'_>) -> Result<Attention> {
        let hidden = build.config.hidden;
        let dense = |name: &str| build.dense(hidden, hidden, weights.pp(name));
        Ok(Attention {
            q: dense("attn.q")?,
            k: dense("attn.k")?,
            v: dense("attn.v")?,
            out: dense("attn.o")?,
            heads: build.config.heads,
            product: build.product,
            forms: build.forms,
        })
    }

    /// `(texts · longest, width) ↦ (texts · longest, width)`.
    pub(super) fn forward(&self, x: &Tensor, batch: &Batch, bias: &Bias) -> Result<Tensor> {
        let weights = self.weights(x, batch, bias)?.to_dtype(self.product)?;
        let values = self.heads_of(&self.v, x, batch)?;
        let attended = weights.matmul(&values)?.to_dtype(DType::F32)?;
        self.out.forward(&attended.transpose(1, 2)?.reshape(x.shape())?)
    }

    /// The attention weights, `(texts, heads, longest, longest)`.
    pub(super) fn weights(&self, x: &Tensor, batch: &Batch, bias: &Bias) -> Result<Tensor> {
        let (q, k) = (self.heads_of(&self.q, x, batch)?, self.heads_of(&self.k, x, batch)?);
        let scale = (x.dim(1)? as f64 / self.heads as f64).sqrt();
        let scores = q.matmul(&k.t()?)?.to_dtype(DType::F32)?;
        self.forms.softmax(&(scores / scale)?.broadcast_add(&bias.0)?)
    }

    /// The part of a projection for each head, `(texts, heads, longest, width of a head)`.
    fn heads_of(&self, projection: &Dense, x: &Tensor, batch: &Batch) -> Result<Tensor> {
        let width = x.dim(1)? / self.heads;
        let shape = (batch.texts, batch.longest, self.heads, width);
        projection.forward(x)?.to_dtype(self.product)?.reshape(shape)?.transpose(1, 2)?.contiguous()
    }
}
