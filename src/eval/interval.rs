//! Confidence intervals of means over queries.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// The seed of all intervals and tests in retune's own reports. With it the same runs always give the same figures.
pub const SEED: u64 = 42;

/// Number of bootstrap samples.
const SAMPLES: usize = 10_000;
/// The share of samples outside the interval, on each side.
const TAIL: f64 = 0.025;

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The 95 % confidence interval of the mean by the percentile bootstrap. 0 to 0 for no values.
///
/// Draws 10,000 samples of the same size with replacement (Efron, 1979; for retrieval: Sakai, "Evaluating Evaluation
/// Metrics based on the Bootstrap", 2006).
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

/// The quantile of sorted values: `share` 0 gives the first value, 1 the last. Rounds to the nearest value and does not
/// interpolate. 0 for no values.
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
