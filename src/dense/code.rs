//! Vectors as the graph compares them: one signed byte an element.

/// The largest number that an element is.
const LARGEST: f32 = 127.0;
/// A vector of length 1 in `d` dimensions has elements of about `1 / √d`. What is larger than so many times that is cut,
/// which is rare; the step between two codes is then small enough that rounding moves a cosine of 768 dimensions by about
/// 0.001.
const WIDEST: f32 = 6.0;

/// A vector of length 1, rounded. The products of two codes order vectors nearly as their cosines do: good enough to find
/// the way through a graph by half of the memory, and what is found is scored again by the stored rows.
pub(super) fn code(unit: &[f32]) -> Vec<i8> {
    let widest = (WIDEST / (unit.len() as f32).sqrt()).min(1.0);
    // A cast saturates, and the rounded value is within ±127 anyway.
    unit.iter().map(|element| ((element / widest).clamp(-1.0, 1.0) * LARGEST).round() as i8).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::unit::unit;
    use super::*;

    fn product(a: &[i8], b: &[i8]) -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    #[test]
    fn the_widest_element_is_the_largest_number_in_either_direction() {
        assert_eq!(code(&[1.0]), [127]);
        assert_eq!(code(&[0.0, -1.0]), [0, -127]);
        // 6 / √144 is a half.
        let mut unit = vec![0.0; 144];
        (unit[0], unit[1], unit[2]) = (0.9, -0.25, 0.5);
        assert_eq!(code(&unit)[..4], [127, -64, 127, 0]);
    }

    proptest! {
        #[test]
        fn products_follow_cosines(
            a in prop::collection::vec(-1f32..1.0, 768), b in prop::collection::vec(-1f32..1.0, 768), near in 0f32..1.0,
        ) {
            let b: Vec<f32> = a.iter().zip(&b).map(|(a, b)| near * a + (1.0 - near) * b).collect();
            let (Ok(a), Ok(b)) = (unit("a", &a, 768), unit("b", &b, 768)) else { return Ok(()) };
            let cosine: f64 = a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            let (a, b) = (code(&a), code(&b));
            let by_codes = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
            prop_assert!((cosine - by_codes).abs() < 0.005, "{cosine} {by_codes}");
        }
    }
}
