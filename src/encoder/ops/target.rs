//! The destination of a product.

use std::marker::PhantomData;
use std::ops::Range;

/// A row-major matrix to write to, or a part of one. Like a mutable slice, it is the only access to its numbers.
pub(super) struct Target<'a> {
    pub(super) data: *mut f32,
    pub(super) rows: usize,
    pub(super) width: usize,
    /// The distance between two rows.
    pub(super) stride: usize,
    written: PhantomData<&'a mut [f32]>,
}

// SAFETY: a target is the only access to its numbers, as a mutable slice is.
unsafe impl Send for Target<'_> {}

impl<'a> Target<'a> {
    /// A matrix of rows of `width` numbers.
    ///
    /// # Panics
    /// If the length is not a multiple of `width`.
    pub(super) fn new(data: &'a mut [f32], width: usize) -> Self {
        let rows = data.len() / width.max(1);
        assert_eq!(rows * width, data.len(), "a matrix has whole rows");
        Target { data: data.as_mut_ptr(), rows, width, stride: width, written: PhantomData }
    }

    /// Cuts it into blocks of the given numbers of rows, and each of these into `columns` blocks of equal width, side
    /// by side.
    ///
    /// # Panics
    /// If the rows don't add up to its own, or `columns` does not divide its width.
    pub(super) fn blocks(self, rows: &[usize], columns: usize) -> Vec<Target<'a>> {
        let width = self.width / columns;
        assert_eq!(width * columns, self.width, "blocks of equal width");
        assert_eq!(rows.iter().sum::<usize>(), self.rows, "the rows of all blocks");
        let mut blocks = Vec::with_capacity(rows.len() * columns);
        let mut first = 0;
        for &rows in rows {
            for column in 0..columns {
                // SAFETY: no two blocks overlap, and the whole is consumed.
                blocks.push(unsafe { self.part(first..first + rows, column * width..(column + 1) * width) });
            }
            first += rows;
        }
        blocks
    }

    /// Some of its rows.
    pub(super) fn some_rows(&mut self, rows: Range<usize>) -> Target<'_> {
        // SAFETY: the borrow keeps this target from being used meanwhile.
        unsafe { self.part(rows, 0..self.width) }
    }

    /// Some of its rows and columns.
    ///
    /// # Safety
    /// While the part lives, nothing else reads or writes its numbers.
    ///
    /// # Panics
    /// If the part is not inside the matrix.
    pub(super) unsafe fn part<'b>(&self, rows: Range<usize>, columns: Range<usize>) -> Target<'b>
    where
        'a: 'b,
    {
        assert!(rows.end <= self.rows && columns.end <= self.width, "a part does not fit");
        let at = rows.start * self.stride + columns.start;
        let data = self.data.wrapping_add(at);
        Target { data, rows: rows.len(), width: columns.len(), stride: self.stride, written: PhantomData }
    }

    #[inline(always)]
    pub(super) fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows, "a row of another matrix");
        // SAFETY: the row is inside the matrix, which is the only access to its numbers and is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(row * self.stride), self.width) }
    }
}
