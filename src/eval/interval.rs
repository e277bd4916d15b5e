//! How sure a mean over queries is.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Samples that are drawn.
const SAMPLES: usize = 10_000;
/// What lies outside of the interval, on each side.
const TAIL: f64 = 0.025;

/// A range of a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The 95 % interval of the mean by the percentile bootstrap: 10,000 samples of as many values, drawn with
/// replacement with `seed` (Efron, 1979; for retrieval: Sakai, "Evaluating Evaluation Metrics based on the Bootstrap",
/// 2006). 0 to 0 of no values.
pub fn bootstrap(values: &[f64], seed: u64) -> Interval {
    if values.is_empty() {
        return Interval { low: 0.0, high: 0.0 };
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut mean = || {
        let sum: f64 = (0..values.len()).map(|_| values[random.random_range(0..values.len())]).sum();
        sum / values.len() as f64
    };
    let mut means: Vec<f64> = (0..SAMPLES).map(|_| mean()).collect();
    means.sort_by(f64::total_cmp);
    Interval { low: quantile(&means, TAIL), high: quantile(&means, 1.0 - TAIL) }
}

/// The value below which a share of some sorted values lies, from 0 (the first one) to 1 (the last one); the nearest one that is
/// there. 0 of no values.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = (share * last as f64).round() as usize;
    sorted.get(place.min(last)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_are_there() {
        let values = [1.0, 2.0, 3.0, 9.0];
        assert_eq!([0.0, 0.5, 0.95, 1.0].map(|share| quantile(&values, share)), [1.0, 3.0, 9.0, 9.0]);
        assert_eq!((quantile(&[5.0], 0.95), quantile(&[], 0.5)), (5.0, 0.0));
    }
}
