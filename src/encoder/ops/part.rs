//! A finished part of a product.

use super::simd;
use super::target::Target;

/// A finished part of a product: its sums, and its place in the result, from `row` and `column` on.
pub(super) struct Part<'a> {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) sums: &'a mut [f32],
    /// The distance between two rows of `sums`.
    pub(super) stride: usize,
    pub(super) target: Target<'a>,
}

impl Part<'_> {
    pub(super) fn rows(&self) -> usize {
        self.target.rows
    }

    pub(super) fn width(&self) -> usize {
        self.target.width
    }

    /// The destination and the sums of a row, counted from the part's first.
    #[inline(always)]
    pub(super) fn of_row(&mut self, row: usize) -> (&mut [f32], &[f32]) {
        let sums = &self.sums[row * self.stride..][..self.target.width];
        (self.target.row(row), sums)
    }

    /// Adds the sums to the destination. Prefetches the destination of the part below, which usually comes next: each
    /// of its rows is on another page.
    pub(super) fn add(mut self) {
        let (rows, width) = (self.rows(), self.width());
        for row in 0..rows {
            let below = (row + rows) * self.target.stride;
            simd::prefetch(self.target.data.wrapping_add(below), width);
            let (into, sums) = self.of_row(row);
            simd::add(into, sums);
        }
    }
}
