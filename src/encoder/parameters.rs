//! The names and shapes of the model's parameters.

use super::config::ModelConfig;
use crate::error::Result;

/// The name of the table of position biases.
pub(super) const POSITION_TABLE: &str = "encoder.relative_attention_bias.weight";

/// Supplies [`Parameters::build`] with parameters: maps a name and a shape to a value of type `T`.
pub(super) type Source<'a, T> = &'a mut dyn FnMut(&str, &[usize]) -> Result<T>;

/// The parameters of MPNet (Song et al. 2020) without its pooler, which sentence embeddings do not use. Names are those
/// of `transformers`' MPNetModel.
pub(super) struct Parameters<T> {
    pub(super) words: T,
    pub(super) positions: T,
    pub(super) norm: Affine<T>,
    pub(super) table: T,
    pub(super) layers: Vec<LayerParameters<T>>,
}

/// A weight matrix or scale, and its bias.
pub(super) struct Affine<T> {
    pub(super) weight: T,
    pub(super) bias: T,
}

/// The parameters of a transformer block.
pub(super) struct LayerParameters<T> {
    /// Queries, keys and values.
    pub(super) qkv: [Affine<T>; 3],
    pub(super) out: Affine<T>,
    pub(super) attention_norm: Affine<T>,
    pub(super) up: Affine<T>,
    pub(super) down: Affine<T>,
    pub(super) output_norm: Affine<T>,
}

impl<T> Parameters<T> {
    pub(super) fn build(config: &ModelConfig, source: Source<'_, T>) -> Result<Self> {
        let hidden = config.hidden;
        let words = source("embeddings.word_embeddings.weight", &[config.vocabulary, hidden])?;
        let positions = source("embeddings.position_embeddings.weight", &[config.positions, hidden])?;
        let norm = Affine::build("embeddings.LayerNorm", &[hidden], source)?;
        let table = source(POSITION_TABLE, &[config.buckets, config.heads])?;
        let layers = (0..config.layers)
            .map(|index| LayerParameters::build(index, config, source))
            .collect::<Result<_>>()?;
        Ok(Parameters { words, positions, norm, table, layers })
    }
}

impl<T> Affine<T> {
    fn build(name: &str, shape: &[usize], source: Source<'_, T>) -> Result<Self> {
        Ok(Affine {
            weight: source(&format!("{name}.weight"), shape)?,
            bias: source(&format!("{name}.bias"), &shape[..1])?,
        })
    }
}

impl<T> LayerParameters<T> {
    fn build(index: usize, config: &ModelConfig, source: Source<'_, T>) -> Result<Self> {
        let (hidden, wide) = (config.hidden, config.intermediate);
        let mut part = |name: &str, shape: &[usize]| {
            Affine::build(&format!("encoder.layer.{index}.{name}"), shape, source)
        };
        Ok(LayerParameters {
            qkv: [
                part("attention.attn.q", &[hidden, hidden])?,
                part("attention.attn.k", &[hidden, hidden])?,
                part("attention.attn.v", &[hidden, hidden])?,
            ],
            out: part("attention.attn.o", &[hidden, hidden])?,
            attention_norm: part("attention.LayerNorm", &[hidden])?,
            up: part("intermediate.dense", &[wide, hidden])?,
            down: part("output.dense", &[hidden, wide])?,
            output_norm: part("output.LayerNorm", &[hidden])?,
        })
    }

    /// Calls `look` for every parameter of the block.
    pub(super) fn for_each(&self, look: &mut impl FnMut(&T)) {
        let Self { qkv, out, attention_norm, up, down, output_norm } = self;
        for affine in qkv.iter().chain([out, attention_norm, up, down, output_norm]) {
            look(&affine.weight);
            look(&affine.bias);
        }
    }
}
