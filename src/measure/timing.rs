//! Measures search times.

use std::ops::ControlFlow;

use serde::Serialize;

use super::progress::{Progress, tell};
use super::searches::Searches;
use crate::error::Result;
use crate::eval::{Query as Topic, quantile};
use crate::{Query, Took};

/// Search times, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
}

impl Percentiles {
    pub(super) fn of(took_ms: &[Took]) -> Percentiles {
        let mut times: Vec<f64> = took_ms.iter().map(|took| took.total).collect();
        times.sort_by(f64::total_cmp);
        Percentiles { p50: quantile(&times, 0.5), p95: quantile(&times, 0.95) }
    }
}

/// Times hybrid searches as users run them: ten documents, with highlights. Call this before anything else asks the
/// same queries: the index caches the vectors of recent ones.
///
/// # Errors
/// As [`Searches::search`]; [`Error::Cancelled`](crate::Error::Cancelled) when `progress` breaks.
pub fn time_searches(
    index: &impl Searches,
    topics: &[Topic],
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<Took>> {
    let mut times = Vec::with_capacity(topics.len());
    for (done, topic) in topics.iter().enumerate() {
        tell(progress, Progress::Timing { done, total: topics.len() })?;
        let query = Query::new(topic.text.as_str()).without_logging().without_trial();
        times.push(index.search(&query)?.took_ms);
    }
    Ok(times)
}
