//! A linear layer.

use candle_core::{DType, Result, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};

/// A linear layer with f32 activations. Its product uses f32 or bf16.
pub(super) struct Dense {
    linear: Linear,
    product: DType,
}

impl Dense {
    pub(super) fn load(
        inputs: usize,
        outputs: usize,
        product: DType,
        weights: VarBuilder<'_>,
    ) -> Result<Dense> {
        Ok(Dense { linear: linear(inputs, outputs, weights)?, product })
    }

    /// Converts the weight once, for a layer that does not learn.
    pub(super) fn fix(self) -> Result<Dense> {
        let weight = self.linear.weight().to_dtype(self.product)?;
        Ok(Dense { linear: Linear::new(weight, self.linear.bias().cloned()), ..self })
    }

    /// `(rows, inputs) ↦ (rows, outputs)`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let weight = self.linear.weight();
        match (self.product, self.linear.bias()) {
            (DType::F32, _) | (_, None) => self.linear.forward(x),
            (product, Some(bias)) => {
                let weight = weight.to_dtype(product)?;
                let y = x.to_dtype(product)?.matmul(&weight.t()?)?;
                y.to_dtype(DType::F32)?.broadcast_add(bias)
            }
        }
    }
}
