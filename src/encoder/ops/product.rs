//! The product of two factors, by blocks and tiles.

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

/// Bytes of a left block, so that it stays in the L2 cache next to the panel that it is multiplied with.
const BLOCK_BYTES: usize = 512 * 1024;

/// The result of a product while several threads write it.
struct Shared<'a>(Target<'a>);

// SAFETY: it only hands out parts, and the caller of `part` promises that they are disjoint.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    /// The part of some rows and columns.
    ///
    /// # Safety
    /// No other live part shares any of its numbers.
    unsafe fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Target<'_> {
        // SAFETY: the caller promises it, and the target itself is not used meanwhile.
        unsafe { self.0.part(rows, columns) }
    }
}

/// Scratch memory of a thread. Kept, so that a query allocates nothing.
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

/// Multiplies, and calls `finish` once for each part of the product, with the part's place in `target`. Parts come in
/// any order and from several threads. The numbers do not depend on the number of threads.
///
/// # Panics
/// If the inner sizes differ, or the target does not have the product's size.
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

/// The number of row blocks and of panel groups to cut a product into. Blocks fit the cache, and there is at least one
/// for each thread. If there are few rows, each thread takes some of the panels instead.
fn cut(threads: usize, rows: usize, right: &Panels) -> (usize, usize) {
    let panels = right.columns().div_ceil(right.step());
    let row_bytes = (words(right.precision(), right.depth()) * 4).max(1);
    let most = (BLOCK_BYTES / row_bytes / ROWS).max(1) * ROWS;
    if threads > 1 && rows < 2 * ROWS * threads {
        return (1, threads.min(panels));
    }
    (rows.div_ceil(most).next_multiple_of(threads.max(1)).min(rows.div_ceil(ROWS)), 1)
}

/// Part number `part` of `0..count` divided into `parts` parts.
fn even(count: usize, parts: usize, part: usize) -> Range<usize> {
    part * count / parts..(part + 1) * count / parts
}

/// Rows and panels of a product that belong to one task alone.
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
                // SAFETY: tile and panel have `steps` words, which was checked when they were filled. The processor has
                // the kernel's instructions, or the kernel would not have been chosen.
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
                // SAFETY: a task owns its rows and panels, and visits this tile and panel once.
                let target = unsafe { target.part(row..row + a.rows, column..column + width) };
                finish(Part { row, column, sums, stride: COLUMNS, target });
            }
        }
    }

    /// Multiplies by some groups with numkong.
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
            // SAFETY: a task owns its rows and groups, and visits this group once.
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
