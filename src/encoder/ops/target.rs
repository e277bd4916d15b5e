//! The matrix that a product is written to.

use std::marker::PhantomData;
use std::ops::Range;

/// A row-major matrix to write, or some rows and columns of one. Like a mutable slice, it has its numbers to itself.
pub(super) struct Target<'a> {
    pub(super) data: *mut f32,
    pub(super) rows: usize,
    pub(super) width: usize,
    /// From a row to the next.
    pub(super) stride: usize,
    written: PhantomData<&'a mut [f32]>,
}

// SAFETY: a target has its numbers to itself, as a mutable slice has.
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

    /// Cuts it into blocks of so many rows each, and each of these into `columns` blocks of equal width, beside one
    /// another.
    ///
    /// # Panics
    /// If it does not have these rows, or its width can't be divided.
    pub(super) fn blocks(self, rows: &[usize], columns: usize) -> Vec<Target<'a>> {
        let width = self.width / columns;
        assert_eq!(width * columns, self.width, "blocks of equal width");
        assert_eq!(rows.iter().sum::<usize>(), self.rows, "the rows of all blocks");
        let mut blocks = Vec::with_capacity(rows.len() * columns);
        let mut first = 0;
        for &rows in rows {
            for column in 0..columns {
                // SAFETY: the blocks share no rows and columns, and the whole is consumed.
                blocks.push(unsafe { self.part(first..first + rows, column * width..(column + 1) * width) });
            }
            first += rows;
        }
        blocks
    }

    /// Some of its rows.
    pub(super) fn some_rows(&mut self, rows: Range<usize>) -> Target<'_> {
        // SAFETY: nothing else is reached through this target while the rows are borrowed.
        unsafe { self.part(rows, 0..self.width) }
    }

    /// Some of its rows and columns.
    ///
    /// # Safety
    /// As long as the part lives, nothing else reads or writes its numbers.
    ///
    /// # Panics
    /// If they are not inside the matrix.
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
        // SAFETY: the row is inside the matrix, which has its numbers to itself and is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(row * self.stride), self.width) }
    }
}
