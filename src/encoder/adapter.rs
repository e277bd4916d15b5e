//! A low-rank map of vectors, `x ↦ x + U Vᵀ x`, made of length 1 afterwards.
//!
//! Few judgements can't say how every number of an encoder should move, but they can say in which few directions
//! queries lie off the passages that answer them.

use crate::error::{Error, Result};

/// The factors of a map. With a zero `U` it is the identity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Adapter {
    width: usize,
    rank: usize,
    /// `(rank, width)`, row-major: the columns of U one after another.
    pub(crate) u: Vec<f32>,
    /// `(rank, width)`, row-major: the columns of V one after another.
    pub(crate) v: Vec<f32>,
}

impl Adapter {
    /// A map of vectors of `width` numbers; `u` and `v` hold the columns of U and V one after another.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the factors are not of one rank between 1 and the width, or hold a number that is not finite.
    pub(crate) fn new(width: usize, u: Vec<f32>, v: Vec<f32>) -> Result<Adapter> {
        let rank = u.len() / width.max(1);
        if u.len() != v.len() || u.len() != rank * width || !(1..=width).contains(&rank) {
            let found = format!("{} and {} numbers", u.len(), v.len());
            let expected = format!("as many columns of {width} numbers in both, 1 to {width}");
            return Err(Error::invalid("the factors of an adapter", found, expected));
        }
        if !u.iter().chain(&v).all(|number| number.is_finite()) {
            return Err(Error::invalid("the factors of an adapter", "NaN or infinity", "finite numbers"));
        }
        Ok(Adapter { width, rank, u, v })
    }

    /// Numbers of a vector.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Columns of U and of V.
    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    /// The image of `vector` before it is made of length 1, and `Vᵀ x`.
    pub(crate) fn moved(&self, vector: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let inner: Vec<f32> = self.v.chunks_exact(self.width).map(|column| dot(column, vector)).collect();
        let mut moved = vector.to_vec();
        for (column, share) in self.u.chunks_exact(self.width).zip(&inner) {
            moved.iter_mut().zip(column).for_each(|(number, by)| *number += share * by);
        }
        (moved, inner)
    }

    /// The image of `vector`, of length 1; the vector itself where it would be zero.
    pub(crate) fn apply(&self, vector: &[f32]) -> Vec<f32> {
        let (mut moved, _) = self.moved(vector);
        let length = dot(&moved, &moved).sqrt();
        if !(length.is_normal()) {
            return vector.to_vec();
        }
        moved.iter_mut().for_each(|number| *number /= length);
        moved
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_moves_along_u_by_what_v_finds_in_it_and_keeps_its_length() {
        let adapter = Adapter::new(3, vec![0.0, 2.0, 0.0], vec![0.5, 0.0, 1.0]).unwrap();
        assert_eq!((adapter.width(), adapter.rank()), (3, 1));
        let (moved, inner) = adapter.moved(&[0.8, 0.0, 0.6]);
        assert_eq!((moved, inner), (vec![0.8, 2.0, 0.6], vec![1.0]));
        let length = 5.0f32.sqrt();
        for (found, expected) in adapter.apply(&[0.8, 0.0, 0.6]).iter().zip([0.8, 2.0, 0.6]) {
            assert!((found - expected / length).abs() < 1e-6, "{found}, {expected}");
        }
        // What V does not find stays.
        assert_eq!(adapter.apply(&[0.0, 1.0, 0.0]), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn what_would_vanish_stays() {
        let adapter = Adapter::new(2, vec![-1.0, 0.0], vec![1.0, 0.0]).unwrap();
        assert_eq!(adapter.apply(&[1.0, 0.0]), [1.0, 0.0]);
    }

    #[test]
    fn factors_that_make_no_map_are_refused() {
        for (u, v) in [
            (vec![], vec![]),
            (vec![0.0; 3], vec![0.0; 3]),
            (vec![0.0; 2], vec![0.0; 4]),
            (vec![0.0; 6], vec![0.0; 6]),
            (vec![0.0, f32::NAN], vec![0.0; 2]),
        ] {
            assert!(matches!(Adapter::new(2, u, v), Err(Error::Invalid { .. })));
        }
    }
}
