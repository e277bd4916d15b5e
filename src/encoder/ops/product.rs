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

/// A finished part of a product: its sums, and its own place in the result, from `row` and `column` on.
pub(super) struct Part<'a> {
    pub(super) row: usize,
    pub(super) column: usize,
    sums: &'a mut [f32],
    /// From a row of `sums` to the next.
    stride: usize,
    target: Target<'a>,
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

    /// Writes the sums to their place.
    pub(super) fn write(mut self) {
        simd::write(&mut self);
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

/// A row-major matrix to write, or some rows and columns of one. Like a mutable slice, it has its numbers to itself.
pub(super) struct Target<'a> {
    data: *mut f32,
    rows: usize,
    width: usize,
    /// From a row to the next.
    stride: usize,
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
    unsafe fn part<'b>(&self, rows: Range<usize>, columns: Range<usize>) -> Target<'b>
    where
        'a: 'b,
    {
        assert!(rows.end <= self.rows && columns.end <= self.width, "a part does not fit");
        let at = rows.start * self.stride + columns.start;
        let data = self.data.wrapping_add(at);
        Target { data, rows: rows.len(), width: columns.len(), stride: self.stride, written: PhantomData }
    }

    #[inline(always)]
    fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows, "a row of another matrix");
        // SAFETY: the row is inside the matrix, which has its numbers to itself and is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(row * self.stride), self.width) }
    }
}

/// The result of a product while threads write it.
struct Shared<'a>(Target<'a>);

// SAFETY: all that can be done with it is to ask for parts, and who asks answers for their being disjoint.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    /// The part of some rows and columns.
    ///
    /// # Safety
    /// No other part that lives at the same time has any of their numbers.
    unsafe fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Target<'_> {
        // SAFETY: as the caller says; what this is made from is not used beside.
        unsafe { self.0.part(rows, columns) }
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

/// Multiplies, and gives each part of the product with its place in `target` to `finish`, once. Parts come in any order
/// and from several threads; the numbers in them do not depend on how many.
///
/// # Panics
/// If the inner sizes differ, or the target is not of the product's size.
pub(super) fn multiply(
    run: Run,
    left: Source<'_>,
    right: &Panels,
    target: Target<'_>,
    finish: &(impl Fn(Part<'_>) + Sync),
) {
    let (rows, depth) = (left.rows(), left.depth());
    assert_eq!(depth, right.depth(), "the inner sizes of a product must agree");
    assert_eq!((rows, right.columns()), (target.rows, target.width), "the size of a product");
    if rows == 0 || right.columns() == 0 {
        return;
    }
    let (blocks, splits) = cut(run.threads, rows, right);
    let panels = right.columns().div_ceil(right.step());
    let target = Shared(target);
    each(run.threads, blocks * splits, |task| {
        let (rows, panels) = (even(rows, blocks, task / splits), even(panels, splits, task % splits));
        let task = Task { rows, panels, target: &target };
        SCRATCH.with_borrow_mut(|scratch| scratch.multiply(run.kernel, left, right, task, finish));
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

/// Rows and panels of a product that no other task has.
struct Task<'a> {
    rows: Range<usize>,
    panels: Range<usize>,
    target: &'a Shared<'a>,
}

impl Scratch {
    fn multiply(
        &mut self,
        kernel: Kernel,
        left: Source<'_>,
        right: &Panels,
        task: Task<'_>,
        finish: &impl Fn(Part<'_>),
    ) {
        let precision = right.precision();
        self.block.fill(precision, left, task.rows.start, task.rows.len(), most_rows(right));
        if !right.foreign().is_empty() {
            return self.multiply_foreign(right, task, finish);
        }
        let Task { rows, panels, target } = task;
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
                // SAFETY: a task has its rows and panels to itself, and comes to this tile and panel once.
                let target = unsafe { target.part(row..row + a.rows, column..column + width) };
                finish(Part { row, column, sums, stride: COLUMNS, target });
            }
        }
    }

    /// Has numkong multiply by some groups.
    fn multiply_foreign(&mut self, right: &Panels, task: Task<'_>, finish: &impl Fn(Part<'_>)) {
        let Task { rows, panels: groups, target } = task;
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
            // SAFETY: a task has its rows and groups to itself, and comes to this group once.
            let target = unsafe { target.part(rows.clone(), column..column + width) };
            finish(Part { row: rows.start, column, sums, stride: width, target });
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
