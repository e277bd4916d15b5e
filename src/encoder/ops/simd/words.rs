//! Conversion of numbers to the 32-bit words that products use, and back.

use super::{LANES, ROUND, mul_add};
use crate::encoder::ops::tile::{INT16_LEFT, INT16_RIGHT, LINE, Line};

/// The number that `keep` selects from a row: its minimum or maximum. 0 for an empty row.
#[inline(always)]
fn extreme(row: &[f32], keep: impl Fn(f32, f32) -> f32) -> f32 {
    let first = row.first().copied().unwrap_or_default();
    let (whole, rest) = row.as_chunks::<LANES>();
    let mut lanes = [first; LANES];
    for numbers in whole {
        for lane in 0..LANES {
            lanes[lane] = keep(lanes[lane], numbers[lane]);
        }
    }
    lanes.iter().chain(rest).fold(first, |a, &b| keep(a, b))
}

/// The nearest bf16, ties to even. A NaN that arithmetic produces stays a NaN.
#[inline(always)]
fn bf16_bits(x: f32) -> u32 {
    let bits = x.to_bits();
    bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16
}

vectorised! {
    /// A row as words, one line of them in every `stride`-th line. Zeros fill the last line.
    fn f32_lines(row: &[f32], lines: &mut [Line], stride: usize), FMA => {
        let _ = FMA;
        for (numbers, line) in row.chunks(LINE).zip(lines.iter_mut().step_by(stride)) {
            if numbers.len() < LINE {
                line.0 = [0; LINE];
            }
            for (word, x) in line.0.iter_mut().zip(numbers) {
                *word = x.to_bits();
            }
        }
    }
}

vectorised! {
    /// [`bf16_lines`] without a conversion instruction.
    fn bf16_lines_by_bits(row: &[f32], lines: &mut [Line], stride: usize), FMA => {
        let _ = FMA;
        for (numbers, line) in row.chunks(2 * LINE).zip(lines.iter_mut().step_by(stride)) {
            let mut halves = [0u16; 2 * LINE];
            for (half, x) in halves.iter_mut().zip(numbers) {
                *half = bf16_bits(*x) as u16;
            }
            for (word, pair) in line.0.iter_mut().zip(halves.as_chunks::<2>().0) {
                *word = u32::from(pair[0]) | u32::from(pair[1]) << 16;
            }
        }
    }
}

/// [`f32_lines`] in bf16, two numbers a word.
pub(in crate::encoder) fn bf16_lines(row: &[f32], lines: &mut [Line], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16") {
        // SAFETY: the processor has the features.
        return unsafe { bf16_lines_avx512(row, lines, stride) };
    }
    bf16_lines_by_bits(row, lines, stride);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn bf16_lines_avx512(row: &[f32], lines: &mut [Line], stride: usize) {
    use std::arch::x86_64::{__m512bh, _mm512_cvtne2ps_pbh, _mm512_loadu_ps};
    let (whole, rest) = row.as_chunks::<{ 2 * LINE }>();
    let mut last = [0.0; 2 * LINE];
    last[..rest.len()].copy_from_slice(rest);
    let rows = whole.iter().chain((!rest.is_empty()).then_some(&last));
    for (numbers, line) in rows.zip(lines.iter_mut().step_by(stride)) {
        // SAFETY: 32 numbers are two vectors. A line is one vector: 64 bytes, in which any bits are valid.
        unsafe {
            let halves = _mm512_cvtne2ps_pbh(
                _mm512_loadu_ps(numbers[LINE..].as_ptr()),
                _mm512_loadu_ps(numbers.as_ptr()),
            );
            *line = std::mem::transmute::<__m512bh, Line>(halves);
        }
    }
}

/// The scale of a row quantised to 0 to 255, given its smallest and largest number. It is positive for a constant row
/// too, so that the row's zero point exists.
#[inline(always)]
fn int8_scale(low: f32, high: f32) -> f32 {
    ((high - low) / 255.0).max(high.abs() * 1e-6).max(f32::MIN_POSITIVE)
}

vectorised! {
    /// [`int8_lines`] without vector instructions for it.
    fn int8_lines_by_bits(row: &[f32], lines: &mut [Line], stride: usize) -> (f32, f32), FMA => {
        const ROUND: f32 = 8_388_608.0; // 2^23: adding it leaves the nearest integer in the low bits
        // Two loops: the compiler vectorises them worse as one.
        let low = extreme(row, |a, b| if b < a { b } else { a });
        let high = extreme(row, |a, b| if b > a { b } else { a });
        let scale = int8_scale(low, high);
        let inverse = 1.0 / scale;
        let (whole, rest) = row.as_chunks::<{ 4 * LINE }>();
        let mut last = [low; 4 * LINE];
        last[..rest.len()].copy_from_slice(rest);
        let rows = whole.iter().chain((!rest.is_empty()).then_some(&last));
        for (numbers, line) in rows.zip(lines.iter_mut().step_by(stride)) {
            let mut bytes = [0u8; 4 * LINE];
            for i in 0..4 * LINE {
                bytes[i] = mul_add::<FMA>(numbers[i] - low, inverse, ROUND).to_bits() as u8;
            }
            for (word, bytes) in line.0.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
        }
        (scale, -low / scale)
    }
}

/// [`f32_lines`] with integers from 0 to 255, four a word. The numbers are first multiplied by `factors`. Returns
/// `(scale, zero)` so that a number is `scale * (integer - zero)`. The row's minimum maps to 0, its maximum to 255.
pub(in crate::encoder) fn int8_lines(
    row: &[f32],
    factors: Option<&[f32]>,
    lines: &mut [Line],
    stride: usize,
) -> (f32, f32) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        // SAFETY: the processor has the features.
        return unsafe {
            match factors {
                Some(factors) => int8_lines_avx512::<true>(row, &factors[..row.len()], lines, stride),
                None => int8_lines_avx512::<false>(row, &[], lines, stride),
            }
        };
    }
    let Some(factors) = factors else { return int8_lines_by_bits(row, lines, stride) };
    let scaled: Vec<f32> = row.iter().zip(factors).map(|(x, factor)| x * factor).collect();
    int8_lines_by_bits(&scaled, lines, stride)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn int8_lines_avx512<const SCALED: bool>(
    row: &[f32],
    factors: &[f32],
    lines: &mut [Line],
    stride: usize,
) -> (f32, f32) {
    use std::arch::x86_64::*;
    const BLOCK: usize = 4 * LINE;
    let (whole, rest) = row.as_chunks::<BLOCK>();
    let (whole_factors, rest_factors) = factors.as_chunks::<BLOCK>();
    let vectors = |numbers: &[f32; BLOCK]| -> [__m512; 4] {
        // SAFETY: a block has the numbers of four vectors, and the loads need no alignment.
        [0, 1, 2, 3].map(|vector| unsafe { _mm512_loadu_ps(numbers.as_ptr().add(vector * LINE)) })
    };
    let block = |at: usize| {
        let numbers = vectors(&whole[at]);
        if !SCALED {
            return numbers;
        }
        let factors = vectors(&whole_factors[at]);
        [0, 1, 2, 3].map(|vector| _mm512_mul_ps(numbers[vector], factors[vector]))
    };
    let scaled = |at: usize| if SCALED { rest[at] * rest_factors[at] } else { rest[at] };
    // Each minimum depends on the one before it, so four chains run in parallel.
    let (mut low, mut high) = ([_mm512_set1_ps(f32::INFINITY); 4], [_mm512_set1_ps(f32::NEG_INFINITY); 4]);
    for at in 0..whole.len() {
        for ((low, high), numbers) in low.iter_mut().zip(&mut high).zip(block(at)) {
            *low = _mm512_min_ps(*low, numbers);
            *high = _mm512_max_ps(*high, numbers);
        }
    }
    let low = _mm512_min_ps(_mm512_min_ps(low[0], low[1]), _mm512_min_ps(low[2], low[3]));
    let high = _mm512_max_ps(_mm512_max_ps(high[0], high[1]), _mm512_max_ps(high[2], high[3]));
    let low = (0..rest.len()).map(scaled).fold(_mm512_reduce_min_ps(low), f32::min);
    let high = (0..rest.len()).map(scaled).fold(_mm512_reduce_max_ps(high), f32::max);
    let scale = int8_scale(low, high);
    let (lowest, inverse) = (_mm512_set1_ps(low), _mm512_set1_ps(1.0 / scale));
    // The order in which packing leaves the quarters of each vector.
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let bytes = |numbers: [__m512; 4]| -> Line {
        let [a, b, c, d] =
            numbers.map(|numbers| _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_sub_ps(numbers, lowest), inverse)));
        let packed = _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
        // SAFETY: a line is 64 bytes, and any bits are valid.
        unsafe { std::mem::transmute::<__m512i, Line>(_mm512_permutexvar_epi32(order, packed)) }
    };
    let mut lines = lines.iter_mut().step_by(stride);
    for (at, line) in (0..whole.len()).zip(lines.by_ref()) {
        *line = bytes(block(at));
    }
    if let Some(line) = lines.next().filter(|_| !rest.is_empty()) {
        let mut last = [low; BLOCK];
        for (at, number) in last[..rest.len()].iter_mut().enumerate() {
            *number = scaled(at);
        }
        *line = bytes(vectors(&last));
    }
    (scale, -low / scale)
}

/// Quantises a weight's row to -127 to 127, four a word, in consecutive lines. Returns its scale and the sum of its
/// integers.
pub(in crate::encoder) fn int8_weight_lines(row: &[f32], lines: &mut [Line]) -> (f32, f32) {
    let largest = row.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    let scale = (largest / 127.0).max(f32::MIN_POSITIVE);
    let mut sum = 0i32;
    for (numbers, line) in row.chunks(4 * LINE).zip(lines) {
        let mut bytes = [0u8; 4 * LINE];
        for (byte, x) in bytes.iter_mut().zip(numbers) {
            let integer = (x / scale).round() as i8;
            sum += i32::from(integer);
            *byte = integer.cast_unsigned();
        }
        for (word, bytes) in line.0.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
    }
    (scale, sum as f32)
}

/// The largest integer of a row in [`int16_lines`]. Rounding may add one.
const LARGEST: f32 = (INT16_LEFT - 1) as f32;

vectorised! {
    /// [`f32_lines`] with integers of magnitude up to [`INT16_LEFT`], two a word. Returns `(scale, zero)` so that a
    /// number is `scale * (integer - zero)`. `zero` is a whole number.
    fn int16_lines(row: &[f32], lines: &mut [Line], stride: usize) -> (f32, f32), FMA => {
        // Two loops: the compiler vectorises them worse as one.
        let low = extreme(row, |a, b| if b < a { b } else { a });
        let high = extreme(row, |a, b| if b > a { b } else { a });
        // Positive for a constant row too, so that its zero point exists.
        let scale = ((high - low) / (2.0 * LARGEST)).max(high.abs() * 1e-6).max(f32::MIN_POSITIVE);
        let (inverse, zero) = (1.0 / scale, -((low + high) / (2.0 * scale)).round());
        let (whole, rest) = row.as_chunks::<{ 2 * LINE }>();
        let mut last = [0.0; 2 * LINE];
        last[..rest.len()].copy_from_slice(rest);
        let rows = whole.iter().chain((!rest.is_empty()).then_some(&last));
        for (numbers, line) in rows.zip(lines.iter_mut().step_by(stride)) {
            let mut halves = [0u16; 2 * LINE];
            for i in 0..2 * LINE {
                halves[i] = (mul_add::<FMA>(numbers[i], inverse, zero) + ROUND).to_bits() as u16;
            }
            for (word, pair) in line.0.iter_mut().zip(halves.as_chunks::<2>().0) {
                *word = u32::from(pair[0]) | u32::from(pair[1]) << 16;
            }
        }
        (scale, zero)
    }
}

vectorised! {
    /// Quantises a weight's row to integers of magnitude up to [`INT16_RIGHT`], two a word, in consecutive lines.
    /// Returns its scale and the sum of its integers.
    fn int16_weight_lines(row: &[f32], lines: &mut [Line]) -> (f32, f32), FMA => {
        let larger = |a: f32, b: f32| if b > a { b } else { a };
        let largest = larger(extreme(row, larger), -extreme(row, |a, b| if b < a { b } else { a }));
        let scale = (largest / INT16_RIGHT as f32).max(f32::MIN_POSITIVE);
        let inverse = 1.0 / scale;
        let mut sum = 0i32;
        for (numbers, line) in row.chunks(2 * LINE).zip(lines) {
            let mut halves = [0i16; 2 * LINE];
            for (half, x) in halves.iter_mut().zip(numbers) {
                *half = nearest::<FMA>(*x, inverse);
            }
            sum += halves.iter().map(|half| i32::from(*half)).sum::<i32>();
            for (word, pair) in line.0.iter_mut().zip(halves.as_chunks::<2>().0) {
                *word = u32::from(pair[0].cast_unsigned()) | u32::from(pair[1].cast_unsigned()) << 16;
            }
        }
        (scale, sum as f32)
    }
}

/// The integer nearest to `x * inverse`, which must fit 16 bits.
#[inline(always)]
fn nearest<const FMA: bool>(x: f32, inverse: f32) -> i16 {
    mul_add::<FMA>(x, inverse, ROUND).to_bits() as i16
}

vectorised! {
    /// Updates the largest magnitude at each position.
    fn keep_largest(row: &[f32], largest: &mut [f32]), FMA => {
        let _ = FMA;
        for (largest, x) in largest.iter_mut().zip(row) {
            let x = x.abs();
            *largest = if x > *largest { x } else { *largest };
        }
    }
}

vectorised! {
    /// Packs pairs of integers into words: the nearest to `a * inverse` in the low half, the nearest to `b * inverse`
    /// in the high half, in the bits of an f32.
    fn int16_pairs(a: &[f32], b: &[f32], inverses: &[f32], into: &mut [f32]), FMA => {
        for (((into, a), b), inverse) in into.iter_mut().zip(a).zip(b).zip(inverses) {
            let [low, high] = [*a, *b].map(|x| nearest::<FMA>(x, *inverse).cast_unsigned());
            *into = f32::from_bits(u32::from(low) | u32::from(high) << 16);
        }
    }
}

vectorised! {
    /// Adds the two integers of each word to the total at its position.
    fn add_int16_pairs(words: &[u32], totals: &mut [f32]), FMA => {
        let _ = FMA;
        for (total, word) in totals.iter_mut().zip(words) {
            let word = word.cast_signed();
            *total += ((word << 16 >> 16) + (word >> 16)) as f32;
        }
    }
}

vectorised! {
    /// Packs pairs of bf16 into words: `a` in the low half, `b` in the high half, in the bits of an f32.
    fn bf16_pairs(a: &[f32], b: &[f32], into: &mut [f32]), FMA => {
        let _ = FMA;
        for ((into, a), b) in into.iter_mut().zip(a).zip(b) {
            *into = f32::from_bits(bf16_bits(*a) | bf16_bits(*b) << 16);
        }
    }
}

vectorised! {
    /// The nearest bf16 of each number.
    fn bf16_from_f32(from: &[f32], into: &mut [u16]), FMA => {
        let _ = FMA;
        for (into, from) in into.iter_mut().zip(from) {
            *into = bf16_bits(*from) as u16;
        }
    }
}

vectorised! {
    /// The f32 of each bf16.
    fn f32_from_bf16(from: &[u16], into: &mut [f32]), FMA => {
        let _ = FMA;
        for (into, from) in into.iter_mut().zip(from) {
            *into = f32::from_bits(u32::from(*from) << 16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_the_same_with_and_without_instructions_for_them() {
        for len in 1..150 {
            let row: Vec<f32> = (0..len).map(|i| ((i * 37 + len) % 101) as f32 - 30.5).collect();
            let factors: Vec<f32> = (0..len).map(|i| 0.5 + (i % 7) as f32).collect();
            let scaled: Vec<f32> = row.iter().zip(&factors).map(|(x, y)| x * y).collect();
            for (numbers, factors) in [(&row, None), (&scaled, Some(&factors[..]))] {
                let mut lines = [[Line([7; LINE]); 6], [Line([7; LINE]); 6]];
                let plain = int8_lines_by_bits(numbers, &mut lines[0], 2);
                assert_eq!(int8_lines(&row, factors, &mut lines[1], 2), plain, "{len}");
                let bytes = lines.map(|lines| lines.map(|line| line.0.map(u32::to_le_bytes)));
                let pairs = bytes[0].as_flattened().as_flattened().iter();
                for (a, b) in pairs.zip(bytes[1].as_flattened().as_flattened()) {
                    assert!(a.abs_diff(*b) <= 1, "{len}: {a}, {b}");
                }
            }
        }
    }
}
