//! The inner loops: dot products of a bf16 row and an f32 query, accumulated in f32, and of a code's levels and i8,
//! which are exact.
//!
//! They are written for AVX-512 and AVX2 and chosen at run time: the compiler vectorises a float sum only if told how
//! to split it. Rows and queries are padded with zeros to multiples of [`LANES`].

/// Rows and queries are padded to a multiple of this many elements.
pub(super) const LANES: usize = 8;

/// An implementation of dot products for this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kernel(Kind);

/// Only [`Kernel::available`] constructs the SIMD variants, after detecting the processor's features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The fastest one.
    pub(super) fn best() -> Kernel {
        Kernel::available().pop().unwrap_or(Kernel(Kind::Portable))
    }

    /// All kernels that this processor supports, slowest first.
    pub(super) fn available() -> Vec<Kernel> {
        let mut kinds = vec![Kind::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                kinds.push(Kind::Avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                kinds.push(Kind::Avx512);
            }
        }
        kinds.into_iter().map(Kernel).collect()
    }

    /// The dot product of a row of bf16 bit patterns (little endian) and a query of the same length, a
    /// multiple of [`LANES`]. Never returns -0.0, so that equal scores compare equal.
    #[inline]
    pub(super) fn dot(self, row: &[u16], query: &[f32]) -> f32 {
        debug_assert!(row.len() == query.len() && row.len().is_multiple_of(LANES));
        let dot = match self.0 {
            Kind::Portable => portable(row, query),
            // SAFETY: `available` found AVX2 and FMA on this processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::avx2(row, query) },
            // SAFETY: `available` found AVX-512F on this processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::avx512(row, query) },
        };
        dot + 0.0
    }

    /// The product of a code's levels ([`code`](super::code)) and as many signed bytes: two for each byte of the code,
    /// first those for all lower bits, then those for all upper bits.
    #[inline]
    pub(super) fn dot_code(self, code: &[u8], query: &[i8]) -> i32 {
        debug_assert!(2 * code.len() == query.len());
        let (lower, upper) = query.split_at(code.len());
        match self.0 {
            Kind::Portable => levels(code, lower, upper),
            // SAFETY: `available` found AVX2 on this processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::levels_avx2(code, lower, upper) },
            // SAFETY: `available` found AVX-512BW on this processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::levels_avx512(code, lower, upper) },
        }
    }
}

/// The value of a bf16 bit pattern, as stored in the file.
#[inline]
pub(super) fn widen(bits: u16) -> f32 {
    f32::from_bits(u32::from(u16::from_le(bits)) << 16)
}

/// Prefetches `bytes`.
#[inline]
pub(super) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint, to an address within `bytes`; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

fn portable(row: &[u16], query: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    for (row, query) in row.chunks_exact(LANES).zip(query.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += widen(row[lane]) * query[lane];
        }
    }
    sums.iter().sum()
}

fn levels(code: &[u8], lower: &[i8], upper: &[i8]) -> i32 {
    let product = |(&byte, (&lower, &upper)): (&u8, (&i8, &i8))| {
        i32::from(byte & 15) * i32::from(lower) + i32::from(byte >> 4) * i32::from(upper)
    };
    code.iter().zip(lower.iter().zip(upper)).map(product).sum()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Number of code registers whose products fit 16 bits: each adds at most 4 · 15 · 128 to an element.
    const HELD: usize = 4;

    #[target_feature(enable = "avx2")]
    pub(super) fn levels_avx2(code: &[u8], lower: &[i8], upper: &[i8]) -> i32 {
        let (blocks, rest) = code.as_chunks::<32>();
        let (lower, lower_rest) = lower.as_chunks::<32>();
        let (upper, upper_rest) = upper.as_chunks::<32>();
        let (mask, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
        let mut sum = _mm256_setzero_si256();
        for ((blocks, lower), upper) in blocks.chunks(HELD).zip(lower.chunks(HELD)).zip(upper.chunks(HELD)) {
            let mut held = _mm256_setzero_si256();
            for ((block, lower), upper) in blocks.iter().zip(lower).zip(upper) {
                // SAFETY: 32 bytes are behind each of the three; the loads need no alignment.
                let [block, lower, upper] =
                    [block.as_ptr().cast(), lower.as_ptr().cast(), upper.as_ptr().cast()]
                        .map(|bytes| unsafe { _mm256_loadu_si256(bytes) });
                let below = _mm256_maddubs_epi16(_mm256_and_si256(block, mask), lower);
                let above = _mm256_and_si256(_mm256_srli_epi16::<4>(block), mask);
                held = _mm256_add_epi16(held, _mm256_add_epi16(below, _mm256_maddubs_epi16(above, upper)));
            }
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(held, ones));
        }
        let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
        let one = _mm_add_epi32(two, _mm_shuffle_epi32::<1>(two));
        _mm_cvtsi128_si32(one) + super::levels(rest, lower_rest, upper_rest)
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn levels_avx512(code: &[u8], lower: &[i8], upper: &[i8]) -> i32 {
        let (blocks, rest) = code.as_chunks::<64>();
        let (lower, lower_rest) = lower.as_chunks::<64>();
        let (upper, upper_rest) = upper.as_chunks::<64>();
        let (mask, ones) = (_mm512_set1_epi8(15), _mm512_set1_epi16(1));
        let mut sum = _mm512_setzero_si512();
        for ((blocks, lower), upper) in blocks.chunks(HELD).zip(lower.chunks(HELD)).zip(upper.chunks(HELD)) {
            let mut held = _mm512_setzero_si512();
            for ((block, lower), upper) in blocks.iter().zip(lower).zip(upper) {
                // SAFETY: 64 bytes are behind each of the three; the loads need no alignment.
                let [block, lower, upper] =
                    [block.as_ptr().cast(), lower.as_ptr().cast(), upper.as_ptr().cast()]
                        .map(|bytes| unsafe { _mm512_loadu_si512(bytes) });
                let below = _mm512_maddubs_epi16(_mm512_and_si512(block, mask), lower);
                let above = _mm512_and_si512(_mm512_srli_epi16::<4>(block), mask);
                held = _mm512_add_epi16(held, _mm512_add_epi16(below, _mm512_maddubs_epi16(above, upper)));
            }
            sum = _mm512_add_epi32(sum, _mm512_madd_epi16(held, ones));
        }
        _mm512_reduce_add_epi32(sum) + super::levels(rest, lower_rest, upper_rest)
    }

    /// Adds eight products to `sum`.
    ///
    /// # Safety
    /// Eight elements can be read behind both pointers, and the processor has AVX2 and FMA.
    // SAFETY: callers are held to the section above.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn step8(row: *const u16, query: *const f32, sum: __m256) -> __m256 {
        // SAFETY: the caller vouches for eight elements behind both pointers; the loads need no alignment.
        unsafe {
            let bits = _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(row.cast())));
            _mm256_fmadd_ps(_mm256_castsi256_ps(bits), _mm256_loadu_ps(query), sum)
        }
    }

    /// As `step8`, with sixteen.
    ///
    /// # Safety
    /// Sixteen elements can be read behind both pointers, and the processor has AVX-512F.
    // SAFETY: callers are held to the section above.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn step16(row: *const u16, query: *const f32, sum: __m512) -> __m512 {
        // SAFETY: the caller vouches for sixteen elements behind both pointers; the loads need no alignment.
        unsafe {
            let bits = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(row.cast())));
            _mm512_fmadd_ps(_mm512_castsi512_ps(bits), _mm512_loadu_ps(query), sum)
        }
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn add8(sum: __m256) -> f32 {
        let four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(row: &[u16], query: &[f32]) -> f32 {
        let len = row.len().min(query.len());
        let (row, query) = (row.as_ptr(), query.as_ptr());
        let mut sums = [_mm256_setzero_ps(); 4];
        let mut at = 0;
        while at + 32 <= len {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: at + 32 <= len, and i < 4.
                *sum = unsafe { step8(row.add(at + 8 * i), query.add(at + 8 * i), *sum) };
            }
            at += 32;
        }
        while at + 8 <= len {
            // SAFETY: at + 8 <= len.
            sums[0] = unsafe { step8(row.add(at), query.add(at), sums[0]) };
            at += 8;
        }
        add8(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])))
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(row: &[u16], query: &[f32]) -> f32 {
        let len = row.len().min(query.len());
        let (row, query) = (row.as_ptr(), query.as_ptr());
        let mut sums = [_mm512_setzero_ps(); 4];
        let mut at = 0;
        while at + 64 <= len {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: at + 64 <= len, and i < 4.
                *sum = unsafe { step16(row.add(at + 16 * i), query.add(at + 16 * i), *sum) };
            }
            at += 64;
        }
        while at + 16 <= len {
            // SAFETY: at + 16 <= len.
            sums[0] = unsafe { step16(row.add(at), query.add(at), sums[0]) };
            at += 16;
        }
        let mut rest = _mm256_setzero_ps();
        if at + 8 <= len {
            // SAFETY: at + 8 <= len.
            rest = unsafe { step8(row.add(at), query.add(at), rest) };
        }
        let sum = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
        _mm512_reduce_add_ps(sum) + add8(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_kernel_agrees_with_a_sum_in_f64(
            pairs in (0usize..40).prop_flat_map(|n| prop::collection::vec((-1.0f32..1.0, -1.0f32..1.0), n * LANES))
        ) {
            let row: Vec<u16> = pairs.iter().map(|(r, _)| bf16::from_f32(*r).to_bits().to_le()).collect();
            let query: Vec<f32> = pairs.iter().map(|(_, q)| *q).collect();
            let terms = || row.iter().zip(&query).map(|(&r, &q)| f64::from(widen(r)) * f64::from(q));
            let (expected, scale) = (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
            for kernel in Kernel::available() {
                let found = f64::from(kernel.dot(&row, &query));
                prop_assert!((found - expected).abs() <= 1e-6 * scale, "{kernel:?}: {found} {expected}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_kernel_multiplies_codes_exactly(
            bytes in prop::collection::vec((any::<u8>(), any::<i8>(), any::<i8>()), 0..900), widest in any::<bool>(),
        ) {
            let widest = |bytes| if widest { (u8::MAX, i8::MIN, i8::MIN) } else { bytes };
            let bytes: Vec<(u8, i8, i8)> = bytes.into_iter().map(widest).collect();
            let product = |level: u8, query: i8| i64::from(level) * i64::from(query);
            let expected: i64 = bytes.iter().map(|&(b, low, up)| product(b & 15, low) + product(b >> 4, up)).sum();
            let code: Vec<u8> = bytes.iter().map(|bytes| bytes.0).collect();
            let query: Vec<i8> = bytes.iter().map(|bytes| bytes.1).chain(bytes.iter().map(|bytes| bytes.2)).collect();
            for kernel in Kernel::available() {
                prop_assert_eq!(i64::from(kernel.dot_code(&code, &query)), expected, "{:?}", kernel);
            }
        }
    }

    #[test]
    fn a_negative_zero_is_given_as_zero() {
        for kernel in Kernel::available() {
            for lanes in [LANES, 16, 64] {
                let zero = kernel.dot(&vec![bf16::from_f32(-0.0).to_bits(); lanes], &vec![1.0; lanes]);
                assert!(zero == 0.0 && zero.is_sign_positive(), "{kernel:?}");
            }
        }
    }
}
