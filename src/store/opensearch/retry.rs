//! When a request is made again, and after how long.

use std::time::Duration;

/// Whether a request may be made again after it may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing, or the second time nothing more.
    Safe,
    /// Somebody has to look first what has become of it.
    Never,
}

/// Requests in all. Together they outlast the election of a new cluster manager.
pub(super) const ATTEMPTS: u32 = 8;
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(3);

/// How long to wait before a further attempt, from 1: twice as long each time, by half at random, so that clients that
/// failed together don't come back together.
pub(super) fn pause(attempt: u32) -> Duration {
    let whole = FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST);
    whole.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

/// Whether a status says that the same request may work later.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        for attempt in 1..40 {
            let pause = pause(attempt);
            assert!(pause <= LONGEST && pause >= FIRST.min(LONGEST / 2), "{attempt} {pause:?}");
        }
        assert!(pause(1) <= FIRST * 2 && pause(6) >= LONGEST / 2);
    }
}
