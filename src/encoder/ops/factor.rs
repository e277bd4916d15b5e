//! The left factor of a product, packed in the order in which the inner loop reads it. Also the packing of columns,
//! which the right factor uses too.

use super::kernel::EncoderPrecision;
use super::memory::Lines;
use super::simd;
use super::tile::{INT16_LEFT, LINE, Line, Order};

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
    /// If it reaches beyond the slice.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        let inside = rows == 0 || columns == 0 || (rows - 1) * stride + columns <= data.len();
        assert!(inside, "a factor of {rows} × {columns} reaches beyond its {} numbers", data.len());
        View { data, rows, columns, stride }
    }

    pub(super) fn row(&self, row: usize) -> &'a [f32] {
        &self.data[row * self.stride..][..self.columns]
    }
}

/// How many numbers of a precision fit into a 32-bit word.
fn per_word(precision: EncoderPrecision) -> usize {
    match precision {
        EncoderPrecision::F32 => 1,
        EncoderPrecision::Bf16 | EncoderPrecision::Int16 => 2,
        EncoderPrecision::Int8 => 4,
    }
}

/// The number of words that hold `depth` numbers.
pub(super) fn words(precision: EncoderPrecision, depth: usize) -> usize {
    depth.div_ceil(per_word(precision))
}

/// Where the left factor's numbers come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// The factor's rows.
    Rows(View<'a>),
    /// The factor's rows, each multiplied by a vector. For int8 only.
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
    /// The scale and zero point of each row, for integers.
    scales: Vec<(f32, f32)>,
    buffer: Vec<f32>,
    /// Reciprocal scales, for int16 packed from columns.
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
    /// Packs `rows` rows from `first` on, in tiles of at most `most` rows.
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

    /// The first row and the number of rows of a tile. Tiles are of even height, because a low tile is no faster.
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

    /// The row-major lines and how many a row has. All tiles must have one row.
    pub(super) fn plain(&self) -> (&[Line], usize) {
        debug_assert_eq!(self.tiles, self.rows);
        (&self.lines, self.words.div_ceil(LINE))
    }

    pub(super) fn scales(&self) -> &[(f32, f32)] {
        &self.scales
    }

    /// Shifts int8 numbers from 0..=255 to -128..=127.
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
            let take = |_, scale| self.scales.push((scale, 0.0));
            int16_scales(view, first, INT16_LEFT, &mut self.inverses, take);
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

/// Packs word `word` of the columns from `first` on, in the bits of an f32: the numbers of its matrix rows. Beyond the
/// last row they are zero. `inverses` come from [`int16_scales`].
pub(super) fn group(
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

/// The int16 scales of the columns from `first` on, so that the largest number of each becomes `largest`. `take` gets
/// them. `inverses`, one for each column and initially 0, receives their reciprocals.
pub(super) fn int16_scales(
    view: View<'_>,
    first: usize,
    largest: i32,
    inverses: &mut [f32],
    mut take: impl FnMut(usize, f32),
) {
    let count = inverses.len();
    (0..view.rows).for_each(|row| simd::keep_largest(&view.row(row)[first..first + count], inverses));
    for (column, inverse) in inverses.iter_mut().enumerate() {
        let scale = (*inverse / largest as f32).max(f32::MIN_POSITIVE);
        *inverse = 1.0 / scale;
        take(column, scale);
    }
}

pub(super) fn words_mut(lines: &mut [Line]) -> &mut [u32] {
    // SAFETY: a line is an array of 16 words without padding, and any bits are a valid word.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LINE) }
}
