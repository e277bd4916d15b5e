//! One alpha for both ways to prove a round, and what a p-value is worth as evidence.

/// The most that a trial may spend, whatever is left: of generations that are no better, users publish at most so
/// many.
const MOST_OF_TRIAL: f64 = 0.05;

/// An attempt's alpha, split between the two ways to prove a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlphaSplit {
    /// The significance level of the gate's test.
    pub gate: f64,
    /// The significance level of the trial, if the gate does not publish: [`TrialOptions::alpha`].
    ///
    /// [`TrialOptions::alpha`]: super::TrialOptions::alpha
    pub trial: f64,
}

impl AlphaSplit {
    /// Halves of `alpha`, the trial's at most 0.05.
    ///
    /// A round that is no better is published by the gate with a probability of at most `gate`, by its trial with at
    /// most `trial`, by either with at most their sum (Bonferroni's inequality), which is `alpha`: nothing is assumed
    /// of how the two depend on each other. So the sum over all attempts is what it is without trials: the budget. The
    /// split must not depend on what the gate finds. Half of the alpha costs a trial few votes: the evidence that it
    /// needs grows with the logarithm of `1 / alpha`.
    pub fn of(alpha: f64) -> AlphaSplit {
        let trial = (alpha / 2.0).min(MOST_OF_TRIAL);
        AlphaSplit { gate: alpha - trial, trial }
    }
}

/// What a p-value is worth as an e-value: `1 / (2 √p)` (Vovk and Wang, "E-values: calibration, combination and
/// applications", Annals of Statistics, 2021, with κ = 1/2). For [`Trial::with_prior`](super::Trial::with_prior).
///
/// 0.01 is worth 5, 0.25 is worth 1, more than that speaks against. 0 for what is no p-value.
pub fn e_value_of_p(p_value: f64) -> f64 {
    if p_value > 0.0 && p_value <= 1.0 { 0.5 / p_value.sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::QueryId;
    use crate::trial::{Outcome, Standing, Trial, TrialOptions};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_parts_are_the_whole() {
        for alpha in [0.2, 0.1216, 0.0912, 0.03, 1e-6] {
            let AlphaSplit { gate, trial } = AlphaSplit::of(alpha);
            assert!((gate + trial - alpha).abs() < 1e-15 && trial <= gate && trial <= 0.05 && trial > 0.0);
        }
    }

    #[test]
    fn p_values_of_the_null_are_worth_one_on_average() {
        let draws = 1_000_000;
        let mean = (0..draws).map(|at| e_value_of_p((f64::from(at) + 0.5) / f64::from(draws))).sum::<f64>();
        assert!((mean / f64::from(draws) - 1.0).abs() < 1e-3);
        assert_eq!([0.01, 0.25, 1.0].map(e_value_of_p), [5.0, 1.0, 0.5]);
        assert_eq!([0.0, -1.0, 2.0, f64::NAN].map(e_value_of_p), [0.0; 4]);
    }

    /// Rounds that are all no better, proved by the gate or by users: publications since the last, of all attempts
    /// together, stay within the budget.
    #[test]
    fn gate_and_trial_together_spend_one_budget() {
        const BUDGET: f64 = 0.2;
        let histories = 300;
        let mut published = 0;
        for seed in 0..histories {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            published += i32::from((1..=3).any(|attempt| {
                let of_attempt = BUDGET * 6.0 / (std::f64::consts::PI * f64::from(attempt)).powi(2);
                let alpha = AlphaSplit::of(of_attempt);
                random.random::<f64>() <= alpha.gate || publishes(alpha.trial, &mut random)
            }));
        }
        // 60 expected at most; the gate alone makes 28 or so of these.
        assert!((25..=60).contains(&published), "{published} of {histories}");
    }

    /// A trial where both are equally good.
    fn publishes(alpha: f64, random: &mut ChaCha8Rng) -> bool {
        let mut trial = Trial::new(TrialOptions::default().with_alpha(alpha).with_most_votes(300)).unwrap();
        for need in 0.. {
            let (one, other) = (random.random_range(1..6), random.random_range(1..6));
            let pick = Standing { place: one.min(other), serving: one, candidate: other };
            trial.record(QueryId(need), pick);
            if let Some(outcome) = trial.outcome() {
                return outcome == Outcome::Better;
            }
        }
        false
    }
}
