//! Layer norm and softmax, each in a fused form and in one with a gradient.

use candle_core::{D, DType, Result, Tensor};
use candle_nn::{LayerNorm, Module, VarBuilder, layer_norm, ops};

/// The form that a model uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forms {
    /// One kernel for each operation, without a backward pass.
    Fused,
    /// Composed of operations with a backward pass.
    Composed,
}

impl Forms {
    /// Softmax over the last dimension.
    pub(super) fn softmax(self, scores: &Tensor) -> Result<Tensor> {
        match self {
            Forms::Fused => ops::softmax_last_dim(&scores.contiguous()?),
            Forms::Composed => {
                // Softmax does not change when a constant is subtracted from the row, so the maximum needs no gradient.
                let largest = scores.max_keepdim(D::Minus1)?.detach();
                let weights = scores.broadcast_sub(&largest)?.exp()?;
                weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)
            }
        }
    }
}

/// Layer norm over the last dimension.
pub(super) struct Norm {
    norm: LayerNorm,
    forms: Forms,
}

impl Norm {
    pub(super) fn load(width: usize, eps: f32, forms: Forms, weights: VarBuilder<'_>) -> Result<Norm> {
        let norm = layer_norm(width, f64::from(eps), weights)?;
        Ok(Norm { norm, forms })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match (self.forms, self.norm.bias()) {
            (Forms::Composed, Some(bias)) => {
                ops::layer_norm_slow(x, self.norm.weight(), bias, self.norm.eps() as f32)
            }
            _ => self.norm.forward(&x.contiguous()?.to_dtype(DType::F32)?),
        }
    }
}
