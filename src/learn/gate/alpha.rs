//! The alpha budget: how often chance may publish something that is no better.

use std::collections::VecDeque;

use crate::learn::tier::Tier;
use crate::trial::AlphaSplit;

/// The significance level of the k-th attempt since the last publication, `budget · 6 / (π k)²`; over all k these sum
/// to `budget`. `attempts` is the number of attempts before this one.
pub(super) fn of_attempt(budget: f64, attempts: usize) -> f64 {
    let k = attempts as f64 + 1.0;
    budget * 6.0 / (std::f64::consts::PI * k).powi(2)
}

/// What the gate may spend of an attempt's significance level. If what it rejects may go on trial, users get the rest.
pub(super) fn of_gate(budget: f64, attempts: usize, trial: bool) -> f64 {
    let level = of_attempt(budget, attempts);
    if trial { AlphaSplit::of(level).gate } else { level }
}

/// What a trial may spend of an attempt's significance level.
pub(in crate::learn) fn of_trial(budget: f64, attempts: usize) -> f64 {
    AlphaSplit::of(of_attempt(budget, attempts)).trial
}

/// The attempt's alpha, split among the tiers not yet tested. A tier that is rejected spends its share. A tier that
/// passes leaves its share to the next (the fallback procedure: Wiens and Dmitrienko, J. Biopharm. Stat. 15, 2005). So
/// does one that finds nothing to test, since it has not looked at the held-out queries.
pub(in crate::learn) struct AlphaBudget {
    /// The remaining share of the attempt's alpha.
    left: f64,
    /// The weights of the remaining tiers, in order.
    weights: VecDeque<f64>,
}

impl AlphaBudget {
    pub(in crate::learn) fn of(tiers: &[Tier]) -> AlphaBudget {
        AlphaBudget { left: 1.0, weights: tiers.iter().map(|&tier| weight(tier)).collect() }
    }

    /// The share of the next tier, 0 to 1.
    pub(in crate::learn) fn share(&self) -> f64 {
        self.weights.front().map_or(0.0, |next| self.left * next / self.weights.iter().sum::<f64>())
    }

    /// Moves on to the next tier.
    pub(in crate::learn) fn advance(&mut self, rejected: bool) {
        if rejected {
            self.left -= self.share();
        }
        self.weights.pop_front();
    }
}

/// An encoder gains several times what another fusion weight does, so it gets more of the alpha.
fn weight(tier: Tier) -> f64 {
    if tier == Tier::Encoder { 3.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(tried: &[(Tier, bool)]) -> Vec<f64> {
        let tiers: Vec<Tier> = tried.iter().map(|&(tier, _)| tier).collect();
        let mut budget = AlphaBudget::of(&tiers);
        let share = |&(_, rejected): &(Tier, bool)| {
            let share = budget.share();
            budget.advance(rejected);
            share
        };
        tried.iter().map(share).collect()
    }

    #[test]
    fn an_encoder_has_the_largest_share_and_what_is_not_rejected_leaves_its_part() {
        let check = |tried: &[(Tier, bool)], expected: &[f64]| {
            let found = shares(tried);
            let alike = found.iter().zip(expected).all(|(found, share)| (found - share).abs() < 1e-12);
            assert!(alike && found.len() == expected.len(), "{found:?} and not {expected:?}");
        };
        let (fusion, query_side, encoder) = (Tier::Fusion, Tier::QuerySide, Tier::Encoder);
        check(&[(encoder, true)], &[1.0]);
        check(&[(fusion, true), (encoder, true)], &[0.25, 0.75]);
        check(&[(fusion, false), (encoder, true)], &[0.25, 1.0]);
        check(&[(fusion, true), (query_side, false), (encoder, true)], &[0.2, 0.2, 0.8]);
    }

    #[test]
    fn a_trial_and_the_gate_share_the_level_of_an_attempt() {
        for attempts in 0..5 {
            let level = of_attempt(0.2, attempts);
            assert!((of_gate(0.2, attempts, true) + of_trial(0.2, attempts) - level).abs() < 1e-15);
            assert_eq!(of_gate(0.2, attempts, false), level);
        }
    }

    #[test]
    fn all_attempts_together_spend_the_budget() {
        let spent: f64 = (0..100_000).map(|attempts| of_attempt(0.2, attempts)).sum();
        assert!((spent - 0.2).abs() < 1e-4, "{spent}");
    }

    proptest! {
        #[test]
        fn no_more_than_the_whole_is_spent(
            rejected in proptest::collection::vec(any::<bool>(), 0..8),
            first in 0..Tier::ALL.len(),
        ) {
            let tiers: Vec<Tier> = Tier::ALL.into_iter().cycle().skip(first).take(rejected.len()).collect();
            let (mut budget, mut spent) = (AlphaBudget::of(&tiers), 0.0);
            for rejected in rejected {
                // A tier that passes wrongly here adds its own share to what was spent.
                prop_assert!(spent + budget.share() <= 1.0 + 1e-12, "{spent}");
                if rejected {
                    spent += budget.share();
                }
                budget.advance(rejected);
            }
        }
    }
}
