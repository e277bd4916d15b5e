//! The operations of the encoder, each with a forward and a backward pass.
//!
//! Activations are row-major f32, `(tokens, width)`. The tokens of all texts are concatenated without padding, and only
//! attention and pooling need to know where a text ends. Products with weights and in attention use the requested
//! precision and sum in f32 ([`product`]). What follows a product is done while its result is in the L1 cache. Backward
//! passes recompute what is cheap to recompute.
//!
//! Every operation takes a [`Run`]: the kernel and the number of threads. The shapes alone fix the order of every sum,
//! so a seeded training run repeats exactly.

mod amx;
mod attention;
mod factor;
mod kernel;
mod linear;
mod memory;
mod norm;
mod panels;
mod part;
mod peak;
mod pool;
mod position;
mod product;
mod run;
mod simd;
mod target;
mod tile;

#[cfg(test)]
mod tests;

pub(super) use attention::{Attended, Attention, PositionBias};
pub use kernel::{EncoderPrecision, Kernel};
pub(super) use linear::{
    Before, Columns, Linear, Then, Weight, WeightGradient, bias_gradient, input_gradient, weight_gradients,
};
pub(super) use norm::Norm;
pub(super) use panels::Panels;
pub use peak::peak_gflops;
pub(super) use pool::{mean_pool, mean_pool_backward, normalise, normalise_backward};
pub(super) use position::{BUCKETS, relative_position_bucket};
pub(super) use run::{Run, map};
pub(super) use simd::{bf16_from_f32, f32_from_bf16};

/// Rows that one thread takes at a time in row-wise operations.
const ROWS: usize = 64;

/// A slice of `length` numbers in a reused buffer. Their values are unspecified.
pub(super) fn fit(room: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if room.len() < length {
        room.resize(length, 0.0);
    }
    &mut room[..length]
}

/// Applies the Gaussian error linear unit to all numbers, in place.
pub(super) fn gelu(run: Run, x: &mut [f32], width: usize) {
    map(run.threads, x.chunks_mut(ROWS * width).collect(), simd::gelu);
}

/// Turns `grad`, the gradient of [`gelu`]'s result, into the gradient of its argument `x`, and `x` into the result.
pub(super) fn gelu_backward(run: Run, x: &mut [f32], grad: &mut [f32], width: usize) {
    let parts = x.chunks_mut(ROWS * width).zip(grad.chunks_mut(ROWS * width)).collect();
    map(run.threads, parts, |(x, grad): (&mut [f32], &mut [f32])| simd::gelu_backward(x, grad));
}

/// The offset of each text's first row.
pub(super) fn starts(lengths: &[usize]) -> impl Iterator<Item = usize> {
    lengths.iter().scan(0, |next, length| {
        let start = *next;
        *next += length;
        Some(start)
    })
}
