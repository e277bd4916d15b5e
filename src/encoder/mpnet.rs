//! The model graph: MPNet (Song et al. 2020), without its pooler, which sentence embeddings do not use.

use candle_core::{Result as TensorResult, Tensor};

use super::batch::Batch;
use super::config::ModelConfig;
use super::ops::{AddNorm, Attention, GeluLinear, Linear, LinearPair, MeanPool, Normalise};
use crate::error::Result;

/// The name of the table of position biases.
pub(super) const POSITION_TABLE: &str = "encoder.relative_attention_bias.weight";

/// Where [`Mpnet::build`] gets its weights: name and shape to tensor.
pub(super) type Source<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Tensor>;

/// The model. With variables for weights every result carries its graph; with plain tensors none does.
pub(super) struct Mpnet {
    words: Tensor,
    positions: Tensor,
    norm: Norm,
    table: Tensor,
    pub(super) layers: Vec<Layer>,
}

/// One transformer block. The weights of queries, keys and values stay apart: a concatenated copy would miss updates.
pub(super) struct Layer {
    q: Projection,
    k: Projection,
    v: Projection,
    out: Projection,
    attention_norm: Norm,
    up: Projection,
    down: Projection,
    output_norm: Norm,
    heads: usize,
}

struct Projection {
    weight: Tensor,
    bias: Tensor,
}

struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f32,
}

impl Mpnet {
    /// Collects the weights. Their names are those of `transformers`' MPNetModel.
    pub(super) fn build(config: &ModelConfig, source: Source<'_>) -> Result<Mpnet> {
        let hidden = config.hidden;
        let words = source("embeddings.word_embeddings.weight", &[config.vocabulary, hidden])?;
        let positions = source("embeddings.position_embeddings.weight", &[config.positions, hidden])?;
        let norm = Norm::build("embeddings.LayerNorm", config, source)?;
        let table = source(POSITION_TABLE, &[config.buckets, config.heads])?;
        let layers =
            (0..config.layers).map(|i| Layer::build(i, config, source)).collect::<Result<Vec<_>>>()?;
        Ok(Mpnet { words, positions, norm, table, layers })
    }

    /// One L2-normalised vector a text, `(texts, hidden)`, on `threads` threads.
    pub(super) fn embed(&self, batch: &Batch, threads: usize) -> TensorResult<Tensor> {
        let mut hidden = self.input(batch, threads)?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden, &self.table, batch, threads)?;
        }
        self.pool(&hidden, batch)?.apply_op1(Normalise)
    }

    /// The sum of word and position vectors, normalised: `(tokens, hidden)`.
    pub(super) fn input(&self, batch: &Batch, threads: usize) -> TensorResult<Tensor> {
        let words = self.words.index_select(&batch.ids, 0)?;
        let positions = self.positions.index_select(&batch.positions, 0)?;
        self.norm.of_sum(&words, &positions, threads)
    }

    /// The mean of each text's token vectors.
    pub(super) fn pool(&self, hidden: &Tensor, batch: &Batch) -> TensorResult<Tensor> {
        hidden.apply_op1(MeanPool { lengths: batch.lengths.clone() })
    }

    /// The table of position biases, `(buckets, heads)`, that all layers share.
    #[cfg(test)]
    pub(super) fn table(&self) -> &Tensor {
        &self.table
    }
}

impl Layer {
    fn build(index: usize, config: &ModelConfig, source: Source<'_>) -> Result<Layer> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let (hidden, wide) = (config.hidden, config.intermediate);
        Ok(Layer {
            q: Projection::build(&name("attention.attn.q"), hidden, hidden, source)?,
            k: Projection::build(&name("attention.attn.k"), hidden, hidden, source)?,
            v: Projection::build(&name("attention.attn.v"), hidden, hidden, source)?,
            out: Projection::build(&name("attention.attn.o"), hidden, hidden, source)?,
            attention_norm: Norm::build(&name("attention.LayerNorm"), config, source)?,
            up: Projection::build(&name("intermediate.dense"), wide, hidden, source)?,
            down: Projection::build(&name("output.dense"), hidden, wide, source)?,
            output_norm: Norm::build(&name("output.LayerNorm"), config, source)?,
            heads: config.heads,
        })
    }

    /// `(tokens, hidden)` to the same.
    pub(super) fn forward(
        &self,
        hidden: &Tensor,
        table: &Tensor,
        batch: &Batch,
        threads: usize,
    ) -> TensorResult<Tensor> {
        let attended = {
            let (qk, small) = self.attention_input(hidden, table, threads)?;
            let v = self.v.apply(hidden, threads)?;
            qk.apply_op3(&v, &small, self.attention(batch, threads))?
        };
        let attended = self.out.apply(&attended, threads)?;
        let attended = self.attention_norm.of_sum(&attended, hidden, threads)?;
        let wide = self.up.apply(&attended, threads)?;
        let Projection { weight, bias } = &self.down;
        let output = wide.apply_op3(weight, bias, GeluLinear { threads })?;
        drop(wide);
        self.output_norm.of_sum(&output, &attended, threads)
    }

    /// Queries and keys side by side, and the small parameters of attention as one vector.
    pub(super) fn attention_input(
        &self,
        hidden: &Tensor,
        table: &Tensor,
        threads: usize,
    ) -> TensorResult<(Tensor, Tensor)> {
        let qk = hidden.apply_op3(&self.q.weight, &self.k.weight, LinearPair { threads })?;
        let small = Tensor::cat(&[&self.q.bias, &self.k.bias, &table.flatten_all()?], 0)?;
        Ok((qk, small))
    }

    pub(super) fn attention(&self, batch: &Batch, threads: usize) -> Attention {
        Attention { lengths: batch.lengths.clone(), heads: self.heads, threads }
    }
}

impl Projection {
    fn build(name: &str, outputs: usize, inputs: usize, source: Source<'_>) -> Result<Projection> {
        Ok(Projection {
            weight: source(&format!("{name}.weight"), &[outputs, inputs])?,
            bias: source(&format!("{name}.bias"), &[outputs])?,
        })
    }

    fn apply(&self, x: &Tensor, threads: usize) -> TensorResult<Tensor> {
        x.apply_op3(&self.weight, &self.bias, Linear { threads })
    }
}

impl Norm {
    fn build(name: &str, config: &ModelConfig, source: Source<'_>) -> Result<Norm> {
        Ok(Norm {
            weight: source(&format!("{name}.weight"), &[config.hidden])?,
            bias: source(&format!("{name}.bias"), &[config.hidden])?,
            eps: config.eps,
        })
    }

    fn of_sum(&self, x: &Tensor, residual: &Tensor, threads: usize) -> TensorResult<Tensor> {
        let affine = Tensor::cat(&[&self.weight, &self.bias], 0)?;
        x.apply_op3(residual, &affine, AddNorm { eps: self.eps, threads })
    }
}
