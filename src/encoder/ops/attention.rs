//! Multi-head attention with a relative position bias (Vaswani et al. 2017; the bias is MPNet's, Song et al. 2020).

use std::cell::RefCell;

use super::factor::{Source, View};
use super::kernel::{EncoderPrecision, Kernel};
use super::panels::Panels;
use super::part::Part;
use super::position::{BUCKETS, relative_position_bucket};
use super::product::multiply;
use super::run::{Run, map};
use super::target::Target;
use super::{fit, simd};

/// Rows of scores that a thread computes at a time. With the keys they fit the L2 cache.
const SCORE_ROWS: usize = 96;

/// The position bias of each head by distance between key and query.
#[derive(Default)]
pub(in crate::encoder) struct PositionBias {
    by_distance: Vec<f32>,
    longest: usize,
}

impl PositionBias {
    /// Looks up the biases for texts of at most `longest` tokens in a table of `(buckets, heads)`.
    pub(in crate::encoder) fn set(&mut self, table: &[f32], heads: usize, longest: usize) {
        self.longest = longest;
        let distances = 2 * longest - 1;
        let all = fit(&mut self.by_distance, heads * distances);
        for at in 0..distances {
            let bucket = relative_position_bucket(at as isize - (longest as isize - 1));
            for head in 0..heads {
                all[head * distances + at] = table[bucket * heads + head];
            }
        }
    }

    /// The biases of one row of scores: of the query at position `query`, by key.
    fn of(&self, head: usize, query: usize, keys: usize) -> &[f32] {
        let first = head * (2 * self.longest - 1) + self.longest - 1 - query;
        &self.by_distance[first..first + keys]
    }
}

/// The attention of some texts, `[q | k | v] ↦ softmax(q kᵀ / √d + bias) v`, for each head of each text. Rows of the
/// argument have three times `width` numbers, rows of the result `width`, with the heads side by side.
#[derive(Clone, Copy)]
pub(in crate::encoder) struct Attention<'a> {
    pub(in crate::encoder) lengths: &'a [usize],
    pub(in crate::encoder) starts: &'a [usize],
    pub(in crate::encoder) heads: usize,
    pub(in crate::encoder) width: usize,
    pub(in crate::encoder) bias: &'a PositionBias,
    pub(in crate::encoder) precision: EncoderPrecision,
}

/// The result of [`Attention::forward`], and its gradient.
#[derive(Clone, Copy)]
pub(in crate::encoder) struct Attended<'a> {
    pub(in crate::encoder) out: &'a [f32],
    pub(in crate::encoder) grad: &'a [f32],
}

/// One head in one text.
#[derive(Clone, Copy)]
struct Place {
    head: usize,
    start: usize,
    length: usize,
}

/// Scratch memory of a thread for one head. Kept, so that a query allocates nothing.
#[derive(Default)]
struct Scratch {
    keys: Panels,
    values: Panels,
    scores: Vec<f32>,
    d_scores: Vec<f32>,
}

thread_local!(static SCRATCH: RefCell<Scratch> = RefCell::default());

impl Attention<'_> {
    /// The precision of the products in attention. Integers are for weights only.
    fn inner(&self, run: Run) -> (Run, EncoderPrecision) {
        let kernel = run.kernel.min(Kernel::Avx512Bf16);
        (Run { kernel, threads: 1 }, kernel.float(self.precision))
    }

    fn place(&self, task: usize) -> Place {
        let (text, head) = (task / self.heads, task % self.heads);
        Place { head, start: self.starts[text], length: self.lengths[text] }
    }

    fn head_width(&self) -> usize {
        self.width / self.heads
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_width() as f32).sqrt()
    }

    /// Queries (0), keys (1) or values (2) of a head, for some rows of its text.
    fn part<'b>(&self, qkv: &'b [f32], which: usize, place: Place, rows: std::ops::Range<usize>) -> View<'b> {
        let first =
            (place.start + rows.start) * 3 * self.width + which * self.width + place.head * self.head_width();
        View::new(&qkv[first..], rows.len(), self.head_width(), 3 * self.width)
    }

    /// A head's columns of a matrix of `width` columns.
    fn columns<'b>(&self, data: &'b [f32], place: Place) -> View<'b> {
        let first = place.start * self.width + place.head * self.head_width();
        View::new(&data[first..], place.length, self.head_width(), self.width)
    }

    pub(in crate::encoder) fn forward(&self, run: Run, qkv: &[f32], out: &mut [f32]) {
        let tasks = Target::new(out, self.width).blocks(self.lengths, self.heads);
        map(run.threads, tasks.into_iter().enumerate().collect(), |(task, out)| {
            SCRATCH.with_borrow_mut(|scratch| self.forward_head(run, qkv, self.place(task), scratch, out));
        });
    }

    /// `out` is the head's part of the result.
    fn forward_head(&self, run: Run, qkv: &[f32], place: Place, scratch: &mut Scratch, mut out: Target<'_>) {
        let (run, precision) = self.inner(run);
        let length = place.length;
        let (keys, values) = (self.part(qkv, 1, place, 0..length), self.part(qkv, 2, place, 0..length));
        scratch.keys.fill_transposed(run.kernel, precision, &[keys], None);
        scratch.values.fill(run, precision, values);
        for first in (0..length).step_by(SCORE_ROWS) {
            let rows = first..length.min(first + SCORE_ROWS);
            let scores = fit(&mut scratch.scores, rows.len() * length);
            self.attend(run, &scratch.keys, qkv, place, rows.clone(), scores);
            let weights = Source::Rows(View::new(scores, rows.len(), length, length));
            multiply(run, weights, &scratch.values, out.some_rows(rows), &|part: Part<'_>| part.write());
        }
    }

    /// The attention weights of some rows of a head, given its keys.
    fn attend(
        &self,
        run: Run,
        keys: &Panels,
        qkv: &[f32],
        place: Place,
        rows: std::ops::Range<usize>,
        scores: &mut [f32],
    ) {
        let length = place.length;
        let queries = Source::Rows(self.part(qkv, 0, place, rows.clone()));
        multiply(run, queries, keys, Target::new(scores, length), &|part: Part<'_>| part.write());
        for (row, scores) in rows.zip(scores.chunks_exact_mut(length)) {
            simd::softmax(scores, self.scale(), self.bias.of(place.head, row, length));
        }
    }

    /// The gradients of `qkv` and of the table of biases, `(buckets, heads)`. The latter is added to `d_table`, unless
    /// that is empty.
    pub(in crate::encoder) fn backward(
        &self,
        run: Run,
        qkv: &[f32],
        attended: Attended<'_>,
        d_qkv: &mut [f32],
        d_table: &mut [f32],
    ) {
        let tokens = self.lengths.iter().sum();
        let parts = Target::new(d_qkv, 3 * self.width).blocks(&[tokens], 3);
        let heads = parts.into_iter().map(|part| part.blocks(self.lengths, self.heads));
        let mut heads = heads.map(Vec::into_iter).collect::<Vec<_>>();
        let of_head = || heads.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>();
        let count = self.lengths.len() * self.heads;
        let tasks = std::iter::repeat_with(of_head).take(count).enumerate().collect();
        let sums = map(run.threads, tasks, |(task, d_qkv)| {
            SCRATCH.with_borrow_mut(|scratch| {
                self.backward_head(run, qkv, attended, self.place(task), scratch, d_qkv)
            })
        });
        if d_table.is_empty() {
            return;
        }
        for (task, sums) in sums.into_iter().enumerate() {
            for (bucket, sum) in sums.into_iter().enumerate() {
                d_table[bucket * self.heads + task % self.heads] += sum;
            }
        }
    }

    /// `d_qkv` is where the gradients of queries, keys and values go.
    fn backward_head(
        &self,
        run: Run,
        qkv: &[f32],
        attended: Attended<'_>,
        place: Place,
        scratch: &mut Scratch,
        mut d_qkv: Vec<Target<'_>>,
    ) -> [f32; BUCKETS] {
        let (run, precision) = self.inner(run);
        let (kernel, length) = (run.kernel, place.length);
        let part_of = |which| self.part(qkv, which, place, 0..length);
        let (out, grad) = (self.columns(attended.out, place), self.columns(attended.grad, place));
        let Scratch { keys: panels, scores, d_scores, .. } = scratch;
        let weights = fit(scores, length * length);
        panels.fill_transposed(kernel, precision, &[part_of(1)], None);
        self.attend(run, panels, qkv, place, 0..length, weights);
        let d_scores = fit(d_scores, length * length);
        panels.fill_transposed(kernel, precision, &[part_of(2)], None);
        multiply(run, Source::Rows(grad), panels, Target::new(d_scores, length), &|part: Part<'_>| {
            part.write()
        });
        let rows = weights.chunks_exact(length).zip(d_scores.chunks_exact_mut(length)).enumerate();
        for (row, (weights, d_scores)) in rows {
            simd::softmax_backward(weights, d_scores, simd::dot(grad.row(row), out.row(row)));
        }
        let mut write = |which: usize, source: Source<'_>, panels: &Panels| {
            multiply(run, source, panels, d_qkv[which].some_rows(0..length), &|part: Part<'_>| part.write());
        };
        let square = |numbers| View::new(numbers, length, length, length);
        panels.fill(run, precision, grad);
        write(2, Source::Columns(square(weights)), panels);
        let by_bucket = Self::by_bucket(length, d_scores);
        d_scores.iter_mut().for_each(|x| *x *= self.scale());
        panels.fill(run, precision, part_of(1));
        write(0, Source::Rows(square(d_scores)), panels);
        panels.fill(run, precision, part_of(0));
        write(1, Source::Columns(square(d_scores)), panels);
        by_bucket
    }

    /// Sums a head's gradients of the scores by bucket of distances.
    fn by_bucket(length: usize, d_scores: &[f32]) -> [f32; BUCKETS] {
        let mut by_distance = vec![0.0; 2 * length - 1];
        for (row, scores) in d_scores.chunks_exact(length).enumerate() {
            simd::add(&mut by_distance[length - 1 - row..][..length], scores);
        }
        let mut sums = [0.0; BUCKETS];
        for (at, sum) in by_distance.into_iter().enumerate() {
            sums[relative_position_bucket(at as isize - (length as isize - 1))] += sum;
        }
        sums
    }

    /// The attention weights of a head in the first text, row by row.
    #[cfg(test)]
    pub(in crate::encoder) fn weights(&self, run: Run, qkv: &[f32], head: usize) -> Vec<f32> {
        let (run, precision) = self.inner(run);
        let place = self.place(head);
        let mut keys = Panels::default();
        keys.fill_transposed(run.kernel, precision, &[self.part(qkv, 1, place, 0..place.length)], None);
        let mut scores = vec![0.0; place.length * place.length];
        self.attend(run, &keys, qkv, place, 0..place.length, &mut scores);
        scores
    }
}
