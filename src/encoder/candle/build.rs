//! How a model is built.

use candle_core::{DType, Device, Result};
use candle_nn::VarBuilder;

use super::dense::Dense;
use super::forms::{Forms, Norm};
use crate::encoder::config::ModelConfig;

/// How to build a model.
pub(super) struct Build<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) device: &'a Device,
    /// The data type of products.
    pub(super) product: DType,
    pub(super) forms: Forms,
    /// Whether the weights never change, so that they can be converted once.
    pub(super) fixed: bool,
}

impl Build<'_> {
    pub(super) fn dense(&self, inputs: usize, outputs: usize, weights: VarBuilder<'_>) -> Result<Dense> {
        let dense = Dense::load(inputs, outputs, self.product, weights)?;
        if self.fixed { dense.fix() } else { Ok(dense) }
    }

    pub(super) fn norm(&self, weights: VarBuilder<'_>) -> Result<Norm> {
        Norm::load(self.config.hidden, self.config.eps, self.forms, weights)
    }
}
