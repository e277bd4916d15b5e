//! What a pick says of the two lists: a vote between −1 and 1.

use crate::feedback::Standing;

/// The lowest attention that a vote is divided by, so that no single pick from far down decides much.
const LEAST_ATTENTION: f64 = 0.2;

/// How much higher, in discounted gain, the candidate ranks the picked document than the serving generation does:
///
/// `(1 / log2(1 + candidate) − 1 / log2(1 + serving)) / attention(place)`, at least −1 and at most 1.
///
/// The discount is nDCG's (Järvelin and Kekäläinen, TOIS 2002), so that votes add up to a difference in DCG. The
/// attention, `continues` to the power of `place − 1`, is the probability that a user looks so far down (the cascade's
/// continuation: Craswell et al., WSDM 2008). Dividing by it undoes the position bias of the list that was shown
/// (Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017): otherwise a
/// document that the candidate brings to the top votes for it more often than one that it sends down votes against it.
///
/// Swapping the two lists swaps the sign. Ranks beyond a list make no difference.
pub(super) fn credit(pick: Standing, continues: f64) -> f64 {
    let gain = |rank: u32| 1.0 / (1.0 + f64::from(rank.max(1))).log2();
    ((gain(pick.candidate) - gain(pick.serving)) / attention(pick.place, continues)).clamp(-1.0, 1.0)
}

/// The probability that a user looks at a place, from 1, if `continues` is that of looking at the next one. At least
/// 0.2.
pub(crate) fn attention(place: u32, continues: f64) -> f64 {
    continues.powf(f64::from(place.max(1) - 1)).max(LEAST_ATTENTION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::interleave;
    use proptest::prelude::*;

    fn of(place: u32, serving: u32, candidate: u32) -> f64 {
        credit(Standing { place, serving, candidate }, 0.85)
    }

    #[test]
    fn votes_are_differences_of_discounted_gain() {
        assert_eq!(of(1, 3, 1), 0.5);
        assert_eq!(of(1, 1, 3), -0.5);
        assert_eq!(of(7, 4, 4), 0.0);
        assert!((of(3, 3, 1) - 0.5 / (0.85 * 0.85)).abs() < 1e-12);
        assert_eq!(of(u32::MAX, 1, u32::MAX), -1.0);
        assert_eq!(of(0, 0, 0), 0.0);
    }

    /// Whoever looks at a place as often as is assumed, and picks there whatever stands there, votes for nobody.
    #[test]
    fn careless_picks_of_all_that_is_shown_cancel_out() {
        let lists: [(&[u8], &[u8]); 4] = [
            (&[1, 2, 3, 4, 5, 6], &[6, 1, 2, 3, 4, 5]),
            (&[1, 2, 3, 4], &[5, 6, 7, 8]),
            (&[1, 2, 3, 4, 5, 6], &[7, 1]),
            (&[9], &[1, 2, 3, 4, 5, 6, 7, 8]),
        ];
        for (serving, candidate) in lists {
            for seed in 0..20 {
                let hits = interleave(serving, candidate, 20, seed);
                let votes =
                    hits.iter().map(|hit| credit(hit.standing, 0.85) * attention(hit.standing.place, 0.85));
                let sum: f64 = votes.sum();
                assert!(sum.abs() < 1e-12, "{serving:?} {candidate:?}: {sum}");
            }
        }
    }

    proptest! {
        #[test]
        fn swapping_the_lists_swaps_the_sign(place: u32, serving: u32, candidate: u32, continues in 0.0..=1.0f64) {
            let vote = |serving, candidate| credit(Standing { place, serving, candidate }, continues);
            prop_assert!((-1.0..=1.0).contains(&vote(serving, candidate)));
            prop_assert_eq!(vote(serving, candidate), -vote(candidate, serving));
        }
    }
}
