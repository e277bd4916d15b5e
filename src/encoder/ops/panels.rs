//! The right factor of a product, packed in the order in which the inner loop reads it.

use std::cell::RefCell;

use super::factor::{Block, Source, View, group, int16_scales, words, words_mut};
use super::kernel::{EncoderPrecision, Kernel};
use super::memory::Lines;
use super::run::{Run, map, map_each};
use super::tile::{COLUMNS, INT16_RIGHT, LINE, Line, ROWS};
use super::{amx, simd};

/// Columns that numkong multiplies at a time. Their sums stay in the L2 cache until they are written.
const GROUP: usize = 256;

/// Panels that are filled at once from the rows of a matrix. It reads 512 bytes of each row, which may be on a page of
/// its own.
const AT_ONCE: usize = 4;

thread_local! {
    /// Scratch memory to transpose columns for numkong. Kept, because a training step fills it hundreds of times.
    static TURNED: RefCell<Block> = RefCell::default();
}

/// Scales of the columns of an integer right factor.
#[derive(Default)]
pub(super) struct ColumnScales {
    /// The quantisation scale of each column.
    units: Vec<f32>,
    /// The sum of each column's integers.
    totals: Vec<f32>,
}

impl ColumnScales {
    fn push(&mut self, (unit, total): (f32, f32)) {
        self.units.push(unit);
        self.totals.push(total);
    }

    fn clear(&mut self) {
        self.units.clear();
        self.totals.clear();
    }

    /// Resizes to `columns` columns of zeros and yields those of [`AT_ONCE`] panels at a time, then empty slices for
    /// ever.
    fn parts(&mut self, columns: usize) -> impl Iterator<Item = (&mut [f32], &mut [f32])> {
        self.clear();
        self.units.resize(columns, 0.0);
        self.totals.resize(columns, 0.0);
        let none = std::iter::repeat_with(|| (Default::default(), Default::default()));
        let columns = AT_ONCE * COLUMNS;
        self.units.chunks_mut(columns).zip(self.totals.chunks_mut(columns)).chain(none)
    }

    /// Scales and sums of `width` columns from `column` on.
    pub(super) fn of(&self, column: usize, width: usize) -> (&[f32], &[f32]) {
        (&self.units[column..][..width], &self.totals[column..][..width])
    }
}

/// A right factor in panels of [`COLUMNS`] columns. A panel stores the words of one step after another.
#[derive(Default)]
pub(in crate::encoder) struct Panels {
    lines: Lines,
    columns: usize,
    depth: usize,
    precision: EncoderPrecision,
    scales: ColumnScales,
    foreign: Vec<amx::Packed>,
    buffer: Lines,
}

impl Panels {
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn precision(&self) -> EncoderPrecision {
        self.precision
    }

    pub(super) fn words(&self) -> usize {
        words(self.precision, self.depth)
    }

    pub(super) fn scales(&self) -> &ColumnScales {
        &self.scales
    }

    /// The groups of [`GROUP`] columns for numkong. Empty if our own kernels multiply.
    pub(super) fn foreign(&self) -> &[amx::Packed] {
        &self.foreign
    }

    /// Columns of a group if there are any, else of a panel.
    pub(super) fn step(&self) -> usize {
        if self.foreign.is_empty() { COLUMNS } else { GROUP }
    }

    /// The packed words of a panel.
    pub(super) fn panel(&self, panel: usize) -> *const u32 {
        self.lines[panel * self.words() * (COLUMNS / LINE)..].as_ptr().cast()
    }

    fn resize(&mut self, precision: EncoderPrecision, depth: usize, columns: usize) {
        (self.precision, self.depth, self.columns) = (precision, depth, columns);
        self.scales.clear();
        self.foreign.clear();
        let lines = columns.div_ceil(COLUMNS) * self.words() * (COLUMNS / LINE);
        self.lines.fit(lines);
    }

    /// Packs the transposes of matrices side by side: a column here is a row of one of them. For int8, the rows are
    /// first multiplied by a vector.
    pub(super) fn fill_transposed(
        &mut self,
        kernel: Kernel,
        precision: EncoderPrecision,
        parts: &[View<'_>],
        factors: Option<&[f32]>,
    ) {
        let depth = parts.first().map_or(0, |part| part.columns);
        let columns = parts.iter().map(|part| part.rows).sum();
        if kernel == Kernel::Amx && precision != EncoderPrecision::F32 {
            return self.fill_foreign(precision, parts, factors);
        }
        self.resize(precision, depth, columns);
        let (words, lines_a_row) = (self.words(), self.words().div_ceil(LINE));
        self.buffer.fit(lines_a_row);
        let mut room = vec![0.0; if factors.is_some() { depth } else { 0 }];
        let rows = parts.iter().flat_map(|part| (0..part.rows).map(|row| part.row(row)));
        for (column, numbers) in rows.enumerate() {
            let numbers = smoothed(numbers, factors, &mut room);
            match precision {
                EncoderPrecision::F32 => simd::f32_lines(numbers, &mut self.buffer, 1),
                EncoderPrecision::Bf16 => simd::bf16_lines(numbers, &mut self.buffer, 1),
                EncoderPrecision::Int16 => {
                    self.scales.push(simd::int16_weight_lines(numbers, &mut self.buffer));
                }
                EncoderPrecision::Int8 => {
                    self.scales.push(simd::int8_weight_lines(numbers, &mut self.buffer));
                }
            }
            let panel = column / COLUMNS * words * COLUMNS;
            let into = &mut words_mut(&mut self.lines)[panel..panel + words * COLUMNS];
            let from = self.buffer.iter().flat_map(|line| line.0);
            for (step, word) in into.chunks_exact_mut(COLUMNS).zip(from) {
                step[column % COLUMNS] = word;
            }
        }
    }

    /// Packs a matrix as it is: its columns are the columns here.
    pub(super) fn fill(&mut self, run: Run, precision: EncoderPrecision, view: View<'_>) {
        if run.kernel == Kernel::Amx && precision != EncoderPrecision::F32 {
            self.resize(precision, view.rows, 0);
            self.columns = view.columns;
            self.foreign = map_each(run.threads, view.columns.div_ceil(GROUP), |group| {
                let first = group * GROUP;
                let columns = GROUP.min(view.columns - first);
                TURNED.with_borrow_mut(|block| {
                    block.fill(precision, Source::Columns(view), first, columns, 1);
                    amx::Packed::new(precision, block.plain(), columns, view.rows)
                })
            });
            return;
        }
        self.resize(precision, view.rows, view.columns);
        let panel_words = self.words() * COLUMNS;
        let used = &mut words_mut(&mut self.lines)[..view.columns.div_ceil(COLUMNS) * panel_words];
        let scaled = if precision == EncoderPrecision::Int16 { view.columns } else { 0 };
        let parts =
            used.chunks_mut((AT_ONCE * panel_words).max(1)).zip(self.scales.parts(scaled)).enumerate();
        let parts = parts.map(|(part, (words, (units, totals)))| {
            let first = part * AT_ONCE * COLUMNS;
            PartOf { first, words, units, totals }
        });
        // A query runs on one thread here and allocates nothing.
        if run.threads == 1 {
            parts.for_each(|part| fill_part(precision, view, part));
        } else {
            map(run.threads, parts.collect(), |part| fill_part(precision, view, part));
        }
    }

    fn fill_foreign(&mut self, precision: EncoderPrecision, parts: &[View<'_>], factors: Option<&[f32]>) {
        let depth = parts.first().map_or(0, |part| part.columns);
        let columns = parts.iter().map(|part| part.rows).sum();
        self.resize(precision, depth, 0);
        self.columns = columns;
        let lines_a_row = self.words().div_ceil(LINE);
        let mut lines = vec![Line([0; LINE]); columns * lines_a_row];
        let mut room = vec![0.0; if factors.is_some() { depth } else { 0 }];
        let rows = parts.iter().flat_map(|part| (0..part.rows).map(|row| part.row(row)));
        for (numbers, into) in rows.zip(lines.chunks_exact_mut(lines_a_row.max(1))) {
            let numbers = smoothed(numbers, factors, &mut room);
            match precision {
                EncoderPrecision::Int8 => self.scales.push(simd::int8_weight_lines(numbers, into)),
                _ => simd::bf16_lines(numbers, into, 1),
            }
        }
        self.foreign = groups(precision, (&lines, lines_a_row), columns, depth);
    }
}

/// A row times the smoothing factors, if there are any. `room` holds the result.
fn smoothed<'a>(row: &'a [f32], factors: Option<&[f32]>, room: &'a mut [f32]) -> &'a [f32] {
    let Some(factors) = factors else { return row };
    simd::multiply(row, factors, room);
    room
}

/// At most [`AT_ONCE`] panels.
struct PartOf<'a> {
    /// The first column.
    first: usize,
    words: &'a mut [u32],
    /// Quantisation scales of the columns, for integers.
    units: &'a mut [f32],
    totals: &'a mut [f32],
}

/// Fills some panels from their columns of a matrix.
fn fill_part(precision: EncoderPrecision, view: View<'_>, part: PartOf<'_>) {
    let PartOf { first, words, units, totals } = part;
    let (mut inverses, mut numbers) = ([0.0; AT_ONCE * COLUMNS], [0.0; AT_ONCE * COLUMNS]);
    let numbers = &mut numbers[..(view.columns - first).min(AT_ONCE * COLUMNS)];
    let inverses = &mut inverses[..units.len()];
    if precision == EncoderPrecision::Int16 {
        int16_scales(view, first, INT16_RIGHT, inverses, |column, scale| units[column] = scale);
    }
    let panel_words = words.len() / numbers.len().div_ceil(COLUMNS);
    for word in 0..panel_words / COLUMNS {
        group(precision, view, word, first, inverses, numbers);
        for (panel, numbers) in numbers.chunks(COLUMNS).enumerate() {
            let into = &mut words[panel * panel_words + word * COLUMNS..][..COLUMNS];
            into.iter_mut().zip(numbers).for_each(|(into, from)| *into = from.to_bits());
            if let Some(totals) = totals.chunks_mut(COLUMNS).nth(panel) {
                simd::add_int16_pairs(into, totals);
            }
        }
    }
}

/// Packs the transpose of `columns` rows of `depth` numbers each.
fn groups(
    precision: EncoderPrecision,
    (lines, lines_a_row): amx::Plain<'_>,
    columns: usize,
    depth: usize,
) -> Vec<amx::Packed> {
    let pack = |first: usize| {
        let lines = &lines[first * lines_a_row..];
        amx::Packed::new(precision, (lines, lines_a_row), GROUP.min(columns - first), depth)
    };
    (0..columns).step_by(GROUP).map(pack).collect()
}

/// The most rows of a tile for these panels.
pub(super) fn most_rows(panels: &Panels) -> usize {
    if !panels.foreign.is_empty() { 1 } else { ROWS }
}
