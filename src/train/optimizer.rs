//! AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) as torch computes it.

use rayon::prelude::*;

use crate::encoder::{DeviceAdamW, TrainableEncoder};
use crate::error::Result;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Numbers updated per task: a few cache lines of each of the four arrays.
const BLOCK: usize = 16 * 1024;

/// The optimiser, on the device with the parameters.
pub(super) enum Optimizer {
    /// The engine's own, over numbers in memory.
    Host(AdamW),
    /// candle_nn's, on a device.
    Device(DeviceAdamW),
}

impl Optimizer {
    /// Excludes biases and layer norms from weight decay if configured, like the trainer of transformers: every name
    /// that contains "bias", so the relative attention bias too.
    pub(super) fn new(model: &TrainableEncoder, weight_decay: f64, spare_biases: bool) -> Result<Optimizer> {
        let decays = |name: &str| !(spare_biases && (name.contains("bias") || name.contains("LayerNorm")));
        if let Some(on_device) = model.device_adamw(weight_decay, decays)? {
            return Ok(Optimizer::Device(on_device));
        }
        let moments = model.names().iter().zip(model.moving_lengths());
        let moments = moments.map(|(name, length)| Moments::zero(length, decays(name)));
        Ok(Optimizer::Host(AdamW { moments: moments.collect(), weight_decay, step: 0 }))
    }

    /// Makes one step with the model's gradients, multiplied by `factor`.
    pub(super) fn step(
        &mut self,
        model: &mut TrainableEncoder,
        factor: f64,
        learning_rate: f64,
    ) -> Result<()> {
        match self {
            Optimizer::Host(adamw) => model.update(|parameters, gradients| {
                adamw.step(parameters, gradients, factor, learning_rate);
            }),
            Optimizer::Device(adamw) => model.device_step(adamw, factor, learning_rate),
        }
    }
}

/// First and second moments of every trainable parameter.
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

impl Moments {
    fn zero(length: usize, decays: bool) -> Moments {
        Moments { first: vec![0.0; length], second: vec![0.0; length], decays }
    }
}

impl AdamW {
    /// The first and second moments, in the order of the parameters; empty for parameters that are not trained.
    pub(super) fn moments(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        self.moments.iter().map(|moments| (&moments.first[..], &moments.second[..]))
    }

    /// Restores the state after this many steps: `set` replaces the moments.
    pub(super) fn restore<E>(
        &mut self,
        steps: usize,
        mut set: impl FnMut(usize, &mut [f32], &mut [f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.step = i32::try_from(steps).unwrap_or(i32::MAX);
        let mut moments = self.moments.iter_mut().enumerate();
        moments.try_for_each(|(index, moments)| set(index, &mut moments.first, &mut moments.second))
    }

    /// Makes one step. `gradients` belong to `parameters` in the same order, and are multiplied by `factor`. Parameters
    /// without a gradient don't change.
    pub(super) fn step(
        &mut self,
        parameters: &mut [Vec<f32>],
        gradients: &[Vec<f32>],
        factor: f64,
        learning_rate: f64,
    ) {
        self.step += 1;
        let step_size = learning_rate / (1.0 - BETA_1.powi(self.step));
        let second_correction = (1.0 - BETA_2.powi(self.step)).sqrt();
        for ((numbers, gradient), moments) in parameters.iter_mut().zip(gradients).zip(&mut self.moments) {
            let decay = if moments.decays { 1.0 - learning_rate * self.weight_decay } else { 1.0 };
            let rates = Rates {
                factor: factor as f32,
                decay: decay as f32,
                step_size: step_size as f32,
                second_correction: second_correction as f32,
            };
            numbers
                .par_chunks_mut(BLOCK)
                .zip(gradient.par_chunks(BLOCK))
                .zip(moments.first.par_chunks_mut(BLOCK).zip(moments.second.par_chunks_mut(BLOCK)))
                .for_each(|((numbers, gradient), (first, second))| {
                    rates.update(numbers, gradient, first, second);
                });
        }
    }
}

/// The constants of one step.
#[derive(Clone, Copy)]
struct Rates {
    factor: f32,
    decay: f32,
    step_size: f32,
    second_correction: f32,
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

/// The L2 norm over all gradients of a model.
pub(super) fn gradient_norm(model: &TrainableEncoder) -> Result<f64> {
    match model.device_gradient_norm()? {
        Some(norm) => Ok(norm),
        None => Ok(global_norm(&model.gradients()?)),
    }
}

/// The L2 norm over all gradients, summed in f64 in a fixed order.
pub(super) fn global_norm(gradients: &[Vec<f32>]) -> f64 {
    let of_block = |block: &[f32]| block.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
    let mut sum = 0.0;
    for gradient in gradients {
        let blocks: Vec<f64> = gradient.par_chunks(BLOCK).map(of_block).collect();
        sum += blocks.iter().sum::<f64>();
    }
    sum.sqrt()
}
