//! Inner loops: written once as plain Rust, compiled for the processor's widest vectors, chosen at run time.

use super::product::{Part, Target};
use super::tile::{COLUMNS, LINE, Line};

/// Numbers that a reduction keeps apart, so that the compiler may hold them in one vector register.
const LANES: usize = 16;

/// Compiles a loop three times (AVX-512, AVX2, baseline) and calls the widest the processor has. `$fma` is a constant
/// in the body: whether a fused multiply-add is one instruction.
macro_rules! vectorised {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? , $fma:ident => $body:block) => {
        $(#[$doc])*
        pub(in crate::encoder) fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body<const $fma: bool>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }

                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("fma")
                {
                    // SAFETY: the processor has every feature that the function is compiled with.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: as above.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}

/// `a * b + c`, fused where that is one instruction.
#[inline(always)]
fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `exp(x)` to 2 units in the last place for `x <= 88`; 0 below -87.
#[inline(always)]
fn exp<const FMA: bool>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    let (tiny, x) = (x < -87.0, x.max(-87.0));
    let shifted = mul_add::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add::<FMA>(n, -0.693_359_4, x);
    let r = mul_add::<FMA>(n, 2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = mul_add::<FMA>(p, r, c);
    }
    let p = mul_add::<FMA>(p * r, r, r) + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    if tiny { 0.0 } else { p * power }
}

/// The error function as an odd rational function, to 3e-7 absolute (the coefficients are Eigen's).
#[inline(always)]
fn erf<const FMA: bool>(x: f32) -> f32 {
    let x = x.clamp(-3.925_724_8, 3.925_724_8);
    let t = x * x;
    let mut p = 2.123_732_2e-6;
    for c in [2.861_979_6e-4, 3.658_048_3e-3, 5.243_302e-2, 1.874_160_8e-1, 1.128_379_5] {
        p = mul_add::<FMA>(p, t, c);
    }
    let mut q = 3.891_857_3e-5;
    for c in [1.143_296e-3, 1.475_208_8e-2, 1.129_456_8e-1, 4.994_258e-1, 1.0] {
        q = mul_add::<FMA>(q, t, c);
    }
    x * p / q
}

#[inline(always)]
fn gelu_of<const FMA: bool>(x: f32) -> f32 {
    let half = 0.5 * x;
    mul_add::<FMA>(half, erf::<FMA>(x * std::f32::consts::FRAC_1_SQRT_2), half)
}

/// The number that is left when each is held against the one before; of no numbers 0.
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

#[inline(always)]
fn sum(values: impl Fn(usize) -> f32, len: usize) -> f32 {
    let mut lanes = [0.0; LANES];
    let whole = len / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += values(at + lane);
        }
    }
    lanes.iter().sum::<f32>() + (whole..len).map(values).sum::<f32>()
}

vectorised! {
    /// The Gaussian error linear unit, exact form: `x Φ(x)`.
    fn gelu(x: &mut [f32]), FMA => {
        for x in x {
            *x = gelu_of::<FMA>(*x);
        }
    }
}

vectorised! {
    /// Multiplies `grad` by the derivative of [`gelu`] at `x`, `Φ(x) + x φ(x)`, and leaves `gelu(x)` in `x`.
    fn gelu_backward(x: &mut [f32], grad: &mut [f32]), FMA => {
        const FRAC_1_SQRT_TAU: f32 = 0.398_942_3;
        for (y, g) in x.iter_mut().zip(grad) {
            let x = *y;
            let cdf = mul_add::<FMA>(0.5, erf::<FMA>(x * std::f32::consts::FRAC_1_SQRT_2), 0.5);
            *g *= mul_add::<FMA>(x * FRAC_1_SQRT_TAU, exp::<FMA>(-0.5 * x * x), cdf);
            *y = x * cdf;
        }
    }
}

vectorised! {
    /// `row = softmax(row * scale + bias)`.
    fn softmax(row: &mut [f32], scale: f32, bias: &[f32]), FMA => {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        let mut rows = row.chunks_exact_mut(LANES);
        let mut biases = bias.chunks_exact(LANES);
        for (row, bias) in rows.by_ref().zip(biases.by_ref()) {
            for lane in 0..LANES {
                row[lane] = mul_add::<FMA>(row[lane], scale, bias[lane]);
                lanes[lane] = lanes[lane].max(row[lane]);
            }
        }
        let mut max = lanes.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        for (x, b) in rows.into_remainder().iter_mut().zip(biases.remainder()) {
            *x = mul_add::<FMA>(*x, scale, *b);
            max = max.max(*x);
        }
        for x in row.iter_mut() {
            *x = exp::<FMA>(*x - max);
        }
        let scale = 1.0 / sum(|i| row[i], row.len());
        for x in row {
            *x *= scale;
        }
    }
}

vectorised! {
    /// `d_row = probs * (d_row - dot)`: the backward pass of [`softmax`], where `dot` is `Σ probs d_row`.
    fn softmax_backward(probs: &[f32], d_row: &mut [f32], dot: f32), FMA => {
        let _ = FMA;
        for (d, p) in d_row.iter_mut().zip(probs) {
            *d = p * (*d - dot);
        }
    }
}

vectorised! {
    /// The inner product.
    fn dot(a: &[f32], b: &[f32]) -> f32, FMA => {
        let _ = FMA;
        let b = &b[..a.len()];
        sum(|i| a[i] * b[i], a.len())
    }
}

vectorised! {
    /// `a += b`, element by element.
    fn add(a: &mut [f32], b: &[f32]), FMA => {
        let _ = FMA;
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
    }
}

/// The mean of a row, and `1 / sqrt(variance + eps)`.
#[inline(always)]
fn moments(row: &[f32], eps: f32) -> (f32, f32) {
    let len = row.len();
    let mean = sum(|i| row[i], len) / len as f32;
    let variance = sum(|i| (row[i] - mean) * (row[i] - mean), len) / len as f32;
    (mean, 1.0 / (variance + eps).sqrt())
}

vectorised! {
    /// `out = (x - mean) / sqrt(variance + eps) * weight + bias`.
    fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]), FMA => {
        let (mean, scale) = moments(x, eps);
        for (((out, x), weight), bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
            *out = mul_add::<FMA>((x - mean) * scale, *weight, *bias);
        }
    }
}

vectorised! {
    /// Makes the mean of a row 0 and its variance 1 (less where it is near `eps`); returns `1 / sqrt(variance + eps)`.
    fn standardise(row: &mut [f32], eps: f32) -> f32, FMA => {
        let _ = FMA;
        let (mean, scale) = moments(row, eps);
        for x in row {
            *x = (*x - mean) * scale;
        }
        scale
    }
}

vectorised! {
    /// The backward pass of [`layer_norm`] for one row: takes `standard` (the standardised row, which
    /// becomes the gradient of the row's input) and adds the gradients of weight and bias.
    fn layer_norm_backward(
        standard: &mut [f32], scale: f32, weight: &[f32], grad: &[f32], d_weight: &mut [f32], d_bias: &mut [f32],
    ), FMA => {
        let len = standard.len();
        let (weight, grad) = (&weight[..len], &grad[..len]);
        let mean = sum(|i| grad[i] * weight[i], len) / len as f32;
        let slope = sum(|i| grad[i] * weight[i] * standard[i], len) / len as f32;
        for i in 0..len {
            let x = standard[i];
            d_weight[i] = mul_add::<FMA>(grad[i], x, d_weight[i]);
            d_bias[i] += grad[i];
            standard[i] = scale * (mul_add::<FMA>(-x, slope, grad[i] * weight[i]) - mean);
        }
    }
}

/// The nearest bf16, ties to even; of a NaN a NaN, if it is one that arithmetic makes.
#[inline(always)]
fn bf16_bits(x: f32) -> u32 {
    let bits = x.to_bits();
    bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16
}

vectorised! {
    /// A row's numbers as words, in every `stride`-th line; zeros fill the last.
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
    /// [`bf16_lines`] without an instruction for it.
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
        // SAFETY: 32 numbers are two vectors; a line is one, of 64 bytes whatever they mean.
        unsafe {
            let halves = _mm512_cvtne2ps_pbh(
                _mm512_loadu_ps(numbers[LINE..].as_ptr()),
                _mm512_loadu_ps(numbers.as_ptr()),
            );
            *line = std::mem::transmute::<__m512bh, Line>(halves);
        }
    }
}

/// The scale of a row in integers from 0 to 255, given its smallest and its largest number. One that is all the same has a
/// scale too, in which its zero can be told.
#[inline(always)]
fn int8_scale(low: f32, high: f32) -> f32 {
    ((high - low) / 255.0).max(high.abs() * 1e-6).max(f32::MIN_POSITIVE)
}

vectorised! {
    /// [`int8_lines`] without instructions for it.
    fn int8_lines_by_bits(row: &[f32], lines: &mut [Line], stride: usize) -> (f32, f32), FMA => {
        const ROUND: f32 = 8_388_608.0; // 2^23: adding it leaves the nearest integer in the low bits
        // One after the other: together the compiler shuffles them.
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

/// [`f32_lines`] in integers from 0 to 255, four a word; the numbers are multiplied by `factors` first. A number is
/// `scale * (integer - zero)`, and this returns `(scale, zero)`: the row's smallest number is 0, its largest 255.
pub(in crate::encoder) fn int8_lines(
    row: &[f32],
    factors: Option<&[f32]>,
    lines: &mut [Line],
    stride: usize,
) -> (f32, f32) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the feature.
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
#[target_feature(enable = "avx512f")]
fn int8_lines_avx512<const SCALED: bool>(
    row: &[f32],
    factors: &[f32],
    lines: &mut [Line],
    stride: usize,
) -> (f32, f32) {
    use std::arch::x86_64::*;
    // SAFETY: `at` and the fifteen numbers behind it are in the row, or masked out; so are the factors, which are as many.
    let load = |at: usize| unsafe {
        let mask = (u32::MAX >> (32 - (row.len() - at).min(16))) as u16;
        let numbers = _mm512_maskz_loadu_ps(mask, row.as_ptr().add(at));
        match SCALED {
            true => (mask, _mm512_mul_ps(numbers, _mm512_maskz_loadu_ps(mask, factors.as_ptr().add(at)))),
            false => (mask, numbers),
        }
    };
    let (mut low, mut high) = (_mm512_set1_ps(f32::INFINITY), _mm512_set1_ps(f32::NEG_INFINITY));
    for at in (0..row.len()).step_by(16) {
        let (mask, numbers) = load(at);
        low = _mm512_mask_min_ps(low, mask, low, numbers);
        high = _mm512_mask_max_ps(high, mask, high, numbers);
    }
    let (low, high) = (_mm512_reduce_min_ps(low), _mm512_reduce_max_ps(high));
    let scale = int8_scale(low, high);
    let (lowest, inverse) = (_mm512_set1_ps(low), _mm512_set1_ps(1.0 / scale));
    for (start, line) in (0..row.len()).step_by(4 * LINE).zip(lines.iter_mut().step_by(stride)) {
        let quarters = line.0.as_chunks_mut::<{ LINE / 4 }>().0;
        for (at, quarter) in (start..).step_by(16).zip(quarters) {
            let bytes = if at < row.len() {
                let (mask, numbers) = load(at);
                let integers = _mm512_mul_ps(_mm512_sub_ps(numbers, lowest), inverse);
                _mm512_cvtusepi32_epi8(_mm512_maskz_cvtps_epi32(mask, integers))
            } else {
                _mm_setzero_si128()
            };
            // SAFETY: a quarter of a line has sixteen bytes.
            unsafe { _mm_storeu_si128(quarter.as_mut_ptr().cast(), bytes) };
        }
    }
    (scale, -low / scale)
}

/// A row of a weight in integers from -127 to 127, four a word, one line after the other. Returns what one of them
/// stands for, and the sum of all.
pub(super) fn int8_weight_lines(row: &[f32], lines: &mut [Line]) -> (f32, f32) {
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

vectorised! {
    /// Each number of `a` in bf16 below the one of `b`, in the bits of an f32.
    fn bf16_pairs(a: &[f32], b: &[f32], into: &mut [f32]), FMA => {
        let _ = FMA;
        for ((into, a), b) in into.iter_mut().zip(a).zip(b) {
            *into = f32::from_bits(bf16_bits(*a) | bf16_bits(*b) << 16);
        }
    }
}

vectorised! {
    /// [`bf16_pairs`] with zeros.
    fn bf16_alone(a: &[f32], into: &mut [f32]), FMA => {
        let _ = FMA;
        for (into, a) in into.iter_mut().zip(a) {
            *into = f32::from_bits(bf16_bits(*a));
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
    /// The numbers that bf16 stand for.
    fn f32_from_bf16(from: &[u16], into: &mut [f32]), FMA => {
        let _ = FMA;
        for (into, from) in into.iter_mut().zip(from) {
            *into = f32::from_bits(u32::from(*from) << 16);
        }
    }
}

vectorised! {
    /// `out = a * factor`.
    fn scale(a: &[f32], factor: f32, out: &mut [f32]), FMA => {
        let _ = FMA;
        for (out, a) in out.iter_mut().zip(a) {
            *out = a * factor;
        }
    }
}

vectorised! {
    /// `out = a * b`, element by element.
    fn multiply(a: &[f32], b: &[f32], out: &mut [f32]), FMA => {
        let _ = FMA;
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a * b;
        }
    }
}

vectorised! {
    /// Sums of int8 products, i32 in the bits of f32, to what they stand for. Rows of sums start `stride` apart; `rows`
    /// holds the scales of the left factor with its zeros, `units` and `totals` those of the right with its sums.
    fn dequantise(sums: &mut [f32], stride: usize, rows: &[(f32, f32)], units: &[f32], totals: &[f32]), FMA => {
        for (sums, &(scale, zero)) in sums.chunks_mut(stride).zip(rows) {
            for ((sum, unit), total) in sums.iter_mut().zip(units).zip(totals) {
                let exact = sum.to_bits().cast_signed() as f32;
                *sum = mul_add::<FMA>(-zero, *total, exact) * (scale * unit);
            }
        }
    }
}

/// `out = finish(sum, bias, more)`, number by number. Rows of a whole panel, nearly all, have a loop of their own that the
/// compiler unrolls.
#[inline(always)]
fn finish(out: &mut [f32], sums: &[f32], bias: &[f32], more: &[f32], with: impl Fn(f32, f32, f32) -> f32) {
    const WIDE: usize = COLUMNS;
    let whole = (
        <&mut [f32; WIDE]>::try_from(&mut *out),
        <&[f32; WIDE]>::try_from(sums),
        <&[f32; WIDE]>::try_from(bias),
        <&[f32; WIDE]>::try_from(more),
    );
    if let (Ok(out), Ok(sums), Ok(bias), Ok(more)) = whole {
        for i in 0..WIDE {
            out[i] = with(sums[i], bias[i], more[i]);
        }
        return;
    }
    for (((out, sum), bias), more) in out.iter_mut().zip(sums).zip(bias).zip(more) {
        *out = with(*sum, *bias, *more);
    }
}

vectorised! {
    /// Writes a part of a product with a bias.
    fn write_with_bias(part: &Part<'_>, bias: &[f32], target: &Target<'_>), FMA => {
        let _ = FMA;
        for (row, sums) in part.rows() {
            // SAFETY: each part of a product is given once, and has its own place in the target.
            let out = unsafe { target.row(row, part.column, part.width) };
            finish(out, sums, bias, bias, |sum, bias, _| sum + bias);
        }
    }
}

vectorised! {
    /// Writes a part of a product with a bias and what stands in its place in a matrix of `width` columns.
    fn write_with_bias_and(part: &Part<'_>, bias: &[f32], more: &[f32], width: usize, target: &Target<'_>), FMA => {
        let _ = FMA;
        for (row, sums) in part.rows() {
            // SAFETY: as in `write_with_bias`.
            let out = unsafe { target.row(row, part.column, part.width) };
            let more = &more[row * width + part.column..][..part.width];
            finish(out, sums, bias, more, |sum, bias, more| sum + bias + more);
        }
    }
}

vectorised! {
    /// Writes the [`gelu`] of a part of a product with a bias.
    fn write_gelu_with_bias(part: &Part<'_>, bias: &[f32], target: &Target<'_>), FMA => {
        for (row, sums) in part.rows() {
            // SAFETY: as in `write_with_bias`.
            let out = unsafe { target.row(row, part.column, part.width) };
            finish(out, sums, bias, bias, |sum, bias, _| gelu_of::<FMA>(sum + bias));
        }
    }
}

vectorised! {
    /// Writes a part of a product.
    fn write(part: &Part<'_>, target: &Target<'_>), FMA => {
        let _ = FMA;
        for (row, sums) in part.rows() {
            // SAFETY: as in `write_with_bias`.
            let out = unsafe { target.row(row, part.column, part.width) };
            finish(out, sums, sums, sums, |sum, _, _| sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error function by its Taylor series, in f64.
    fn erf_exact(x: f64) -> f64 {
        if x.abs() > 5.0 {
            return x.signum();
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    #[test]
    fn gelu_and_its_slope_follow_the_exact_function() {
        let x: Vec<f32> = (-12_000..=12_000).map(|i| i as f32 / 1000.0).collect();
        let (mut y, mut y_again, mut slope) = (x.clone(), x.clone(), vec![1.0; x.len()]);
        gelu(&mut y);
        gelu_backward(&mut y_again, &mut slope);
        for (i, &x) in x.iter().enumerate() {
            let x = f64::from(x);
            let cdf = 0.5 * (1.0 + erf_exact(x / 2f64.sqrt()));
            let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
            assert!((f64::from(y[i]) - x * cdf).abs() < 1e-6, "gelu({x}) = {}", y[i]);
            assert!((f64::from(y_again[i]) - x * cdf).abs() < 1e-6, "gelu({x}) = {}", y_again[i]);
            assert!((f64::from(slope[i]) - cdf - x * density).abs() < 1e-6, "gelu'({x}) = {}", slope[i]);
        }
    }

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

    #[test]
    fn softmax_sums_to_one_and_follows_exp_at_every_length() {
        for len in 1..70 {
            let scores: Vec<f32> = (0..len).map(|i| ((i * 37) % 23) as f32 - 11.0).collect();
            let bias: Vec<f32> = (0..len).map(|i| ((i * 7) % 5) as f32 * 0.25).collect();
            let mut row = scores.clone();
            softmax(&mut row, 0.5, &bias);
            let exact: Vec<f64> =
                scores.iter().zip(&bias).map(|(s, b)| f64::from(0.5 * s + b).exp()).collect();
            let total: f64 = exact.iter().sum();
            for (p, e) in row.iter().zip(&exact) {
                assert!((f64::from(*p) - e / total).abs() < 3e-7 * (e / total) + 1e-30, "{p} {}", e / total);
            }
        }
    }

    #[test]
    fn softmax_survives_extreme_scores() {
        let mut row = [3e4, -3e4, 0.0, 3e4];
        softmax(&mut row, 1.0, &[0.0; 4]);
        assert_eq!(row, [0.5, 0.0, 0.0, 0.5]);
    }
}
