//! The evidence of bounded votes: a gambler's wealth who bets that their mean is above 0.

use serde::{Deserialize, Serialize};

/// The shares of the wealth that are bet on each vote. The best bet is the mean vote over the mean square of votes,
/// 0.2 to 0.6 where a trial can prove anything; each more bet to choose from would cost votes.
const BETS: [f64; 2] = [0.25, 0.6];

/// An e-process for the hypothesis that no vote, given those before it, has a mean above 0: the mean over all [`BETS`]
/// of `Π (1 + bet · vote)` (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS
/// B, 2024, section 4.3, with fixed bets).
///
/// Under the hypothesis each product is a supermartingale that starts at 1 and stays above 0, because votes are at
/// least −1 and bets below 1. So is their mean, and the probability that it *ever* reaches `1 / alpha` is at most
/// `alpha` (Ville, 1939): one may look after every vote. The order of the votes makes no difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Wealth {
    /// The logarithm of each bet's product.
    logs: [f64; BETS.len()],
}

impl Wealth {
    /// Before any vote: 1.
    pub(super) fn new() -> Self {
        Wealth { logs: [0.0; BETS.len()] }
    }

    /// Bets on a vote, which must not be below −1.
    pub(super) fn bet(&mut self, vote: f64) {
        for (log, bet) in self.logs.iter_mut().zip(BETS) {
            *log += (bet * vote).ln_1p();
        }
    }

    /// The e-value: by how much the wealth has grown.
    pub(super) fn e_value(&self) -> f64 {
        self.logs.iter().map(|log| log.exp()).sum::<f64>() / BETS.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(votes: &[f64]) -> f64 {
        let mut wealth = Wealth::new();
        votes.iter().for_each(|&vote| wealth.bet(vote));
        wealth.e_value()
    }

    #[test]
    fn wealth_grows_with_wins_alone() {
        assert_eq!(after(&[]), 1.0);
        assert_eq!(after(&[0.0; 50]), 1.0);
        assert!((after(&[1.0]) - 1.425).abs() < 1e-12);
        assert!((after(&[-1.0]) - 0.575).abs() < 1e-12);
        assert!(after(&[0.3; 40]) > 20.0 && after(&[-0.3; 40]) < 0.1);
    }

    proptest! {
        /// The mean over all signs of the same votes, each as likely as the other: the wealth is fair.
        #[test]
        fn nobody_gains_where_wins_and_losses_are_as_likely(sizes in proptest::collection::vec(0.0..=1.0f64, 0..8)) {
            let patterns = 1u32 << sizes.len();
            let signed = |pattern: u32| -> Vec<f64> {
                let sign = |at: usize| if pattern >> at & 1 == 1 { -1.0 } else { 1.0 };
                sizes.iter().enumerate().map(|(at, size)| sign(at) * size).collect()
            };
            let mean = (0..patterns).map(|pattern| after(&signed(pattern))).sum::<f64>() / f64::from(patterns);
            prop_assert!((mean - 1.0).abs() < 1e-9, "{mean}");
        }

        #[test]
        fn the_order_makes_no_difference(mut votes in proptest::collection::vec(-1.0..=1.0f64, 0..40)) {
            let forwards = after(&votes);
            votes.reverse();
            prop_assert!((after(&votes) / forwards - 1.0).abs() < 1e-9);
            prop_assert!(forwards > 0.0);
        }
    }
}
