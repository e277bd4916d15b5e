//! Vectors of length 1.

use crate::error::{Error, Result};

/// `vector` divided by its Euclidean length.
///
/// # Errors
/// [`Error::Invalid`] if it does not have `dimensions` elements, contains NaN or an infinity, or is all zero: such a
/// vector has no direction, so no cosine.
pub(super) fn unit(what: &'static str, vector: &[f32], dimensions: usize) -> Result<Vec<f32>> {
    if vector.len() != dimensions {
        return Err(Error::invalid(what, format!("{} dimensions", vector.len()), dimensions));
    }
    if let Some((at, value)) = vector.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::invalid(what, format!("{value} at position {at}"), "finite numbers only"));
    }
    let length = length(vector.iter().copied());
    if length == 0.0 {
        return Err(Error::invalid(what, "only zeros", "a vector other than zero"));
    }
    Ok(vector.iter().map(|&value| (f64::from(value) / length) as f32).collect())
}

/// Euclidean length, summed in f64: squares of finite f32 values neither overflow nor underflow in it.
pub(super) fn length(vector: impl Iterator<Item = f32>) -> f64 {
    vector.map(|value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_and_the_largest_vectors_have_a_direction() {
        for value in [f32::from_bits(1), 1e-30, 1.0, f32::MAX] {
            let unit = unit("v", &[value, -value], 2).unwrap();
            assert!((unit[0] - 0.5f32.sqrt()).abs() < 1e-6 && unit[1] == -unit[0], "{value}: {unit:?}");
        }
    }

    #[test]
    fn what_has_no_direction_is_refused() {
        for bad in [&[0.0, -0.0][..], &[1.0], &[1.0, f32::NAN], &[f32::INFINITY, 1.0], &[]] {
            assert!(matches!(unit("v", bad, 2), Err(Error::Invalid { .. })), "{bad:?}");
        }
    }
}
