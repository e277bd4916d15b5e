//! The product of two factors, block by block, tile by tile.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Range;

use super::factor::{Block, Source, words};
use super::kernel::{EncoderPrecision, Kernel};
use super::panels::{Panels, most_rows};
use super::tile::{self, COLUMNS, Multiply, ROWS, Tile};
use super::{each, simd};

/// What a product runs on: the instructions, and the threads it may use.
#[derive(Debug, Clone, Copy)]
pub(in crate::encoder) struct Run {
    pub(in crate::encoder) kernel: Kernel,
    pub(in crate::encoder) threads: usize,
}

/// Bytes of the left factor that stay in a core's second cache beside the panel that they are multiplied with.
const BLOCK_BYTES: usize = 512 * 1024;

/// A finished part of a product: `rows` rows of `width` sums, from `row` and `column` on.
pub(super) struct Part<'a> {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) rows: usize,
    pub(super) width: usize,
    pub(super) sums: &'a mut [f32],
    /// From a row of `sums` to the next.
    pub(super) stride: usize,
}

impl Part<'_> {
    /// The sums of each row, with its number in the product.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &[f32])> {
        (0..self.rows).map(|row| (self.row + row, &self.sums[row * self.stride..][..self.width]))
    }
}

/// A row-major matrix that several threads write, each in places of its own.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    data: *mut f32,
    len: usize,
    stride: usize,
    written: PhantomData<&'a mut [f32]>,
}

// SAFETY: a target is a mutable slice in parts; `row` makes its callers answer for their being disjoint.
unsafe impl Send for Target<'_> {}
// SAFETY: as above.
unsafe impl Sync for Target<'_> {}

impl<'a> Target<'a> {
    /// A matrix whose rows start `stride` apart.
    pub(super) fn new(data: &'a mut [f32], stride: usize) -> Self {
        Target { data: data.as_mut_ptr(), len: data.len(), stride, written: PhantomData }
    }

    /// `width` numbers of a row.
    ///
    /// # Safety
    /// Nothing else holds any of them at the same time.
    ///
    /// # Panics
    /// If they are not inside the matrix.
    #[expect(clippy::mut_from_ref, reason = "its callers answer for the places")]
    pub(super) unsafe fn row(&self, row: usize, column: usize, width: usize) -> &mut [f32] {
        let at = row * self.stride + column;
        assert!(column + width <= self.stride && at + width <= self.len, "a product does not fit");
        // SAFETY: in bounds, and the caller has these numbers to itself.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(at), width) }
    }

    /// Writes a part to its place.
    pub(super) fn write(&self, part: &Part<'_>) {
        simd::write(part, self);
    }

    /// Adds a part to what is in its place. The next part is most often the one below: what it will be added to lies on a page
    /// for each row, and is on its way while the part is multiplied.
    pub(super) fn add(&self, part: &Part<'_>) {
        for (row, sums) in part.rows() {
            let below = (row + part.rows) * self.stride + part.column;
            simd::prefetch(self.data.wrapping_add(below), part.width);
            // SAFETY: each part of a product is given once, and has its own place in the target.
            simd::add(unsafe { self.row(row, part.column, part.width) }, sums);
        }
    }
}

/// What a thread needs while it multiplies; kept, so that a query allocates nothing.
struct Scratch {
    block: Block,
    tile: Box<Tile>,
    sums: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        block: Block::default(),
        tile: Box::new(Tile([[0.0; COLUMNS]; ROWS])),
        sums: Vec::new(),
    });
}

/// Multiplies, and gives each part of the product to `finish`, once. Parts come in any order and from several threads;
/// the numbers in them do not depend on how many.
///
/// # Panics
/// If the inner sizes differ.
pub(super) fn multiply(run: Run, left: Source<'_>, right: &Panels, finish: &(impl Fn(Part<'_>) + Sync)) {
    let (rows, depth) = (left.rows(), left.depth());
    assert_eq!(depth, right.depth(), "the inner sizes of a product must agree");
    if rows == 0 || right.columns() == 0 {
        return;
    }
    let (blocks, splits) = cut(run.threads, rows, right);
    let panels = right.columns().div_ceil(right.step());
    each(run.threads, blocks * splits, |task| {
        let (rows, panels) = (even(rows, blocks, task / splits), even(panels, splits, task % splits));
        SCRATCH.with_borrow_mut(|scratch| scratch.multiply(run.kernel, left, rows, right, panels, finish));
    });
}

/// Into how many blocks of rows, and how many groups of panels, a product is cut: blocks fit the cache, and are as many
/// as the threads; of a few rows, each thread takes some of the panels.
fn cut(threads: usize, rows: usize, right: &Panels) -> (usize, usize) {
    let panels = right.columns().div_ceil(right.step());
    let row_bytes = (words(right.precision(), right.depth()) * 4).max(1);
    let most = (BLOCK_BYTES / row_bytes / ROWS).max(1) * ROWS;
    if threads > 1 && rows < 2 * ROWS * threads {
        return (1, threads.min(panels));
    }
    (rows.div_ceil(most).next_multiple_of(threads.max(1)).min(rows.div_ceil(ROWS)), 1)
}

/// Part `part` of `0..count` in `parts` parts.
fn even(count: usize, parts: usize, part: usize) -> Range<usize> {
    part * count / parts..(part + 1) * count / parts
}

impl Scratch {
    fn multiply(
        &mut self,
        kernel: Kernel,
        left: Source<'_>,
        rows: Range<usize>,
        right: &Panels,
        panels: Range<usize>,
        finish: &impl Fn(Part<'_>),
    ) {
        let precision = right.precision();
        self.block.fill(precision, left, rows.start, rows.len(), most_rows(right));
        if !right.foreign().is_empty() {
            return self.multiply_foreign(rows, right, panels, finish);
        }
        let tile_of = tile_of(kernel, precision);
        let steps = right.words();
        for panel in panels {
            let column = panel * COLUMNS;
            let width = COLUMNS.min(right.columns() - column);
            let b = right.panel(panel);
            for a in self.block.tiles() {
                // SAFETY: the tile's words and the panel's are `steps` long, checked when they were filled; the
                // processor has the kernel's instructions, or it would not have been chosen.
                unsafe { tile_of(a.rows, a.order, steps, a.words, b, &mut self.tile) };
                let sums = &mut self.tile.0.as_flattened_mut()[..a.rows * COLUMNS];
                if !a.scales.is_empty() {
                    let (units, totals) = right.scales().of(column, width);
                    match precision {
                        EncoderPrecision::Int16 => {
                            simd::dequantise_sums(sums, COLUMNS, a.scales, units, totals);
                        }
                        _ => simd::dequantise(sums, COLUMNS, a.scales, units, totals),
                    }
                }
                let row = rows.start + a.first;
                finish(Part { row, column, rows: a.rows, width, sums, stride: COLUMNS });
            }
        }
    }

    /// Has numkong multiply by some groups.
    fn multiply_foreign(
        &mut self,
        rows: Range<usize>,
        right: &Panels,
        groups: Range<usize>,
        finish: &impl Fn(Part<'_>),
    ) {
        self.block.make_signed();
        for group in groups {
            let (packed, column) = (&right.foreign()[group], group * right.step());
            let (width, count) = (packed.columns(), rows.len());
            self.sums.resize(self.sums.len().max(count * width), 0.0);
            packed.multiply(self.block.plain(), count, &mut self.sums);
            let sums = &mut self.sums[..count * width];
            if !self.block.scales().is_empty() {
                let (units, totals) = right.scales().of(column, width);
                simd::dequantise(sums, width, self.block.scales(), units, totals);
            }
            finish(Part { row: rows.start, column, rows: count, width, sums, stride: width });
        }
    }
}

/// The innermost loop of a kernel.
fn tile_of(kernel: Kernel, precision: EncoderPrecision) -> Multiply {
    match (kernel, precision) {
        #[cfg(target_arch = "x86_64")]
        (Kernel::Avx512Bf16 | Kernel::Amx, EncoderPrecision::Bf16) => tile::avx512_bf16::multiply,
        #[cfg(target_arch = "x86_64")]
        (Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx, EncoderPrecision::Int8) => {
            tile::avx512_int8::multiply
        }
        #[cfg(target_arch = "x86_64")]
        (Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx, EncoderPrecision::F32) => {
            tile::avx512_f32::multiply
        }
        #[cfg(target_arch = "x86_64")]
        (Kernel::Avx2, EncoderPrecision::F32) => tile::avx2::multiply_f32,
        #[cfg(target_arch = "x86_64")]
        (Kernel::Avx2, EncoderPrecision::Int16) => tile::avx2::multiply_int16,
        (_, EncoderPrecision::F32) => tile::portable::multiply,
        _ => unreachable!("{kernel} has no products in {precision}"),
    }
}
