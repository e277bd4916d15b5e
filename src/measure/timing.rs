//! Measures search times.

use std::ops::ControlFlow;

use serde::Serialize;

use super::progress::{Progress, tell};
use crate::error::Result;
use crate::eval::{Query as Topic, quantile};
use crate::{Query, Reader, Took};

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
/// same queries: the engine caches the vectors of recent ones.
///
/// # Errors
/// As [`Reader::search`]; [`Error::Cancelled`](crate::Error::Cancelled) when `progress` breaks.
pub fn time_searches(
    engine: &Reader,
    topics: &[Topic],
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<Took>> {
    let mut times = Vec::with_capacity(topics.len());
    for (done, topic) in topics.iter().enumerate() {
        tell(progress, Progress::Timing { done, total: topics.len() })?;
        times
            .push(engine.search(&Query::new(topic.text.as_str()).without_logging().without_trial())?.took_ms);
    }
    Ok(times)
}
