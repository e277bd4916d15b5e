//! AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) as torch computes it.

use std::cell::RefCell;

use candle_core::{CpuStorage, InplaceOp2, Layout, Tensor, Var};
use rayon::prelude::*;

use crate::error::{Error, Result};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Numbers that one task updates: a few cache lines of each of the four arrays.
const BLOCK: usize = 16 * 1024;

/// First and second moments of every variable.
pub(super) struct AdamW {
    moments: Vec<Moments>,
    weight_decay: f64,
    step: i32,
}

struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
    decays: bool,
}

impl AdamW {
    /// Weight decay spares biases and layer norms, as in the trainer of transformers: every name with "bias" in it, so
    /// the relative attention bias too.
    pub(super) fn new(variables: &[(String, Var)], weight_decay: f64, spare_biases: bool) -> AdamW {
        let moments = variables.iter().map(|(name, variable)| Moments {
            first: vec![0.0; variable.elem_count()],
            second: vec![0.0; variable.elem_count()],
            decays: !(spare_biases && (name.contains("bias") || name.contains("LayerNorm"))),
        });
        AdamW { moments: moments.collect(), weight_decay, step: 0 }
    }

    /// One step. `gradients` belong to `variables` in their order, and are multiplied by `factor` first.
    pub(super) fn step(
        &mut self,
        variables: &[(String, Var)],
        gradients: &[Tensor],
        factor: f64,
        learning_rate: f64,
    ) -> Result<()> {
        self.step += 1;
        let step_size = learning_rate / (1.0 - BETA_1.powi(self.step));
        let second_correction = (1.0 - BETA_2.powi(self.step)).sqrt();
        for (((_, variable), gradient), moments) in variables.iter().zip(gradients).zip(&mut self.moments) {
            let decay = if moments.decays { 1.0 - learning_rate * self.weight_decay } else { 1.0 };
            let rates = Rates {
                factor: factor as f32,
                decay: decay as f32,
                step_size: step_size as f32,
                second_correction: second_correction as f32,
            };
            let update = Update { moments: RefCell::new(moments), rates };
            variable
                .as_tensor()
                .inplace_op2(gradient, &update)
                .map_err(|e| Error::Encoder { doing: "update the weights", message: e.to_string() })?;
        }
        Ok(())
    }
}

/// The update of one variable in place.
struct Update<'a> {
    moments: RefCell<&'a mut Moments>,
    rates: Rates,
}

/// The numbers of one step.
#[derive(Clone, Copy)]
struct Rates {
    factor: f32,
    decay: f32,
    step_size: f32,
    second_correction: f32,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        weights: &mut CpuStorage,
        weights_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<()> {
        let mut moments = self.moments.borrow_mut();
        let (CpuStorage::F32(weights), CpuStorage::F32(gradient)) = (weights, gradient) else {
            candle_core::bail!("weights and gradients must be f32")
        };
        let (Some(weights_range), Some(range)) =
            (weights_layout.contiguous_offsets(), gradient_layout.contiguous_offsets())
        else {
            candle_core::bail!("weights and gradients must be contiguous")
        };
        let weights = &mut weights[weights_range.0..weights_range.1];
        let gradient = &gradient[range.0..range.1];
        let Moments { first, second, .. } = &mut **moments;
        let rates = self.rates;
        weights
            .par_chunks_mut(BLOCK)
            .zip(gradient.par_chunks(BLOCK))
            .zip(first.par_chunks_mut(BLOCK).zip(second.par_chunks_mut(BLOCK)))
            .for_each(|((weights, gradient), (first, second))| {
                rates.update(weights, gradient, first, second)
            });
        Ok(())
    }
}

impl Rates {
    fn update(self, weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let (beta_1, beta_2) = (BETA_1 as f32, BETA_2 as f32);
        let (rest_1, rest_2) = ((1.0 - BETA_1) as f32, (1.0 - BETA_2) as f32);
        let moments = first.iter_mut().zip(second);
        for ((weight, gradient), (first, second)) in weights.iter_mut().zip(gradient).zip(moments) {
            let gradient = gradient * self.factor;
            *first = beta_1 * *first + rest_1 * gradient;
            *second = beta_2 * *second + rest_2 * gradient * gradient;
            let scale = second.sqrt() / self.second_correction + EPSILON as f32;
            *weight = *weight * self.decay - self.step_size * (*first / scale);
        }
    }
}

/// L2 norm over all gradients together, summed in f64 in a fixed order.
pub(super) fn global_norm(gradients: &[Tensor]) -> Result<f64> {
    let mut sum = 0.0;
    for gradient in gradients {
        let failed =
            |e: candle_core::Error| Error::Encoder { doing: "read a gradient", message: e.to_string() };
        let values = gradient.flatten_all().and_then(|flat| flat.to_vec1::<f32>()).map_err(failed)?;
        let blocks: Vec<f64> = values
            .par_chunks(BLOCK)
            .map(|block| block.iter().map(|value| f64::from(*value) * f64::from(*value)).sum())
            .collect();
        sum += blocks.iter().sum::<f64>();
    }
    Ok(sum.sqrt())
}
