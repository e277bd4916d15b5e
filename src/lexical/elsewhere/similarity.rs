//! The parameters of Lucene's BM25.

use crate::lexical::bm25::{B, K1};

/// Lucene's parameters k1 and b for one field.
///
/// It takes the mean length over the chunks that have a term in the field, [`bm25`](crate::lexical::bm25) over all. Of
/// a field that `share` of the chunks have, its mean is 1 / share of ours, so that other parameters give our lengths
/// the same weight: both are linear in the length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    pub(crate) k1: f64,
    pub(crate) b: f64,
}

impl Similarity {
    /// For a field that `having` of `all` chunks have.
    pub(crate) fn of(having: u64, all: u64) -> Similarity {
        let ratio = if having == 0 { 1.0 } else { all as f64 / having as f64 };
        let (constant, slope) = (K1 * (1.0 - B), K1 * B * ratio);
        Similarity { k1: constant + slope, b: slope / (constant + slope) }
    }

    /// How much higher Lucene's scores are with these parameters than with the usual ones.
    pub(super) fn factor(self) -> f64 {
        (1.0 + self.k1) / (1.0 + K1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_weigh_as_with_the_mean_over_all_chunks() {
        let score = |Similarity { k1, b }, mean: f64, frequency: f64, length: f64| {
            frequency * (k1 + 1.0) / (frequency + k1 * (1.0 - b + b * length / mean))
        };
        let usual = Similarity::of(10, 10);
        assert!((usual.k1 - K1).abs() < 1e-12 && (usual.b - B).abs() < 1e-12);
        // 40 tokens in 4 of 10 chunks.
        let sparse = Similarity::of(4, 10);
        for (frequency, length) in [(1.0, 1.0), (2.0, 9.0), (7.0, 40.0)] {
            let (ours, lucenes) =
                (score(usual, 4.0, frequency, length), score(sparse, 10.0, frequency, length));
            assert!((ours - lucenes / sparse.factor()).abs() < 1e-12);
        }
    }
}
