//! Milliseconds: the time in files, since the Unix epoch, and how long something took.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The current time in milliseconds since the Unix epoch. 0 if the clock is set before it.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Milliseconds since then.
pub(crate) fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Adds the milliseconds that `work` takes.
pub(crate) fn timed<T>(total: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    *total += millis(started);
    result
}
