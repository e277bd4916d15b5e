//! Distributions of cosines.

use serde::{Deserialize, Serialize};

/// Number of histogram bins.
pub(super) const BINS: usize = 40;

/// The distribution of cosines, or of differences between two of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Distribution {
    /// Number of values; at least one.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The quantiles.
    pub quantiles: Quantiles,
    /// Counts in 40 bins of width 0.05 from −1 to 1, the lowest first. A bin includes its lower bound but not its upper
    /// one. Values outside go to the first or last bin.
    pub histogram: Vec<u32>,
}

/// Quantiles, with linear interpolation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quantiles {
    /// 5 %.
    pub p05: f64,
    /// 25 %.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// 75 %.
    pub p75: f64,
    /// 95 %.
    pub p95: f64,
}

impl Distribution {
    /// The distribution of finite values; `None` if there are none.
    pub(super) fn of(mut numbers: Vec<f64>) -> Option<Distribution> {
        numbers.sort_by(f64::total_cmp);
        let last = numbers.len().checked_sub(1)?;
        let quantile = |share: f64| {
            let place = share * last as f64;
            let (below, above) = (numbers[place as usize], numbers[(place.ceil() as usize).min(last)]);
            below + place.fract() * (above - below)
        };
        let quantiles = Quantiles {
            p05: quantile(0.05),
            p25: quantile(0.25),
            p50: quantile(0.5),
            p75: quantile(0.75),
            p95: quantile(0.95),
        };
        let mut histogram = vec![0; BINS];
        for number in &numbers {
            let bin = ((number + 1.0) * BINS as f64 / 2.0).floor();
            histogram[bin.clamp(0.0, (BINS - 1) as f64) as usize] += 1;
        }
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        Some(Distribution { count: numbers.len() as u64, mean, quantiles, histogram })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_numpys_and_bins_hold_their_lower_bound() {
        // numpy.quantile([-0.2, 0.1, 0.4, 0.9, 2.0], [0.05, 0.25, 0.5, 0.75, 0.95])
        let found = Distribution::of(vec![0.9, -0.2, 2.0, 0.4, 0.1]).unwrap();
        let Quantiles { p05, p25, p50, p75, p95 } = found.quantiles;
        for (found, expected) in [(p05, -0.14), (p25, 0.1), (p50, 0.4), (p75, 0.9), (p95, 1.78)] {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
        assert!((found.mean - 0.64).abs() < 1e-12 && found.count == 5);
        let bins = |numbers: Vec<f64>| {
            let histogram = Distribution::of(numbers).unwrap().histogram;
            histogram
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(bin, _)| bin)
                .collect::<Vec<_>>()
        };
        assert_eq!(bins(vec![-1.5, -1.0]), [0]);
        assert_eq!(bins(vec![-0.0625, 0.0, 0.0625]), [18, 20, 21]);
        assert_eq!(bins(vec![1.0, 1.7]), [39]);
        assert_eq!(Distribution::of(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_quantiles_rise(numbers in prop::collection::vec(-2.0f64..2.0, 1..60)) {
            let found = Distribution::of(numbers.clone()).unwrap();
            prop_assert_eq!(found.histogram.iter().sum::<u32>() as usize, numbers.len());
            let Quantiles { p05, p25, p50, p75, p95 } = found.quantiles;
            prop_assert!(p05 <= p25 && p25 <= p50 && p50 <= p75 && p75 <= p95);
            prop_assert!(numbers.iter().any(|n| *n <= p05) && numbers.iter().any(|n| *n >= p95));
        }
    }
}
