//! Inner loops: plain Rust, compiled for several vector widths, chosen at run time.

/// Independent accumulators of a reduction, so that the compiler can keep them in one vector register.
const LANES: usize = 16;

/// 1.5 * 2^23: adding it to a number leaves the nearest integer in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Compiles a loop three times (AVX-512, AVX2, baseline) and calls the widest that the processor has. In the body, the
/// constant `$fma` tells whether a fused multiply-add is one instruction.
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
                    // SAFETY: the processor has every feature that this instance is compiled for.
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

mod words;
mod write;

pub(super) use words::{
    add_int16_pairs, bf16_lines, bf16_pairs, f32_lines, int8_lines, int8_weight_lines, int16_lines,
    int16_pairs, int16_weight_lines, keep_largest,
};
pub(in crate::encoder) use words::{bf16_from_f32, f32_from_bf16};
pub(super) use write::{
    dequantise, dequantise_sums, write_gelu_with_bias, write_with_bias, write_with_bias_and,
};

/// Prefetches the cache lines of `count` numbers. Any address is allowed, mapped or not.
pub(super) fn prefetch(first: *const f32, count: usize) {
    #[cfg(target_arch = "x86_64")]
    for at in (0..count).step_by(LANES) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction, and it neither reads nor faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(at).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (first, count);
}

/// `a * b + c`, fused if that is one instruction.
#[inline(always)]
fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `exp(x)` to 2 units in the last place for `x <= 88`; 0 below -87.
#[inline(always)]
fn exp<const FMA: bool>(x: f32) -> f32 {
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

/// Sums `of` over the columns of some rows of equal length. It uses four vectors of sums, because each addition waits
/// for the one before it.
#[inline(always)]
fn sum<const ROWS: usize>(rows: [&[f32]; ROWS], of: impl Fn([f32; ROWS]) -> f32) -> f32 {
    const WIDE: usize = 4 * LANES;
    let whole = rows.map(|row| row.as_chunks::<WIDE>().0);
    let rest = rows.map(|row| row.as_chunks::<WIDE>().1);
    let mut sums = [0.0; WIDE];
    for at in 0..whole[0].len() {
        let blocks = whole.map(|blocks| &blocks[at]);
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += of(blocks.map(|block| block[lane]));
        }
    }
    for (at, sum) in (0..rest[0].len()).zip(&mut sums) {
        *sum += of(rest.map(|rest| rest[at]));
    }
    sums.iter().sum()
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
        let larger = |a: f32, b: f32| if b > a { b } else { a };
        let (rows, rest) = row.as_chunks_mut::<LANES>();
        let (biases, rest_of_bias) = bias.as_chunks::<LANES>();
        for (row, bias) in rows.iter_mut().zip(biases) {
            for lane in 0..LANES {
                row[lane] = mul_add::<FMA>(row[lane], scale, bias[lane]);
                lanes[lane] = larger(lanes[lane], row[lane]);
            }
        }
        let mut max = lanes.into_iter().fold(f32::NEG_INFINITY, larger);
        for (x, b) in rest.iter_mut().zip(rest_of_bias) {
            *x = mul_add::<FMA>(*x, scale, *b);
            max = larger(max, *x);
        }
        let mut sums = [0.0; LANES];
        for row in rows {
            for lane in 0..LANES {
                row[lane] = exp::<FMA>(row[lane] - max);
                sums[lane] += row[lane];
            }
        }
        for (x, sum) in rest.iter_mut().zip(&mut sums) {
            *x = exp::<FMA>(*x - max);
            *sum += *x;
        }
        let scale = 1.0 / sums.into_iter().sum::<f32>();
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
        sum([a, b], |[a, b]| a * b)
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
    let mean = sum([row], |[x]| x) / len as f32;
    let variance = sum([row], |[x]| (x - mean) * (x - mean)) / len as f32;
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
    /// Standardises a row to mean 0 and variance 1 (less if the variance is near `eps`). Returns `1 / sqrt(variance +
    /// eps)`.
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
    /// The backward pass of [`layer_norm`] for one row. `standard` is the standardised row and becomes the gradient of
    /// the row's input. Adds to the gradients of weight and bias.
    fn layer_norm_backward(
        standard: &mut [f32], scale: f32, weight: &[f32], grad: &[f32], d_weight: &mut [f32], d_bias: &mut [f32],
    ), FMA => {
        let len = standard.len();
        let (weight, grad) = (&weight[..len], &grad[..len]);
        let mean = sum([grad, weight], |[grad, weight]| grad * weight) / len as f32;
        let slope = sum([grad, weight, standard], |[grad, weight, x]| grad * weight * x) / len as f32;
        for i in 0..len {
            let x = standard[i];
            d_weight[i] = mul_add::<FMA>(grad[i], x, d_weight[i]);
            d_bias[i] += grad[i];
            standard[i] = scale * (mul_add::<FMA>(-x, slope, grad[i] * weight[i]) - mean);
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
    fn sums_count_every_place_once_at_every_length() {
        for len in 0..200 {
            let a: Vec<f32> = (0..len).map(|i| ((i * 37) % 23) as f32 - 11.0).collect();
            let b: Vec<f32> = (0..len).map(|i| ((i * 7) % 5) as f32).collect();
            // Small whole numbers: exact in any order.
            assert_eq!(dot(&a, &b), a.iter().zip(&b).map(|(a, b)| a * b).sum::<f32>(), "{len}");
            let c: Vec<f32> = (0..len).map(|i| (i % 3) as f32 - 1.0).collect();
            let of_three = a.iter().zip(&b).zip(&c).map(|((a, b), c)| a * b * c).sum::<f32>();
            assert_eq!(sum([&a, &b, &c], |[a, b, c]| a * b * c), of_three, "{len}");
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
