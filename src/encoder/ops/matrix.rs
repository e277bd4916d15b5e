//! Strided views of matrices and their product.

use gemm::Parallelism;

use super::map;

/// A matrix that is read, of any strides.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix whose rows start `row_stride` apart.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        Matrix { data, rows, columns, row_stride, column_stride: 1 }
    }

    /// The transpose: the same numbers read the other way.
    pub(super) fn t(self) -> Self {
        Matrix {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    fn in_bounds(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride < self.data.len()
    }
}

/// A row-major matrix that is written.
pub(super) struct MatrixMut<'a> {
    data: &'a mut [f32],
    row_stride: usize,
}

impl<'a> MatrixMut<'a> {
    /// A matrix whose rows start `row_stride` apart. Its size is the product's that is written to it.
    pub(super) fn new(data: &'a mut [f32], row_stride: usize) -> Self {
        MatrixMut { data, row_stride }
    }
}

/// Columns and rows of a tile of [`transpose`]: one cache line wide.
const TILE: usize = 16;

/// The transpose of a row-major matrix of `columns` columns, tile by tile.
pub(in crate::encoder) fn transpose(from: &[f32], columns: usize, into: &mut [f32], threads: usize) {
    let rows = from.len() / columns.max(1);
    if rows == 0 {
        return;
    }
    let strips = into.chunks_mut(TILE * rows).enumerate().collect();
    map(threads, strips, |(strip, into): (usize, &mut [f32])| {
        for first in (0..rows).step_by(TILE) {
            let last = rows.min(first + TILE);
            for (column, into) in into.chunks_exact_mut(rows).enumerate() {
                let column = strip * TILE + column;
                for (row, into) in (first..last).zip(&mut into[first..last]) {
                    *into = from[row * columns + column];
                }
            }
        }
    });
}

/// What a product does with the numbers that stand where it writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// They are replaced.
    Replace,
    /// The product is added to them.
    Accumulate,
}

/// `out = lhs · rhs`, or `out += lhs · rhs`, on `threads` threads of rayon's pool.
///
/// Much slower where `rhs`'s rows are not contiguous: gemm then gathers it number by number, at strides that evict one
/// another from the cache.
///
/// # Panics
/// If the inner sizes differ or a view reaches beyond its slice.
pub(super) fn multiply(out: MatrixMut<'_>, lhs: Matrix<'_>, rhs: Matrix<'_>, write: Write, threads: usize) {
    let (m, n, k) = (lhs.rows, rhs.columns, lhs.columns);
    assert_eq!(k, rhs.rows, "the inner sizes of a matrix product must agree");
    assert!(lhs.in_bounds() && rhs.in_bounds(), "a factor reaches beyond its slice");
    if m == 0 || n == 0 {
        return;
    }
    assert!(
        n <= out.row_stride && (m - 1) * out.row_stride + n <= out.data.len(),
        "the product does not fit"
    );
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    // SAFETY: the three views were checked to lie within their slices, and `out` is borrowed mutably, so that it
    // overlaps neither factor. Strides fit isize because slices do.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.data.as_mut_ptr(),
            1,
            out.row_stride as isize,
            write == Write::Accumulate,
            lhs.data.as_ptr(),
            lhs.column_stride as isize,
            lhs.row_stride as isize,
            rhs.data.as_ptr(),
            rhs.column_stride as isize,
            rhs.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_schoolbook_product(
            m in 1usize..20, n in 1usize..20, k in 1usize..20, pad in 0usize..3,
            transpose in any::<(bool, bool)>(), accumulate: bool, threads in 1usize..3,
        ) {
            let number = |i: usize| ((i * 31 + 7) % 17) as f32 - 8.0;
            let view = |rows: usize, columns: usize, transposed: bool, data: &mut Vec<f32>| {
                let (r, c) = if transposed { (columns, rows) } else { (rows, columns) };
                *data = (0..r * (c + pad)).map(number).collect();
                (r, c)
            };
            let (mut a, mut b) = (Vec::new(), Vec::new());
            let (ar, ac) = view(m, k, transpose.0, &mut a);
            let (br, bc) = view(k, n, transpose.1, &mut b);
            let turn = |x: Matrix<'static>, yes: bool| if yes { x.t() } else { x };
            let lhs = turn(Matrix::new(a.clone().leak(), ar, ac, ac + pad), transpose.0);
            let rhs = turn(Matrix::new(b.clone().leak(), br, bc, bc + pad), transpose.1);
            let mut out = vec![0.5; m * (n + pad)];
            let write = if accumulate { Write::Accumulate } else { Write::Replace };
            multiply(MatrixMut::new(&mut out, n + pad), lhs, rhs, write, threads);
            let at = |x: &Matrix<'_>, i: usize, j: usize| x.data[i * x.row_stride + j * x.column_stride];
            for i in 0..m {
                for j in 0..n + pad {
                    let before = if accumulate || j >= n { 0.5 } else { 0.0 };
                    let product = if j < n { (0..k).map(|l| at(&lhs, i, l) * at(&rhs, l, j)).sum() } else { 0.0 };
                    prop_assert_eq!(out[i * (n + pad) + j], before + product);
                }
            }
        }
    }

    #[test]
    fn transposes_every_shape() {
        for (rows, columns) in [(1, 1), (1, 40), (40, 1), (16, 32), (33, 47), (0, 3)] {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            for threads in [1, 2] {
                let mut into = vec![-1.0; from.len()];
                transpose(&from, columns, &mut into, threads);
                for i in 0..rows * columns {
                    assert_eq!(into[i % columns * rows + i / columns], i as f32);
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn refuses_a_view_beyond_its_slice() {
        let (a, b, mut out) = ([0.0; 5], [0.0; 6], [0.0; 4]);
        multiply(
            MatrixMut::new(&mut out, 2),
            Matrix::new(&a, 2, 3, 3),
            Matrix::new(&b, 3, 2, 2),
            Write::Replace,
            1,
        );
    }
}
