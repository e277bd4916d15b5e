//! Evaluates the hybrid with different dense weights.

use std::ops::ControlFlow;

use super::progress::{Progress, tell};
use crate::Fusion;
use crate::error::Result;
use crate::eval::Query as Topic;

/// The number of steps from weight 0 to 1.
const STEPS: u8 = 10;

/// The mean score of the hybrid with one dense weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightMean {
    /// The weight of the dense side, 0 to 1.
    pub dense_weight: f64,
    /// The mean.
    pub mean: f64,
}

/// Returns the means by weight, ascending. `measure` gives the score of one query with one fusion.
pub(super) fn by_weight(
    topics: &[Topic],
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    measure: impl Fn(&Topic, Fusion) -> Result<f64>,
) -> Result<Vec<WeightMean>> {
    let weights = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS));
    let mut means: Vec<WeightMean> =
        weights.map(|dense_weight| WeightMean { dense_weight, mean: 0.0 }).collect();
    // All weights of one query in turn: the cache holds its vector, but perhaps not those of all queries.
    for (done, topic) in topics.iter().enumerate() {
        tell(progress, Progress::Weights { done, total: topics.len() })?;
        for one in &mut means {
            one.mean += measure(topic, Fusion::Convex { dense_weight: one.dense_weight as f32 })?;
        }
    }
    means.iter_mut().for_each(|one| one.mean /= topics.len().max(1) as f64);
    Ok(means)
}
