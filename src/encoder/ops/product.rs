//! The product of two factors, block by block, tile by tile.

use std::cell::RefCell;
use std::ops::Range;

use super::factor::{Block, Source, words};
use super::kernel::{EncoderPrecision, Kernel};
use super::panels::{Panels, most_rows};
use super::part::Part;
use super::run::{Run, each};
use super::simd;
use super::target::Target;
use super::tile::{self, COLUMNS, Multiply, ROWS, Tile};

/// Bytes of the left factor that stay in a core's second cache beside the panel that they are multiplied with.
const BLOCK_BYTES: usize = 512 * 1024;

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
