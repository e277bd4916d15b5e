//! The hybrid by its dense weight.

use retune::{Fusion, Result};

use super::output::Output;

/// Weights from 0 to 1, apart from each other by one of so many steps.
const STEPS: u8 = 10;

/// Means over the queries by weight, of what `measure` makes of the hybrid of one query with such a fusion.
pub(super) fn by_weight<Q>(
    queries: &[Q],
    out: &Output,
    measure: impl Fn(&Q, Fusion) -> Result<f64>,
) -> Result<Vec<(f64, f64)>> {
    let bar = out.bar("weights", queries.len() as u64);
    let weights: Vec<f64> = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS)).collect();
    let mut sums = vec![0.0; weights.len()];
    // All weights of one query after each other: its vector is remembered, those of all queries may not be.
    for query in queries {
        for (sum, &weight) in sums.iter_mut().zip(&weights) {
            *sum += measure(query, Fusion::Convex { dense_weight: weight as f32 })?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mean = |sum: f64| sum / queries.len().max(1) as f64;
    Ok(weights.into_iter().zip(sums.into_iter().map(mean)).collect())
}
