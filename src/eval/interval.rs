//! Confidence intervals of means over queries.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The seed of all intervals and tests in retune's own reports. With it the same runs always give the same figures.
pub const SEED: u64 = 42;

/// Number of bootstrap samples.
const SAMPLES: usize = 10_000;
/// The share of samples outside the interval, on each side.
const TAIL: f64 = 0.025;

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
    let mean = |drawn: Vec<usize>| drawn.iter().map(|&at| values[at]).sum::<f64>() / drawn.len() as f64;
    interval_of(resamples(values.len(), seed).map(mean).collect())
}

/// The samples of [`bootstrap`]: the places that are drawn of `count`. None of no places.
pub(crate) fn resamples(count: usize, seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let samples = if count == 0 { 0 } else { SAMPLES };
    (0..samples).map(move |_| (0..count).map(|_| random.random_range(0..count)).collect())
}

/// The interval that 95 % of the samples' values lie in. 0 to 0 for no values.
pub(crate) fn interval_of(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    Interval { low: quantile(&values, TAIL), high: quantile(&values, 1.0 - TAIL) }
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
