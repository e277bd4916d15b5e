//! Layer normalisation (Ba et al. 2016).

use super::run::{Run, map};
use super::{ROWS, simd};

/// `row ↦ (row - mean) / sqrt(variance + eps) * weight + bias`.
pub(in crate::encoder) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
}

impl Norm {
    pub(in crate::encoder) fn new(weight: &[f32], bias: &[f32], eps: f32) -> Norm {
        assert!(weight.len() == bias.len() && !weight.is_empty(), "a layer norm without a width");
        Norm { weight: weight.to_vec(), bias: bias.to_vec(), eps }
    }

    /// Replaces weight and bias after a training step.
    pub(in crate::encoder) fn set(&mut self, weight: &[f32], bias: &[f32]) {
        self.weight.copy_from_slice(weight);
        self.bias.copy_from_slice(bias);
    }

    /// Normalises the rows of `x` into `out`.
    pub(in crate::encoder) fn forward(&self, run: Run, x: &[f32], out: &mut [f32]) {
        let width = self.weight.len();
        let normalise = |x: &[f32], out: &mut [f32]| {
            for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                simd::layer_norm(x, &self.weight, &self.bias, self.eps, out);
            }
        };
        if run.threads == 1 {
            return normalise(x, out);
        }
        let parts = x.chunks(ROWS * width).zip(out.chunks_mut(ROWS * width)).collect();
        map(run.threads, parts, |(x, out)| normalise(x, out));
    }

    /// Turns `x` into its gradient, given `grad`, the gradient of the result. Adds the gradients of weight and bias to
    /// `d_weight` and `d_bias`, unless these are empty.
    pub(in crate::encoder) fn backward(
        &self,
        run: Run,
        x: &mut [f32],
        grad: &[f32],
        d_weight: &mut [f32],
        d_bias: &mut [f32],
    ) {
        let width = self.weight.len();
        let parts = x.chunks_mut(ROWS * width).zip(grad.chunks(ROWS * width)).collect();
        let sums = map(run.threads, parts, |(x, grad): (&mut [f32], &[f32])| {
            let (mut d_weight, mut d_bias) = (vec![0.0; width], vec![0.0; width]);
            for (x, grad) in x.chunks_exact_mut(width).zip(grad.chunks_exact(width)) {
                let scale = simd::standardise(x, self.eps);
                simd::layer_norm_backward(x, scale, &self.weight, grad, &mut d_weight, &mut d_bias);
            }
            (d_weight, d_bias)
        });
        if d_weight.is_empty() {
            return;
        }
        for (weight, bias) in sums {
            simd::add(d_weight, &weight);
            simd::add(d_bias, &bias);
        }
    }
}
