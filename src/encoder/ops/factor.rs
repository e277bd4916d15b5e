//! The two factors of a product in the order in which the innermost loop reads them.

use super::amx;
use super::kernel::{EncoderPrecision, Kernel};
use super::memory::Lines;
use super::tile::{COLUMNS, INT16_LEFT, INT16_RIGHT, LINE, Line, Order, ROWS};
use super::{Run, map, map_each, simd};

/// Columns that numkong multiplies at a time: their sums stay in a core's second cache until they are written.
const GROUP: usize = 256;

/// Panels that are filled at once from the rows of a matrix: each row, which may be on a page of its own, then gives 512
/// bytes.
const AT_ONCE: usize = 4;

/// A row-major matrix inside a slice.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    data: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    stride: usize,
}

impl<'a> View<'a> {
    /// A matrix whose rows start `stride` apart.
    ///
    /// # Panics
    /// If it reaches beyond its slice.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        let inside = rows == 0 || columns == 0 || (rows - 1) * stride + columns <= data.len();
        assert!(inside, "a factor of {rows} × {columns} reaches beyond its {} numbers", data.len());
        View { data, rows, columns, stride }
    }

    pub(super) fn row(&self, row: usize) -> &'a [f32] {
        &self.data[row * self.stride..][..self.columns]
    }
}

/// How many numbers of a precision fill a word of 32 bits.
fn per_word(precision: EncoderPrecision) -> usize {
    match precision {
        EncoderPrecision::F32 => 1,
        EncoderPrecision::Bf16 | EncoderPrecision::Int16 => 2,
        EncoderPrecision::Int8 => 4,
    }
}

/// Words of a sum over `depth` numbers.
pub(super) fn words(precision: EncoderPrecision, depth: usize) -> usize {
    depth.div_ceil(per_word(precision))
}

/// Where the left factor's numbers come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// The factor's rows.
    Rows(View<'a>),
    /// The factor's rows, each multiplied by a vector. For int8.
    Smoothed(View<'a>, &'a [f32]),
    /// The factor is the transpose of this.
    Columns(View<'a>),
}

impl Source<'_> {
    pub(super) fn rows(&self) -> usize {
        match self {
            Source::Rows(view) | Source::Smoothed(view, _) => view.rows,
            Source::Columns(view) => view.columns,
        }
    }

    pub(super) fn depth(&self) -> usize {
        match self {
            Source::Rows(view) | Source::Smoothed(view, _) => view.columns,
            Source::Columns(view) => view.rows,
        }
    }
}

/// Some rows of a left factor, cut into tiles.
#[derive(Default)]
pub(super) struct Block {
    lines: Lines,
    rows: usize,
    tiles: usize,
    words: usize,
    order: Option<Order>,
    /// Of integers: what a row's numbers were divided by, and the integer that stands for zero.
    scales: Vec<(f32, f32)>,
    buffer: Vec<f32>,
    /// Of int16 from columns: what each is multiplied by.
    inverses: Vec<f32>,
}

/// A tile of a block: its rows and their words.
pub(super) struct TileOf<'a> {
    pub(super) first: usize,
    pub(super) rows: usize,
    pub(super) order: Order,
    pub(super) words: *const u32,
    pub(super) scales: &'a [(f32, f32)],
}

impl Block {
    /// Takes `rows` rows from row `first` on, in tiles of at most `most` rows.
    pub(super) fn fill(
        &mut self,
        precision: EncoderPrecision,
        source: Source<'_>,
        first: usize,
        rows: usize,
        most: usize,
    ) {
        self.rows = rows;
        self.words = words(precision, source.depth());
        self.tiles = rows.div_ceil(most);
        self.lines.fit(rows * self.words.div_ceil(LINE));
        self.scales.clear();
        match source {
            Source::Rows(view) => self.fill_rows(precision, view, first, None),
            Source::Smoothed(view, factors) => {
                assert_eq!(precision, EncoderPrecision::Int8, "only int8 has its inputs smoothed");
                self.fill_rows(precision, view, first, Some(factors));
            }
            Source::Columns(view) => self.fill_columns(precision, view, first),
        }
    }

    /// First row and number of rows of a tile: tiles are as even as can be, since one of few rows runs no faster.
    fn span(&self, tile: usize) -> (usize, usize) {
        let (even, more) = (self.rows / self.tiles, self.rows % self.tiles);
        (tile * even + tile.min(more), even + usize::from(tile < more))
    }

    pub(super) fn tiles(&self) -> impl Iterator<Item = TileOf<'_>> {
        let order = self.order.unwrap_or(Order::Rows);
        (0..self.tiles).map(move |tile| {
            let (first, rows) = self.span(tile);
            TileOf {
                first,
                rows,
                order,
                words: self.lines[first * self.words.div_ceil(LINE)..].as_ptr().cast(),
                scales: self.scales.get(first..first + rows).unwrap_or_default(),
            }
        })
    }

    /// Row-major numbers, if the tiles have one row each: rows start this many lines apart.
    pub(super) fn plain(&self) -> (&[Line], usize) {
        debug_assert_eq!(self.tiles, self.rows);
        (&self.lines, self.words.div_ceil(LINE))
    }

    pub(super) fn scales(&self) -> &[(f32, f32)] {
        &self.scales
    }

    /// Turns int8 numbers from 0 to 255 into those from -128 to 127.
    pub(super) fn make_signed(&mut self) {
        if !self.scales.is_empty() {
            words_mut(&mut self.lines).iter_mut().for_each(|word| *word ^= 0x8080_8080);
            self.scales.iter_mut().for_each(|(_, zero)| *zero -= 128.0);
        }
    }

    fn fill_rows(
        &mut self,
        precision: EncoderPrecision,
        view: View<'_>,
        first: usize,
        factors: Option<&[f32]>,
    ) {
        self.order = Some(Order::Rows);
        let lines_a_row = self.words.div_ceil(LINE);
        for tile in 0..self.tiles {
            let (start, rows) = self.span(tile);
            let lines = &mut self.lines[start * lines_a_row..(start + rows) * lines_a_row];
            for row in 0..rows {
                let numbers = view.row(first + start + row);
                let into = &mut lines[row..];
                match precision {
                    EncoderPrecision::F32 => simd::f32_lines(numbers, into, rows),
                    EncoderPrecision::Bf16 => simd::bf16_lines(numbers, into, rows),
                    EncoderPrecision::Int16 => self.scales.push(simd::int16_lines(numbers, into, rows)),
                    EncoderPrecision::Int8 => {
                        self.scales.push(simd::int8_lines(numbers, factors, into, rows));
                    }
                }
            }
        }
    }

    fn fill_columns(&mut self, precision: EncoderPrecision, view: View<'_>, first: usize) {
        self.order = Some(Order::Columns);
        self.inverses.clear();
        if precision == EncoderPrecision::Int16 {
            self.inverses.resize(self.rows, 0.0);
            let scales = int16_scales(view, first, INT16_LEFT, &mut self.inverses);
            self.scales.extend(scales.map(|scale| (scale, 0.0)));
        }
        let lines_a_row = self.words.div_ceil(LINE);
        let spans: Vec<_> = (0..self.tiles).map(|tile| self.span(tile)).collect();
        let all = words_mut(&mut self.lines);
        let mut row_words = std::mem::take(&mut self.buffer);
        row_words.resize(self.rows, 0.0);
        for word in 0..lines_a_row * LINE {
            group(precision, view, word, first, &self.inverses, &mut row_words);
            for &(start, rows) in &spans {
                let at = start * lines_a_row * LINE + word * rows;
                for (into, from) in all[at..at + rows].iter_mut().zip(&row_words[start..start + rows]) {
                    *into = from.to_bits();
                }
            }
        }
        self.buffer = row_words;
    }
}

/// Word `word` of the columns from `first` on: what its rows of the matrix hold there, in the bits of an f32; zero
/// beyond the last row. `inverses` are those of [`int16_scales`].
fn group(
    precision: EncoderPrecision,
    view: View<'_>,
    word: usize,
    first: usize,
    inverses: &[f32],
    into: &mut [f32],
) {
    let count = into.len();
    let row = |row: usize| (row < view.rows).then(|| &view.row(row)[first..first + count]);
    let Some(numbers) = row(word * per_word(precision)) else { return into.fill(0.0) };
    if precision == EncoderPrecision::F32 {
        return into.copy_from_slice(numbers);
    }
    let next = row(word * 2 + 1);
    match precision {
        EncoderPrecision::Int16 => simd::int16_pairs(numbers, next.unwrap_or(numbers), inverses, into),
        EncoderPrecision::Bf16 => simd::bf16_pairs(numbers, next.unwrap_or(numbers), into),
        _ => unreachable!("{precision} has a factor made of rows"),
    }
    if next.is_none() {
        into.iter_mut().for_each(|word| *word = f32::from_bits(word.to_bits() & 0xffff));
    }
}

/// What the integers of columns from `first` on stand for, if the largest number of each becomes `largest`. In
/// `inverses`, one for each column and 0 before, is left what its numbers are to be multiplied by to become integers.
fn int16_scales<'a>(
    view: View<'_>,
    first: usize,
    largest: i32,
    inverses: &'a mut [f32],
) -> impl Iterator<Item = f32> + 'a {
    let count = inverses.len();
    (0..view.rows).for_each(|row| simd::keep_largest(&view.row(row)[first..first + count], inverses));
    inverses.iter_mut().map(move |inverse| {
        let scale = (*inverse / largest as f32).max(f32::MIN_POSITIVE);
        *inverse = 1.0 / scale;
        scale
    })
}

fn words_mut(lines: &mut [Line]) -> &mut [u32] {
    // SAFETY: a line is an array of 16 words without padding, and any bits make a word.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LINE) }
}

/// Of the columns of a right factor in integers, each.
#[derive(Default)]
pub(super) struct ColumnScales {
    /// What its numbers were divided by.
    units: Vec<f32>,
    /// The sum of its integers.
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

    /// Makes room for some columns, all zero, and gives those of [`AT_ONCE`] panels at a time; beyond the last, none.
    fn parts(&mut self, columns: usize) -> impl Iterator<Item = (&mut [f32], &mut [f32])> {
        self.units.resize(columns, 0.0);
        self.totals.resize(columns, 0.0);
        let none = std::iter::repeat_with(|| (Default::default(), Default::default()));
        let columns = AT_ONCE * COLUMNS;
        self.units.chunks_mut(columns).zip(self.totals.chunks_mut(columns)).chain(none)
    }

    /// Units and totals of `width` columns.
    pub(super) fn of(&self, column: usize, width: usize) -> (&[f32], &[f32]) {
        (&self.units[column..][..width], &self.totals[column..][..width])
    }
}

/// A right factor, in panels of [`COLUMNS`] columns, each the words of one step after the other.
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

    /// The groups of [`GROUP`] columns that numkong multiplies; none where we do.
    pub(super) fn foreign(&self) -> &[amx::Packed] {
        &self.foreign
    }

    /// The columns of a panel or, where there are any, of a group.
    pub(super) fn step(&self) -> usize {
        if self.foreign.is_empty() { COLUMNS } else { GROUP }
    }

    /// The words of a panel.
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

    /// Takes the transposes of matrices side by side: a column here is a row of one of them. For int8 the numbers are
    /// multiplied by a vector first.
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
        let mut scaled = vec![0.0; if factors.is_some() { depth } else { 0 }];
        let rows = parts.iter().flat_map(|part| (0..part.rows).map(|row| part.row(row)));
        for (column, numbers) in rows.enumerate() {
            let numbers = match factors {
                Some(factors) => {
                    simd::multiply(numbers, factors, &mut scaled);
                    &scaled
                }
                None => numbers,
            };
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

    /// Takes a matrix as it is: a column here is a column there.
    pub(super) fn fill(&mut self, run: Run, precision: EncoderPrecision, view: View<'_>) {
        if run.kernel == Kernel::Amx && precision != EncoderPrecision::F32 {
            self.resize(precision, view.rows, 0);
            self.columns = view.columns;
            self.foreign = map_each(run.threads, view.columns.div_ceil(GROUP), |group| {
                let (first, mut block) = (group * GROUP, Block::default());
                let columns = GROUP.min(view.columns - first);
                block.fill(precision, Source::Columns(view), first, columns, 1);
                amx::Packed::new(precision, block.plain(), columns, view.rows)
            });
            return;
        }
        self.resize(precision, view.rows, view.columns);
        let panel_words = self.words() * COLUMNS;
        let used = &mut words_mut(&mut self.lines)[..view.columns.div_ceil(COLUMNS) * panel_words];
        let scaled = if precision == EncoderPrecision::Int16 { view.columns } else { 0 };
        let parts =
            used.chunks_mut((AT_ONCE * panel_words).max(1)).zip(self.scales.parts(scaled)).enumerate();
        if run.threads == 1 {
            parts.for_each(|part| fill_panels(precision, view, part));
        } else {
            map(run.threads, parts.collect(), |part| fill_panels(precision, view, part));
        }
    }

    fn fill_foreign(&mut self, precision: EncoderPrecision, parts: &[View<'_>], factors: Option<&[f32]>) {
        let depth = parts.first().map_or(0, |part| part.columns);
        let columns = parts.iter().map(|part| part.rows).sum();
        self.resize(precision, depth, 0);
        self.columns = columns;
        let lines_a_row = self.words().div_ceil(LINE);
        let mut lines = vec![Line([0; LINE]); columns * lines_a_row];
        let mut scaled = vec![0.0; depth];
        let rows = parts.iter().flat_map(|part| (0..part.rows).map(|row| part.row(row)));
        for (numbers, into) in rows.zip(lines.chunks_exact_mut(lines_a_row.max(1))) {
            let numbers = match factors {
                Some(factors) => {
                    simd::multiply(numbers, factors, &mut scaled);
                    &scaled
                }
                None => numbers,
            };
            match precision {
                EncoderPrecision::Int8 => self.scales.push(simd::int8_weight_lines(numbers, into)),
                _ => simd::bf16_lines(numbers, into, 1),
            }
        }
        self.foreign = groups(precision, (&lines, lines_a_row), columns, depth);
    }
}

/// Some panels by the number of the part: their words, and units and totals of their columns where they are integers.
type PanelsOf<'a> = (usize, (&'a mut [u32], (&'a mut [f32], &'a mut [f32])));

/// Fills at most [`AT_ONCE`] panels with their columns of a matrix.
fn fill_panels(precision: EncoderPrecision, view: View<'_>, (part, (words, (units, totals))): PanelsOf<'_>) {
    let first = part * AT_ONCE * COLUMNS;
    let (mut inverses, mut numbers) = ([0.0; AT_ONCE * COLUMNS], [0.0; AT_ONCE * COLUMNS]);
    let numbers = &mut numbers[..(view.columns - first).min(AT_ONCE * COLUMNS)];
    let inverses = &mut inverses[..units.len()];
    if precision == EncoderPrecision::Int16 {
        let scales = int16_scales(view, first, INT16_RIGHT, inverses);
        units.iter_mut().zip(scales).for_each(|(unit, scale)| *unit = scale);
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

/// The most rows of a tile where a kernel multiplies by these panels.
pub(super) fn most_rows(panels: &Panels) -> usize {
    if !panels.foreign.is_empty() { 1 } else { ROWS }
}
