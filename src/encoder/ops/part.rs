//! A finished part of a product.

use super::simd;
use super::target::Target;

/// A finished part of a product: its sums, and its own place in the result, from `row` and `column` on.
pub(super) struct Part<'a> {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) sums: &'a mut [f32],
    /// From a row of `sums` to the next.
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

    /// The place and the sums of a row, counted from the part's first.
    #[inline(always)]
    pub(super) fn of_row(&mut self, row: usize) -> (&mut [f32], &[f32]) {
        let sums = &self.sums[row * self.stride..][..self.target.width];
        (self.target.row(row), sums)
    }

    /// Adds the sums to what is in their place. The next part is most often the one below: what it will be added to
    /// lies on a page for each row, and is on its way while the part is multiplied.
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
