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
    let at = |share: f64| means[(share * (SAMPLES - 1) as f64).round() as usize];
    Interval { low: at(TAIL), high: at(1.0 - TAIL) }
}
