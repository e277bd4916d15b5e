//! Linear warm-up, then linear decay towards 0.

/// The factor of the peak learning rate in each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    warmup: usize,
    steps: usize,
}

impl Schedule {
    /// `warmup_ratio` of `steps`, rounded up, rise; the rest falls.
    pub(super) fn new(steps: usize, warmup_ratio: f64) -> Schedule {
        let warmup = (steps as f64 * warmup_ratio).ceil() as usize;
        Schedule { warmup: warmup.min(steps.saturating_sub(1)), steps }
    }

    /// The factor in step `step`, counted from 0.
    ///
    /// With a warm-up of `w` steps it starts at `1 / (w + 1)` on purpose, where transformers' schedule starts at 0: a
    /// round has a handful of steps, and one of factor 0 moves nothing.
    pub(super) fn factor(self, step: usize) -> f64 {
        if step < self.warmup {
            return (step + 1) as f64 / (self.warmup + 1) as f64;
        }
        (self.steps - step) as f64 / (self.steps - self.warmup) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_to_the_peak_and_falls_towards_nothing() {
        let factors = |steps, ratio| {
            (0..steps).map(|step| Schedule::new(steps, ratio).factor(step)).collect::<Vec<_>>()
        };
        assert_eq!(factors(4, 0.0), [1.0, 0.75, 0.5, 0.25]);
        assert_eq!(factors(6, 0.3), [1.0 / 3.0, 2.0 / 3.0, 1.0, 0.75, 0.5, 0.25]);
        assert_eq!(factors(1, 0.1), [1.0]);
        for steps in 1..40 {
            assert!(factors(steps, 0.1).iter().all(|factor| (0.0..=1.0).contains(factor) && *factor > 0.0));
        }
    }
}
