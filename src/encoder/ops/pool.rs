//! Pooling: from token vectors to one vector for each text.

use super::{simd, starts};

/// The mean over the tokens of each text, `(tokens, width) ↦ (texts, width)`.
pub(in crate::encoder) fn mean_pool(lengths: &[usize], width: usize, x: &[f32], out: &mut [f32]) {
    for ((mean, start), &length) in out.chunks_exact_mut(width).zip(starts(lengths)).zip(lengths) {
        mean.fill(0.0);
        let rows = &x[start * width..(start + length) * width];
        rows.chunks_exact(width).for_each(|row| simd::add(mean, row));
        let scale = 1.0 / length as f32;
        mean.iter_mut().for_each(|x| *x *= scale);
    }
}

/// The gradient of the argument of [`mean_pool`], given that of its result.
pub(in crate::encoder) fn mean_pool_backward(lengths: &[usize], width: usize, grad: &[f32], d_x: &mut [f32]) {
    for ((grad, start), &length) in grad.chunks_exact(width).zip(starts(lengths)).zip(lengths) {
        let scale = 1.0 / length as f32;
        for row in d_x[start * width..(start + length) * width].chunks_exact_mut(width) {
            simd::scale(grad, scale, row);
        }
    }
}

/// Norms below this are not used as divisors, as in PyTorch.
const SHORTEST: f32 = 1e-12;

fn length(row: &[f32]) -> f32 {
    simd::dot(row, row).sqrt().max(SHORTEST)
}

/// Divides each row by its Euclidean length.
pub(in crate::encoder) fn normalise(width: usize, x: &[f32], out: &mut [f32]) {
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        simd::scale(x, 1.0 / length(x), out);
    }
}

/// Turns `grad`, the gradient of [`normalise`]'s result, into the gradient of its argument `x`.
pub(in crate::encoder) fn normalise_backward(width: usize, x: &[f32], grad: &mut [f32]) {
    for (x, grad) in x.chunks_exact(width).zip(grad.chunks_exact_mut(width)) {
        let scale = 1.0 / length(x);
        let along = simd::dot(x, grad) * scale * scale;
        grad.iter_mut().zip(x).for_each(|(grad, x)| *grad = (*grad - x * along) * scale);
    }
}
