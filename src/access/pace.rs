//! How fast the log may grow: a token bucket over all clients of a service. One that runs wild can fill the disk
//! otherwise; people and agents never come near.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::api::SearchRequest;
use crate::error::{Error, Result};
use crate::search::Query;

/// Records that may be written at once.
const BURST: f64 = 5000.0;
/// Records a second in the long run.
const PER_SECOND: f64 = 20.0;

/// How fast the log may grow: as fast as it likes by default.
#[derive(Debug, Default)]
pub(super) struct Pace(Option<Mutex<Left>>);

#[derive(Debug)]
struct Left {
    /// Records that may be written at once now.
    records: f64,
    since: Instant,
}

/// What should be known of an answer that was not logged because of the pace.
pub(super) fn notice(request: &SearchRequest, query: &Query) -> Option<String> {
    let notice = "too many queries in a short time: this one is not kept, and nothing is learnt from it";
    (request.log && !query.log).then(|| notice.to_string())
}

impl Pace {
    /// A bounded one.
    #[cfg(any(test, feature = "serve"))]
    pub(super) fn bounded() -> Pace {
        Pace(Some(Mutex::new(Left { records: BURST, since: Instant::now() })))
    }

    /// Takes the place of one record of the log.
    ///
    /// # Errors
    /// [`Error::TooFast`].
    pub(super) fn keep(&self, doing: &'static str) -> Result<()> {
        self.take_at(Instant::now()).then_some(()).ok_or(Error::TooFast { doing })
    }

    /// The query as it is answered: without the log, where that grows too fast.
    pub(super) fn of_query(&self, query: Query) -> Query {
        let is_logged = query.log && query.page_of.is_none() && query.offset == 0;
        match is_logged && self.keep("log an answer").is_err() {
            true => query.without_logging(),
            false => query,
        }
    }

    fn take_at(&self, now: Instant) -> bool {
        let Some(left) = &self.0 else { return true };
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = now.saturating_duration_since(left.since).as_secs_f64();
        let records = (left.records + seconds * PER_SECOND).min(BURST);
        if records < 1.0 {
            return false;
        }
        *left = Left { records: records - 1.0, since: left.since.max(now) };
        true
    }

    /// One that lets nothing through for now.
    #[cfg(test)]
    pub(super) fn used_up() -> Pace {
        // So that no time that a test takes is enough.
        let since = Instant::now() + std::time::Duration::from_secs(3600);
        Pace(Some(Mutex::new(Left { records: 0.0, since })))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_goes_through_and_then_so_many_a_second() {
        let (pace, began) = (Pace::bounded(), Instant::now());
        let taken =
            |count: usize, after: Duration| (0..count).filter(|_| pace.take_at(began + after)).count();
        assert_eq!(taken(6000, Duration::ZERO), 5000);
        assert_eq!(taken(100, Duration::from_secs(2)), 40);
        assert_eq!(taken(9000, Duration::from_secs(3600)), 5000, "what was not used up is not kept");
    }

    #[test]
    fn a_clock_that_stands_still_gives_nothing_twice() {
        let (pace, began) = (Pace::bounded(), Instant::now());
        let later = began + Duration::from_secs(10);
        assert!((0..5000).all(|_| pace.take_at(later)));
        assert!(!pace.take_at(began) && !pace.take_at(later));
    }
}
