//! Products on Advanced Matrix Extensions. numkong has them in C, because stable Rust lacks the instructions.
//!
//! numkong chooses its kernel at run time, so this code also runs, and is tested, on processors without AMX.

use std::cell::Cell;

use numkong::{Dots, bf16, capabilities};

use super::kernel::EncoderPrecision;
use super::tile::{LINE, Line};

/// A right factor in numkong's own layout.
pub(super) struct Packed {
    bytes: Vec<Line>,
    columns: usize,
    depth: usize,
    int8: bool,
}

/// Row-major numbers: their lines, and the lines of a row.
pub(super) type Plain<'a> = (&'a [Line], usize);

const BYTES: usize = LINE * 4;

impl Packed {
    /// Packs the transpose of a matrix of `columns` rows of `depth` numbers each.
    pub(super) fn new(precision: EncoderPrecision, plain: Plain<'_>, columns: usize, depth: usize) -> Packed {
        let int8 = precision == EncoderPrecision::Int8;
        let (from, stride) = (plain.0.as_ptr(), plain.1 * BYTES);
        assert!(columns * plain.1 <= plain.0.len() && depth <= plain.1 * BYTES, "a factor is cut off");
        let size = match int8 {
            true => i8::dots_packed_size(columns, depth),
            false => bf16::dots_packed_size(columns, depth),
        };
        let mut bytes = vec![Line([0; LINE]); size.div_ceil(BYTES)];
        // SAFETY: the check above shows that the source holds `columns` rows of `depth` numbers, `stride` bytes apart.
        // The target has the size that numkong asks for and the alignment of a cache line.
        unsafe {
            match int8 {
                true => i8::dots_pack(from.cast(), columns, depth, stride, bytes.as_mut_ptr().cast()),
                false => bf16::dots_pack(from.cast(), columns, depth, stride, bytes.as_mut_ptr().cast()),
            }
        }
        Packed { bytes, columns, depth, int8 }
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Writes `rows` rows of `columns` sums each: f32, or the bits of i32.
    pub(super) fn multiply(&self, left: Plain<'_>, rows: usize, into: &mut [f32]) {
        thread_local!(static CONFIGURED: Cell<bool> = const { Cell::new(false) });
        if !CONFIGURED.replace(true) {
            capabilities::configure_thread();
        }
        let (from, stride) = (left.0.as_ptr(), left.1 * BYTES);
        assert!(rows * left.1 <= left.0.len() && rows * self.columns <= into.len(), "a product does not fit");
        let (packed, out) = (self.bytes.as_ptr().cast(), into.as_mut_ptr());
        let (columns, depth) = (self.columns, self.depth);
        // SAFETY: both sides were checked to hold the rows. `packed` was packed for these columns and this depth. f32
        // and i32 have the same size, and any bits are valid for both.
        unsafe {
            match self.int8 {
                true => i8::dots_packed(
                    from.cast(),
                    packed,
                    out.cast(),
                    rows,
                    columns,
                    depth,
                    stride,
                    columns * 4,
                ),
                false => {
                    bf16::dots_packed(from.cast(), packed, out, rows, columns, depth, stride, columns * 4)
                }
            }
        }
    }
}
