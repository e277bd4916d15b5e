//! Quantised vectors for the graph: four bits per dimension.

/// A unit vector in `d` dimensions has elements of about `1 / √d`. For a normal distribution, 16 equidistant levels
/// lose least when they are 0.3352 standard deviations apart (Max, "Quantizing for minimum distortion", 1960). A cosine
/// in 768 dimensions then changes by about 0.004.
const STEP: f32 = 0.3352;
/// Level `l` of 0 to 15 stands for `(2 l - 15) / 2` steps: there is no zero, and each sign has eight levels.
const LEVELS: f32 = 16.0;
/// Elements of a query are clipped at this many times `1 / √d`, which is rare. The i8 steps are then small enough that
/// a cosine in 768 dimensions changes by about 0.001.
const WIDEST: f32 = 6.0;

/// Bytes per code.
pub(super) fn code_len(dimensions: usize) -> usize {
    dimensions.div_ceil(2)
}

/// Encodes a unit vector. Each byte has an element of the first half of the vector in its lower bits and one of the
/// second half in its upper bits. Good enough for searching a graph with a quarter of the memory; results are rescored
/// with the stored rows.
pub(super) fn code(unit: &[f32]) -> Vec<u8> {
    let step = STEP / (unit.len() as f32).sqrt();
    let level = |element: &f32| ((element / step).floor() + LEVELS / 2.0).clamp(0.0, LEVELS - 1.0) as u8;
    let (lower, upper) = unit.split_at(code_len(unit.len()));
    let upper = upper.iter().map(level).chain([0]);
    lower.iter().map(level).zip(upper).map(|(lower, upper)| lower | upper << 4).collect()
}

/// A query to compare with codes: i8 elements, in the order of a code's.
#[derive(Debug)]
pub(super) struct CodeQuery {
    /// Two for each byte of a code: first those for all lower bits, then those for all upper bits. With an odd number
    /// of dimensions the last one is 0.
    pub(super) elements: Vec<i8>,
    /// Sum of the elements.
    sum: i32,
}

impl CodeQuery {
    /// Makes the query of a unit vector.
    pub(super) fn vector(unit: &[f32]) -> CodeQuery {
        let widest = (WIDEST / (unit.len() as f32).sqrt()).min(1.0);
        let round = |element: &f32| ((element / widest).clamp(-1.0, 1.0) * f32::from(i8::MAX)).round() as i8;
        CodeQuery::new(unit.iter().map(round).collect())
    }

    /// Makes the query of the vector that a code stands for, in half steps.
    pub(super) fn coded(code: &[u8], dimensions: usize) -> CodeQuery {
        let levels = code.iter().map(|byte| byte & 15).chain(code.iter().map(|byte| byte >> 4));
        CodeQuery::new(levels.take(dimensions).map(|level| 2 * level.cast_signed() - 15).collect())
    }

    fn new(mut elements: Vec<i8>) -> CodeQuery {
        elements.resize(2 * code_len(elements.len()), 0);
        let sum = elements.iter().map(|&element| i32::from(element)).sum();
        CodeQuery { elements, sum }
    }

    /// Converts the dot product with a code's levels to that with the code's vector, in half steps. Greater is nearer.
    #[inline]
    pub(super) fn product(&self, with_levels: i32) -> i32 {
        2 * with_levels - 15 * self.sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::kernel::Kernel;
    use super::super::unit::unit;
    use super::*;

    fn product(code: &[u8], query: &CodeQuery) -> f64 {
        f64::from(query.product(Kernel::best().dot_code(code, &query.elements)))
    }

    #[test]
    fn halves_of_a_vector_lie_beside_each_other() {
        // The step is 0.3352 / √5 = 0.15.
        let code = code(&[0.0, 0.16, -0.01, -0.9, 0.9]);
        assert_eq!(code, [0x18, 0xe9, 0x07]);
        let query = CodeQuery::coded(&code, 5);
        assert_eq!((&query.elements[..], query.sum), (&[1, 3, -1, -13, 13, 0][..], 3));
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        assert_eq!(CodeQuery::vector(&[0.0, -1.0]).elements, [0, -127]);
        let mut unit = vec![0.0; 144];
        (unit[0], unit[1], unit[2]) = (0.9, -0.25, 0.5);
        // 6 / √144 is a half, and 8 · 0.3352 / √144 is 0.22.
        assert_eq!(CodeQuery::vector(&unit).elements[..4], [127, -64, 127, 0]);
        assert_eq!(code(&unit)[..4], [0x8f, 0x80, 0x8f, 0x88]);
    }

    proptest! {
        #[test]
        fn products_follow_cosines(
            a in prop::collection::vec(-1f32..1.0, 768), b in prop::collection::vec(-1f32..1.0, 768), near in 0f32..1.0,
        ) {
            let b: Vec<f32> = a.iter().zip(&b).map(|(a, b)| near * a + (1.0 - near) * b).collect();
            let (Ok(a), Ok(b)) = (unit("a", &a, 768), unit("b", &b, 768)) else { return Ok(()) };
            let cosine: f64 = a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            let length = |code: &[u8]| product(code, &CodeQuery::coded(code, 768)).sqrt();
            let (a_code, b_code) = (code(&a), code(&b));
            let rounded = CodeQuery::vector(&a);
            let rounded_length = rounded.elements.iter().map(|&e| f64::from(e).powi(2)).sum::<f64>().sqrt();
            let by_vector = product(&b_code, &rounded) / (rounded_length * length(&b_code));
            prop_assert!((cosine - by_vector).abs() < 0.025, "{cosine} {by_vector}");
            let by_code = product(&b_code, &CodeQuery::coded(&a_code, 768)) / (length(&a_code) * length(&b_code));
            prop_assert!((cosine - by_code).abs() < 0.03, "{cosine} {by_code}");
        }
    }
}
