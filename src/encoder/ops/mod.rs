//! Fused operations of the encoder, each with its forward and its backward pass.
//!
//! They exist because candle's fused softmax and layer norm have no backward pass (their gradients vanish in silence),
//! its exact GELU is scalar, and a chain of plain operations keeps every intermediate result alive until the backward
//! pass. What each one keeps is only its arguments and its result; the rest is computed again.
//!
//! Tokens of all texts lie behind one another without padding: activations are `(tokens, width)`, and only attention
//! and pooling look at where a text ends ([`Lengths`]). Every operation takes the number of threads it may use. The
//! order of every sum is fixed by the shapes and the number of threads, so that a seeded training repeats exactly.

mod attention;
mod linear;
mod matrix;
mod norm;
mod pool;
mod position;
mod simd;

use std::ops::Deref;
use std::sync::Arc;

use candle_core::{CpuStorage, Device, Layout, Result, Shape, Storage, StorageRef, Tensor, bail};
use rayon::prelude::*;

pub(super) use attention::Attention;
pub(super) use linear::{GeluLinear, Linear, LinearPair, column_major};
pub(super) use norm::AddNorm;
pub(super) use pool::{MeanPool, Normalise};
pub(super) use position::BUCKETS;
#[cfg(test)]
pub(super) use position::relative_position_bucket;

/// The number of tokens of each text, in order. No text is empty.
pub(super) type Lengths = Arc<[usize]>;

/// Rows that one thread takes at a time in the operations that go row by row.
const ROWS: usize = 64;

/// The numbers of an argument of a forward pass.
fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(data), Some((start, end))) => Ok(&data[start..end]),
        _ => bail!("a fused operation takes contiguous f32 tensors"),
    }
}

/// The numbers of a tensor, locked for reading: an argument of a backward pass.
pub(super) struct Floats<'a> {
    storage: StorageRef<'a>,
    range: std::ops::Range<usize>,
}

impl<'a> Floats<'a> {
    pub(super) fn of(tensor: &'a Tensor) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        match (&*storage, layout.contiguous_offsets()) {
            (Storage::Cpu(CpuStorage::F32(_)), Some((start, end))) => {
                Ok(Floats { storage, range: start..end })
            }
            _ => bail!("a fused operation takes contiguous f32 tensors on the processor"),
        }
    }
}

impl Deref for Floats<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(data)) => &data[self.range.clone()],
            _ => &[], // `of` lets no other storage pass
        }
    }
}

/// A tensor of gradients.
fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(data, shape.into(), &Device::Cpu)
}

/// Runs `work` on every item and returns the results in order.
fn map<T: Send, R: Send>(threads: usize, items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    if threads > 1 && items.len() > 1 {
        items.into_par_iter().map(work).collect()
    } else {
        items.into_iter().map(work).collect()
    }
}

/// Cuts `data` into the rows of each text.
fn split<'a>(mut data: &'a mut [f32], lengths: &[usize], width: usize) -> Vec<&'a mut [f32]> {
    let mut parts = Vec::with_capacity(lengths.len());
    for length in lengths {
        let (part, rest) = data.split_at_mut(length * width);
        parts.push(part);
        data = rest;
    }
    parts
}

/// The first row of each text.
fn starts(lengths: &[usize]) -> impl Iterator<Item = usize> {
    lengths.iter().scan(0, |next, length| {
        let start = *next;
        *next += length;
        Some(start)
    })
}

/// The sum of `rows` rows of `width` numbers each.
fn column_sums(data: &[f32], width: usize, threads: usize) -> Vec<f32> {
    let parts = map(threads, data.chunks(ROWS * width).collect(), |rows| {
        let mut sums = vec![0.0; width];
        rows.chunks_exact(width).for_each(|row| simd::add(&mut sums, row));
        sums
    });
    let mut sums = vec![0.0; width];
    parts.iter().for_each(|part| simd::add(&mut sums, part));
    sums
}
