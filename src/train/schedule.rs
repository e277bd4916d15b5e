//! The learning rate schedule: linear warm-up, then linear decay towards 0, over all steps or those that the time
//! allows.

use std::time::Duration;

/// The factor of the peak learning rate in each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    warmup: usize,
    steps: usize,
}

/// Share of the steps that warm up.
const WARMUP_RATIO: f64 = 0.1;

impl Schedule {
    /// The first tenth of `steps`, rounded up, warms up; the rest decays.
    pub(super) fn new(steps: usize) -> Schedule {
        Schedule::with_warmup(steps, WARMUP_RATIO)
    }

    fn with_warmup(steps: usize, warmup_ratio: f64) -> Schedule {
        let warmup = (steps as f64 * warmup_ratio).ceil() as usize;
        Schedule { warmup: warmup.min(steps.saturating_sub(1)), steps }
    }

    /// The factor in step `step`, counted from 0.
    ///
    /// With a warm-up of `w` steps it starts at `1 / (w + 1)`, unlike transformers' schedule, which starts at 0: a
    /// round has few steps, and a step with factor 0 would be wasted.
    pub(super) fn factor(self, step: usize) -> f64 {
        if step < self.warmup {
            return (step + 1) as f64 / (self.warmup + 1) as f64;
        }
        (self.steps - step) as f64 / (self.steps - self.warmup) as f64
    }
}

/// Estimates how many of `steps` fit into `limit`, if `done` of them took `spent`: at least those, and at least one.
///
/// The rate decays to 0 at the last of them: a truncated decay leaves the weights noisy, while one fitted to the budget
/// costs hardly anything (Li, Yumer and Ramanan, "Budgeted Training", 2020).
pub(super) fn affordable(steps: usize, done: usize, spent: Duration, limit: Option<Duration>) -> usize {
    match limit {
        Some(limit) if done > 0 => {
            let fit = limit.as_secs_f64() * done as f64 / spent.as_secs_f64().max(f64::MIN_POSITIVE);
            // A float that is too large saturates.
            (fit as usize).clamp(done, steps)
        }
        _ => steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_steps_as_the_time_allows_at_the_pace_so_far() {
        let seconds = Duration::from_secs;
        let limit = Some(seconds(100));
        assert_eq!(affordable(50, 0, Duration::ZERO, limit), 50, "nothing is known yet");
        assert_eq!(affordable(50, 5, seconds(20), limit), 25);
        assert_eq!(affordable(50, 5, seconds(5), limit), 50);
        assert_eq!(affordable(50, 26, seconds(104), limit), 26, "what is done is done");
        assert_eq!(affordable(50, 1, seconds(400), limit), 1);
        assert_eq!(affordable(50, 3, Duration::ZERO, limit), 50);
        assert_eq!(affordable(50, 5, seconds(500), None), 50);
    }

    #[test]
    fn rises_to_the_peak_and_falls_towards_nothing() {
        let factors = |steps, ratio| {
            (0..steps).map(|step| Schedule::with_warmup(steps, ratio).factor(step)).collect::<Vec<_>>()
        };
        assert_eq!(factors(4, 0.0), [1.0, 0.75, 0.5, 0.25]);
        assert_eq!(factors(6, 0.3), [1.0 / 3.0, 2.0 / 3.0, 1.0, 0.75, 0.5, 0.25]);
        assert_eq!(factors(1, 0.1), [1.0]);
        for steps in 1..40 {
            assert!(factors(steps, 0.1).iter().all(|factor| (0.0..=1.0).contains(factor) && *factor > 0.0));
        }
    }
}
