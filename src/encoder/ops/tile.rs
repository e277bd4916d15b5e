//! The inner loop of a matrix product: up to [`ROWS`] rows of the left factor times [`COLUMNS`] columns of the right.
//!
//! Numbers are packed in 32-bit words: one f32, two bf16 or int16, or four int8 that are consecutive along the summed
//! dimension. One instruction multiplies a word of each factor and adds the products to an f32 or i32, so the loop is
//! the same for every format.

/// The most rows of the left factor in a tile. With two vectors of sums for each row, they fill the registers of
/// AVX-512.
pub(super) const ROWS: usize = 12;
/// Columns of the right factor in a tile: two vectors of AVX-512.
pub(super) const COLUMNS: usize = 32;
/// Words in a cache line.
pub(super) const LINE: usize = 16;

/// The largest integers of int16 factors, left and right, and how many of their products an i32 can always sum.
pub(super) const INT16_LEFT: i32 = 4095;
pub(super) const INT16_RIGHT: i32 = 2047;
pub(super) const INT16_EXACT: usize = 256;
const _: () = assert!(INT16_LEFT as i64 * INT16_RIGHT as i64 * INT16_EXACT as i64 <= i32::MAX as i64);

/// How many words ahead AVX-512 prefetches a panel. A query waits more for memory than for arithmetic.
const AHEAD: usize = 32 * COLUMNS;

/// A cache line of words.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u32; LINE]);

/// The sums of a tile, row by row: f32, or the bits of i32.
#[repr(C, align(64))]
pub(super) struct Tile(pub(super) [[f32; COLUMNS]; ROWS]);

/// The memory layout of a block of the left factor. In both orders, the words of `LINE` steps take as many cache lines
/// as the block has rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// A line of each row after the other.
    Rows,
    /// A word of each row after the other.
    Columns,
}

/// `(rows, order, words, a, b, tile)`: multiplies 1 to [`ROWS`] rows of `words` words each with a panel of `words`
/// steps.
///
/// # Safety
/// `a` and `b` point to that many words, aligned to a cache line. The processor has the kernel's instructions.
pub(super) type Multiply = unsafe fn(usize, Order, usize, *const u32, *const u32, &mut Tile);

/// Calls the instance of `tile` for a number of rows and an order.
macro_rules! instance {
    ($tile:ident($rows:expr, $order:expr), $arguments:tt, $($r:literal)*) => {
        match ($rows, $order) {
            $(
                // SAFETY: the caller of `multiply` promises this.
                ($r, Order::Rows) => unsafe { $tile::<$r, LINE, 1> $arguments },
                // SAFETY: as above.
                ($r, Order::Columns) => unsafe { $tile::<$r, 1, $r> $arguments },
            )*
            _ => unreachable!("a tile has 1 to {ROWS} rows"),
        }
    };
}

macro_rules! of_avx512 {
    ($name:ident, $features:literal, $zero:ident, $vector:ty, |$sum:ident, $x:ident, $y:ident| $step:expr) => {
        #[cfg(target_arch = "x86_64")]
        pub(super) mod $name {
            use super::*;
            use std::arch::x86_64::*;

            #[target_feature(enable = $features)]
            fn tile<const R: usize, const ROW: usize, const STEP: usize>(
                words: usize,
                a: *const u32,
                b: *const u32,
                into: &mut Tile,
            ) {
                let mut sums: [[$vector; 2]; R] = [[$zero(); 2]; R];
                let (mut a, mut b, mut left) = (a, b, words);
                // SAFETY: every word of `a` and `b` is read once, in order, and both have `words` words.
                unsafe {
                    while left > 0 {
                        let here = left.min(LINE);
                        let mut word = a;
                        for _ in 0..here {
                            _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(AHEAD).cast());
                            _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(AHEAD + LINE).cast());
                            let (b0, b1) = (_mm512_load_si512(b.cast()), _mm512_load_si512(b.add(LINE).cast()));
                            for r in 0..R {
                                let $x = _mm512_set1_epi32(*word.add(r * ROW).cast());
                                let ($sum, $y) = (sums[r][0], b0);
                                sums[r][0] = $step;
                                let ($sum, $y) = (sums[r][1], b1);
                                sums[r][1] = $step;
                            }
                            word = word.add(STEP);
                            b = b.add(COLUMNS);
                        }
                        left -= here;
                        a = a.add(R * LINE);
                    }
                    for (row, sums) in into.0.iter_mut().zip(sums) {
                        row.as_mut_ptr().cast::<[$vector; 2]>().write(sums);
                    }
                }
            }

            /// # Safety
            /// As [`Multiply`].
            pub(in super::super) unsafe fn multiply(
                rows: usize,
                order: Order,
                words: usize,
                a: *const u32,
                b: *const u32,
                into: &mut Tile,
            ) {
                instance!(tile(rows, order), (words, a, b, into), 1 2 3 4 5 6 7 8 9 10 11 12)
            }
        }
    };
}

of_avx512!(avx512_f32, "avx512f", _mm512_setzero_ps, __m512, |sum, x, y| {
    _mm512_fmadd_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(y), sum)
});
of_avx512!(avx512_bf16, "avx512f,avx512bf16", _mm512_setzero_ps, __m512, |sum, x, y| {
    _mm512_dpbf16_ps(
        sum,
        std::mem::transmute::<__m512i, __m512bh>(x),
        std::mem::transmute::<__m512i, __m512bh>(y),
    )
});
of_avx512!(avx512_int8, "avx512f,avx512vnni", _mm512_setzero_si512, __m512i, |sum, x, y| {
    _mm512_dpbusd_epi32(sum, x, y)
});

/// AVX2 with FMA: six rows by half a panel at a time, which fill its sixteen registers. A panel is larger than the L1
/// cache, so it is cut into parts. All rows of a tile are multiplied with one part before the next.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use super::*;
    use std::arch::x86_64::*;

    const HALF: usize = COLUMNS / 2;
    const AT_ONCE: usize = 6;
    /// Half a panel of this many words takes 8 KiB, and an i32 can sum their products.
    const SOME: usize = INT16_EXACT / 2;
    const _: () = assert!(SOME.is_multiple_of(LINE));

    /// One pass over a part of a panel: half of its columns times some rows.
    struct Pass {
        /// The first column.
        half: usize,
        /// The address to prefetch at the next step.
        ahead: *const u32,
        /// The distance between two prefetches.
        stride: usize,
    }

    impl Pass {
        /// The passes over a part of `words` words prefetch the next part together, a piece at each step. A query waits
        /// for memory as much as for arithmetic, so the loads are spread over all passes.
        fn new(b: *const u32, words: usize, half: usize, number: usize, passes: usize) -> Pass {
            let ahead = b.wrapping_add(words * COLUMNS + number * words * COLUMNS / passes);
            Pass { half, ahead, stride: COLUMNS / passes }
        }

        /// Prefetches into the L2 cache: the L1 cache has no room for both parts.
        #[inline(always)]
        fn ask(&mut self) {
            // SAFETY: a prefetch accepts any address, and every x86-64 processor has the instruction.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(self.ahead.cast()) };
            self.ahead = self.ahead.wrapping_add(self.stride);
        }
    }

    /// Adds the products of `words` words to the sums.
    #[target_feature(enable = "avx2,fma")]
    fn tile_f32<const R: usize, const ROW: usize>(
        rows: usize,
        step: usize,
        words: usize,
        a: *const u32,
        b: *const u32,
        into: &mut [[f32; COLUMNS]],
        mut pass: Pass,
    ) {
        let (mut a, mut b, mut left) = (a.cast::<f32>(), b.cast::<f32>(), words);
        // SAFETY: every word of `a`'s rows and of half of `b` is read once, in order, and there are `words` of them.
        // Half a row of a tile has room for two vectors.
        unsafe {
            let mut sums = [[_mm256_setzero_ps(); 2]; R];
            for (sums, row) in sums.iter_mut().zip(into.iter()) {
                *sums = row[pass.half..pass.half + HALF].as_ptr().cast::<[__m256; 2]>().read_unaligned();
            }
            while left > 0 {
                let here = left.min(LINE);
                let mut word = a;
                for _ in 0..here {
                    pass.ask();
                    let (b0, b1) = (_mm256_load_ps(b), _mm256_load_ps(b.add(8)));
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let x = _mm256_broadcast_ss(&*word.add(r * ROW));
                        sums[0] = _mm256_fmadd_ps(x, b0, sums[0]);
                        sums[1] = _mm256_fmadd_ps(x, b1, sums[1]);
                    }
                    word = word.add(step);
                    b = b.add(COLUMNS);
                }
                left -= here;
                a = a.wrapping_add(rows * LINE);
            }
            for (row, sums) in into.iter_mut().zip(sums) {
                row[pass.half..pass.half + HALF].as_mut_ptr().cast::<[__m256; 2]>().write_unaligned(sums);
            }
        }
    }

    /// Adds the products of at most [`SOME`] words to the f32 sums. Those words are summed in i32 first.
    #[target_feature(enable = "avx2,fma")]
    fn tile_int16<const R: usize, const ROW: usize>(
        rows: usize,
        step: usize,
        words: usize,
        a: *const u32,
        b: *const u32,
        into: &mut [[f32; COLUMNS]],
        mut pass: Pass,
    ) {
        debug_assert!(words <= SOME);
        let (mut a, mut b, mut left) = (a, b, words);
        let mut sums = [[_mm256_setzero_si256(); 2]; R];
        // SAFETY: as in `tile_f32`.
        unsafe {
            while left > 0 {
                let here = left.min(LINE);
                let mut word = a;
                for _ in 0..here {
                    pass.ask();
                    let (b0, b1) = (_mm256_load_si256(b.cast()), _mm256_load_si256(b.add(8).cast()));
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let x = _mm256_set1_epi32(word.add(r * ROW).read().cast_signed());
                        sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(x, b0));
                        sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(x, b1));
                    }
                    word = word.add(step);
                    b = b.add(COLUMNS);
                }
                left -= here;
                a = a.wrapping_add(rows * LINE);
            }
            for (row, sums) in into.iter_mut().zip(sums) {
                for (into, sums) in
                    row[pass.half..pass.half + HALF].as_chunks_mut::<8>().0.iter_mut().zip(sums)
                {
                    let sums = _mm256_add_ps(_mm256_loadu_ps(into.as_ptr()), _mm256_cvtepi32_ps(sums));
                    _mm256_storeu_ps(into.as_mut_ptr(), sums);
                }
            }
        }
    }

    macro_rules! multiply {
        ($d:tt, $name:ident, $tile:ident) => {
            /// # Safety
            /// As [`Multiply`].
            pub(in super::super) unsafe fn $name(
                rows: usize,
                order: Order,
                words: usize,
                a: *const u32,
                b: *const u32,
                into: &mut Tile,
            ) {
                macro_rules! some {
                    ($some:expr, $arguments:tt, $d($r:literal)*) => {
                        match ($some, order) {
                            $d(
                                // SAFETY: the caller promises this.
                                ($r, Order::Rows) => unsafe { $tile::<$r, LINE> $arguments },
                                // SAFETY: as above.
                                ($r, Order::Columns) => unsafe { $tile::<$r, 1> $arguments },
                            )*
                            _ => unreachable!("there are 1 to {AT_ONCE} rows at once"),
                        }
                    };
                }
                let (step, row) = if order == Order::Rows { (1, LINE) } else { (rows, 1) };
                into.0[..rows].as_flattened_mut().fill(0.0);
                for done in (0..words).step_by(SOME) {
                    let words = SOME.min(words - done);
                    let (a, b) = (a.wrapping_add(done * rows), b.wrapping_add(done * COLUMNS));
                    let passes = 2 * rows.div_ceil(AT_ONCE);
                    let firsts = (0..rows).step_by(AT_ONCE);
                    let places = [0, HALF].into_iter().flat_map(|half| firsts.clone().map(move |first| (half, first)));
                    for (number, (half, first)) in places.enumerate() {
                        let pass = Pass::new(b, words, half, number, passes);
                        let (a, b) = (a.wrapping_add(first * row), b.wrapping_add(half));
                        let into = &mut into.0[first..rows.min(first + AT_ONCE)];
                        some!(into.len(), (rows, step, words, a, b, into, pass), 1 2 3 4 5 6);
                    }
                }
            }
        };
    }

    multiply!($, multiply_f32, tile_f32);
    multiply!($, multiply_int16, tile_int16);
}

/// Plain loops, vectorised by the compiler.
pub(super) mod portable {
    use super::*;

    /// # Safety
    /// As [`Multiply`].
    pub(in super::super) unsafe fn multiply(
        rows: usize,
        order: Order,
        words: usize,
        a: *const u32,
        b: *const u32,
        into: &mut Tile,
    ) {
        let (row_step, word_step) = if order == Order::Rows { (LINE, 1) } else { (1, rows) };
        for row in 0..rows {
            let mut sums = [0f32; COLUMNS];
            for word in 0..words {
                let at = word / LINE * rows * LINE + word % LINE * word_step + row * row_step;
                // SAFETY: the caller promises this.
                let (x, b) =
                    unsafe { (f32::from_bits(*a.add(at)), &*b.add(word * COLUMNS).cast::<[f32; COLUMNS]>()) };
                for (sum, y) in sums.iter_mut().zip(b) {
                    *sum += x * y;
                }
            }
            into.0[row] = sums;
        }
    }
}
