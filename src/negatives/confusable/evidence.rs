//! How much speaks for a confusable.

use serde::{Deserialize, Serialize};

use super::Confusable;
use crate::error::{Error, Result};

/// Which confusables are kept. A confusable's evidence is a number from 0 to 1:
///
/// `age · rate · rank`, of which
/// - `rate = (passed over + 1) / (shown + 3)`: how often it was passed over of how often it was shown where something
///   was chosen, below that too, beginning from a Beta(1, 2) prior: passed over the one time that it was shown is
///   0.5, ten times out of ten is 0.85;
/// - `rank = 1 / log2(1 + the best rank at which it was passed over)`, the discount of DCG: what stands further down
///   was less surely looked at, and misleads fewer;
/// - `age = 2^(−days / half_life_days)`, the days from when it was last seen to the newest record of the log.
///
/// What was judged not relevant needs no guess: its evidence is `age`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ConfusableOptions {
    /// After so many days evidence is worth half, above 0. Default: it does not age.
    pub half_life_days: Option<f32>,
    /// With less evidence a confusable is left out, 0 to 1. Default 0: none is.
    pub floor: f32,
    /// Confusables of a query at most, the ones with the most evidence. Default: all.
    pub per_query: Option<usize>,
}

const DAY_MS: f64 = 86_400_000.0;

impl ConfusableOptions {
    /// Sets [`half_life_days`](ConfusableOptions::half_life_days).
    pub fn with_half_life_days(mut self, days: Option<f32>) -> Self {
        self.half_life_days = days;
        self
    }

    /// Sets [`floor`](ConfusableOptions::floor).
    pub fn with_floor(mut self, floor: f32) -> Self {
        self.floor = floor;
        self
    }

    /// Sets [`per_query`](ConfusableOptions::per_query).
    pub fn with_per_query(mut self, most: Option<usize>) -> Self {
        self.per_query = most;
        self
    }

    /// # Errors [`Error::Invalid`] for a half-life that is not above 0, a floor outside 0 to 1, and a limit of no
    /// confusables at all.
    pub fn validate(&self) -> Result<()> {
        if let Some(days) = self.half_life_days.filter(|days| !(days.is_finite() && *days > 0.0)) {
            return Err(Error::invalid("the half-life of evidence", days, "days, more than 0"));
        }
        if !(0.0..=1.0).contains(&self.floor) {
            return Err(Error::invalid("the least evidence of a confusable", self.floor, "0 to 1"));
        }
        if self.per_query == Some(0) {
            return Err(Error::invalid(
                "the number of confusables of a query",
                0,
                "1 or more; a share of 0 turns the source off",
            ));
        }
        Ok(())
    }

    /// The evidence against `one`; the newest record of the log is of `newest_ms`.
    pub(super) fn evidence(&self, one: &Confusable, newest_ms: u64) -> f32 {
        let days = newest_ms.saturating_sub(one.last_seen_ms) as f64 / DAY_MS;
        let age = self.half_life_days.map_or(1.0, |half_life| (-days / f64::from(half_life)).exp2());
        if one.judged_not_relevant {
            return age as f32;
        }
        let rate = (f64::from(one.times_passed_over) + 1.0) / (f64::from(one.times_shown) + 3.0);
        let rank = one.best_rank.map_or(0.0, |rank| 1.0 / (1.0 + rank as f64).log2());
        (age * rate * rank) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    fn passed_over(times: u32, shown: u32, rank: usize, last_seen_ms: u64) -> Confusable {
        Confusable {
            document: "d".into(),
            chunk: None,
            times_passed_over: times,
            times_shown: shown,
            best_rank: Some(rank),
            last_seen_ms,
            judged_not_relevant: false,
            evidence: 0.0,
        }
    }

    #[test]
    fn evidence_is_age_times_rate_times_rank() {
        let options = ConfusableOptions::default();
        let of = |one: Confusable| options.evidence(&one, 10 * DAY);
        assert_eq!(of(passed_over(1, 1, 1, 0)), 0.5);
        assert_eq!(of(passed_over(2, 2, 3, 0)), 0.3);
        assert_eq!(of(passed_over(1, 5, 1, 0)), 0.25);
        let aged = options.with_half_life_days(Some(5.0));
        assert_eq!(aged.evidence(&passed_over(1, 1, 1, 0), 10 * DAY), 0.125);
        // A clock that was set back makes nothing stronger.
        assert_eq!(aged.evidence(&passed_over(1, 1, 1, 20 * DAY), 10 * DAY), 0.5);
        let judged = Confusable { judged_not_relevant: true, ..passed_over(0, 0, 1, 5 * DAY) };
        assert_eq!(options.evidence(&judged, 10 * DAY), 1.0);
        assert_eq!(aged.evidence(&judged, 10 * DAY), 0.5);
    }

    #[test]
    fn unusable_options_are_refused() {
        let options = ConfusableOptions::default;
        assert!(options().validate().is_ok());
        for bad in [
            options().with_half_life_days(Some(0.0)),
            options().with_half_life_days(Some(f32::NAN)),
            options().with_floor(1.1),
            options().with_per_query(Some(0)),
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}
