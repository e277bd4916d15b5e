//! Multi-head attention with a relative position bias.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::matrix::{Matrix, MatrixMut, Write, multiply};
use super::position::{BUCKETS, relative_position_bucket};
use super::{Floats, Lengths, floats, map, simd, split, starts, tensor};

/// `([q | k], v, [bias of q | bias of k | table]) ↦ softmax(q kᵀ / √d + position bias) v`, head by head and text by
/// text (Vaswani et al. 2017; the position bias is MPNet's, Song et al. 2020).
///
/// `q`, `k`, `v` are `(tokens, width)`, heads side by side; `v` has its bias already. The table is `(buckets, heads)`,
/// row-major. The small parameters come as one vector because an operation has three arguments at most. The attention
/// weights, `heads · length²` numbers a text, are computed again in the backward pass instead of being kept.
pub(in crate::encoder) struct Attention {
    pub(in crate::encoder) lengths: Lengths,
    pub(in crate::encoder) heads: usize,
    pub(in crate::encoder) threads: usize,
}

/// The arguments, sliced.
struct Arguments<'a> {
    qk: &'a [f32],
    v: &'a [f32],
    q_bias: &'a [f32],
    k_bias: &'a [f32],
    table: &'a [f32],
    width: usize,
    heads: usize,
}

/// One text's part of a head: biased and scaled queries `(length, d)`, biased keys `(d, length)`, attention weights.
#[derive(Default)]
struct Head {
    q: Vec<f32>,
    k: Vec<f32>,
    weights: Vec<f32>,
}

/// One text's gradients; those of the small parameters are summed over the texts afterwards.
struct TextGradient<'a> {
    start: usize,
    length: usize,
    d_qk: &'a mut [f32],
    d_v: &'a mut [f32],
}

impl<'a> Arguments<'a> {
    fn new(op: &Attention, qk: &'a [f32], v: &'a [f32], small: &'a [f32], width: usize) -> Result<Self> {
        let (tokens, heads) = (op.lengths.iter().sum::<usize>(), op.heads);
        let whole_heads = heads > 0 && width > 0 && width.is_multiple_of(heads);
        if !whole_heads || qk.len() != 2 * tokens * width || v.len() != tokens * width {
            bail!("attention got {} queries and keys, {} values for {tokens} tokens", qk.len(), v.len());
        }
        if small.len() < 2 * width + BUCKETS * heads {
            bail!("attention got {} small parameters", small.len());
        }
        let (q_bias, rest) = small.split_at(width);
        let (k_bias, table) = rest.split_at(width);
        Ok(Arguments { qk, v, q_bias, k_bias, table, width, heads })
    }

    fn head_width(&self) -> usize {
        self.width / self.heads
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_width() as f32).sqrt()
    }

    /// The bias for every distance between a key and a query of one text, from `-(length - 1)` to `length - 1`. Row `q`
    /// of the scores is biased by the `length` numbers from `length - 1 - q` on.
    fn distance_bias(&self, head: usize, buckets: &[usize]) -> Vec<f32> {
        buckets.iter().map(|bucket| self.table[bucket * self.heads + head]).collect()
    }

    /// Computes a head's attention weights over the text of `length` tokens that starts at row `start`.
    fn attend(&self, start: usize, length: usize, head: usize, buckets: &[usize], into: &mut Head) {
        let (d, width) = (self.head_width(), self.width);
        let columns = head * d..(head + 1) * d;
        into.q.resize(length * d, 0.0);
        into.k.resize(length * d, 0.0);
        into.weights.resize(length * length, 0.0);
        for row in 0..length {
            let qk = &self.qk[(start + row) * 2 * width..][..2 * width];
            let (q, k) = qk.split_at(width);
            let here = row * d..(row + 1) * d;
            let (q_bias, k_bias) = (&self.q_bias[columns.clone()], &self.k_bias[columns.clone()]);
            simd::shift_scale(&q[columns.clone()], q_bias, self.scale(), &mut into.q[here]);
            for (i, (k, bias)) in k[columns.clone()].iter().zip(k_bias).enumerate() {
                into.k[i * length + row] = k + bias;
            }
        }
        let (q, k) = (Matrix::new(&into.q, length, d, d), Matrix::new(&into.k, d, length, length));
        multiply(MatrixMut::new(&mut into.weights, length), q, k, Write::Replace, 1);
        let bias = self.distance_bias(head, buckets);
        for (row, weights) in into.weights.chunks_exact_mut(length).enumerate() {
            simd::softmax(weights, &bias[length - 1 - row..][..length]);
        }
    }

    /// A head's columns of a `(tokens, width)` matrix, from row `start` on.
    fn block<'b>(&self, data: &'b [f32], start: usize, length: usize, head: usize) -> Matrix<'b> {
        let first = start * self.width + head * self.head_width();
        Matrix::new(&data[first..], length, self.head_width(), self.width)
    }

    /// The backward pass over one text. Returns the gradient of the small parameters.
    fn backward(&self, text: TextGradient<'_>, res: &[f32], grad: &[f32]) -> Vec<f32> {
        let TextGradient { start, length, d_qk, d_v } = text;
        let (d, width) = (self.head_width(), self.width);
        let buckets = buckets(length);
        let mut d_small = vec![0.0; 2 * width + self.table.len()];
        let (mut head_data, mut d_scores) = (Head::default(), vec![0.0; length * length]);
        let (mut d_q, mut d_k) = (vec![0.0; length * d], vec![0.0; length * d]);
        for head in 0..self.heads {
            self.attend(start, length, head, &buckets, &mut head_data);
            let Head { q, k, weights } = &head_data;
            let weights_matrix = Matrix::new(weights, length, length, length);
            let grad_block = self.block(grad, start, length, head);
            let into = MatrixMut::new(&mut d_v[head * d..], width);
            multiply(into, weights_matrix.t(), grad_block, Write::Replace, 1);
            let v = self.block(self.v, start, length, head);
            multiply(MatrixMut::new(&mut d_scores, length), grad_block, v.t(), Write::Replace, 1);
            for row in 0..length {
                let here = (start + row) * width + head * d..(start + row) * width + (head + 1) * d;
                let along = simd::dot(&grad[here.clone()], &res[here]);
                let columns = row * length..(row + 1) * length;
                simd::softmax_backward(&weights[columns.clone()], &mut d_scores[columns], along);
            }
            let scores = Matrix::new(&d_scores, length, length, length);
            let k = Matrix::new(k, d, length, length);
            multiply(MatrixMut::new(&mut d_q, d), scores, k.t(), Write::Replace, 1);
            let q = Matrix::new(q, length, d, d);
            multiply(MatrixMut::new(&mut d_k, d), scores.t(), q, Write::Replace, 1);
            d_q.iter_mut().for_each(|x| *x *= self.scale());
            self.scatter(head, &d_q, &d_k, d_qk, &mut d_small);
            self.scatter_table(head, &d_scores, &buckets, &mut d_small[2 * width..]);
        }
        d_small
    }

    /// Writes a head's gradients of queries and keys to their columns and adds them to those of the biases.
    fn scatter(&self, head: usize, d_q: &[f32], d_k: &[f32], d_qk: &mut [f32], d_small: &mut [f32]) {
        let (d, width) = (self.head_width(), self.width);
        for (side, gradient) in [d_q, d_k].into_iter().enumerate() {
            let first = side * width + head * d;
            for (row, gradient) in d_qk.chunks_exact_mut(2 * width).zip(gradient.chunks_exact(d)) {
                row[first..first + d].copy_from_slice(gradient);
                simd::add(&mut d_small[first..first + d], gradient);
            }
        }
    }

    /// Adds a head's gradient of the scores to that of the position table.
    fn scatter_table(&self, head: usize, d_scores: &[f32], buckets: &[usize], d_table: &mut [f32]) {
        let length = buckets.len().div_ceil(2);
        let mut by_distance = vec![0.0; buckets.len()];
        for (row, scores) in d_scores.chunks_exact(length).enumerate() {
            simd::add(&mut by_distance[length - 1 - row..][..length], scores);
        }
        for (bucket, sum) in buckets.iter().zip(by_distance) {
            d_table[bucket * self.heads + head] += sum;
        }
    }
}

/// The buckets of the distances from `-(length - 1)` to `length - 1`.
fn buckets(length: usize) -> Vec<usize> {
    let last = length as isize - 1;
    (-last..=last).map(relative_position_bucket).collect()
}

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let &[_, width] = l2.dims() else { bail!("attention takes (tokens, width)") };
        let args = Arguments::new(self, floats(s1, l1)?, floats(s2, l2)?, floats(s3, l3)?, width)?;
        let mut out = vec![0.0; args.v.len()];
        let parts = split(&mut out, &self.lengths, width);
        let texts = parts.into_iter().zip(starts(&self.lengths)).zip(self.lengths.iter().copied()).collect();
        map(self.threads, texts, |((out, start), length): ((&mut [f32], usize), usize)| {
            let (buckets, mut scratch) = (buckets(length), Head::default());
            for head in 0..self.heads {
                args.attend(start, length, head, &buckets, &mut scratch);
                let weights = Matrix::new(&scratch.weights, length, length, length);
                let into = MatrixMut::new(&mut out[head * args.head_width()..], width);
                multiply(into, weights, args.block(args.v, start, length, head), Write::Replace, 1);
            }
        });
        Ok((CpuStorage::F32(out), l2.shape().clone()))
    }

    fn bwd(
        &self,
        qk: &Tensor,
        v: &Tensor,
        small: &Tensor,
        res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (tokens, width) = v.dims2()?;
        let grad = grad.contiguous()?;
        let (qk, v, small) = (Floats::of(qk)?, Floats::of(v)?, Floats::of(small)?);
        let (res, grad) = (Floats::of(res)?, Floats::of(&grad)?);
        let args = Arguments::new(self, &qk, &v, &small, width)?;
        let (mut d_qk, mut d_v) = (vec![0.0; qk.len()], vec![0.0; v.len()]);
        let texts = split(&mut d_qk, &self.lengths, 2 * width)
            .into_iter()
            .zip(split(&mut d_v, &self.lengths, width))
            .zip(starts(&self.lengths).zip(self.lengths.iter().copied()))
            .map(|((d_qk, d_v), (start, length))| TextGradient { start, length, d_qk, d_v })
            .collect();
        let sums = map(self.threads, texts, |text| args.backward(text, &res, &grad));
        let mut d_small = vec![0.0; small.len()];
        sums.iter().for_each(|part| simd::add(&mut d_small, part));
        let len = d_small.len();
        Ok((
            Some(tensor(d_qk, (tokens, 2 * width))?),
            Some(tensor(d_v, (tokens, width))?),
            Some(tensor(d_small, len)?),
        ))
    }
}

#[cfg(test)]
impl Attention {
    /// The attention weights of one head over the first text, row by row.
    pub(in crate::encoder) fn weights(
        &self,
        qk: &Tensor,
        v: &Tensor,
        small: &Tensor,
        head: usize,
    ) -> Result<Vec<f32>> {
        let (qk, small, width) = (Floats::of(qk)?, Floats::of(small)?, v.dims2()?.1);
        let v = Floats::of(v)?;
        let args = Arguments::new(self, &qk, &v, &small, width)?;
        let (length, mut scratch) = (self.lengths[0], Head::default());
        args.attend(0, length, head, &buckets(length), &mut scratch);
        Ok(scratch.weights)
    }
}
