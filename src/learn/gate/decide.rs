//! The ruling on two sets of scores.

use std::collections::HashMap;

use super::alpha::of_gate;
use super::resample::intervals;
use super::score::{QueryScores, mean};
use crate::error::Result;
use crate::eval::randomisation_test;
use crate::learn::report::{Decision, GateScores, GuardScores, Ruling};

/// How much mean nDCG@10 each part of the guard may lose.
const GUARD_LOSS: f64 = 0.02;
/// Sums are over queries in the same order, so a larger difference means that some rank differs.
pub(super) const ROUNDING: f64 = 1e-12;
/// The seed of the test, so that the same scores give the same ruling.
const SEED: u64 = 42;

/// The input of a ruling.
pub(super) struct Evidence<'a> {
    pub(super) before: &'a [QueryScores],
    pub(super) after: &'a [QueryScores],
    /// The cluster of each query.
    pub(super) clusters: &'a [usize],
    pub(super) guard: &'a [GuardPart],
    /// Rounds that were rejected since the last publication.
    pub(super) attempts: usize,
    /// Whether what is rejected may go on trial.
    pub(super) trial: bool,
    /// The part of the attempt's alpha that this test may spend, above 0 and at most 1.
    pub(super) share: f64,
}

/// A part of the guard. Each part has to keep its own nDCG@10.
#[derive(Clone, Copy)]
pub(super) struct GuardPart {
    pub(super) name: &'static str,
    pub(super) scores: GuardScores,
    /// The part of the loss that is forgiven.
    pub(super) forgiven: f64,
}

impl GuardPart {
    /// Whether it keeps its own nDCG@10.
    pub(super) fn holds(&self) -> bool {
        self.scores.before - self.scores.after - self.forgiven <= GUARD_LOSS
    }
}

/// What the query that lost most contributes to the loss of the mean nDCG@10. One of few titles that falls from the
/// first to the second place is no sign that the encoder has unlearnt something.
pub(super) fn largest_loss(before: &[QueryScores], after: &[QueryScores]) -> f64 {
    let losses = before.iter().zip(after).map(|(before, after)| before.hybrid.ndcg_10 - after.hybrid.ndcg_10);
    losses.fold(0.0, f64::max) / before.len().max(1) as f64
}

/// Publishes a generation that is significantly better in the hybrid, which users get, and does not lose too much on
/// the guard. With a `budget` of `None`, publishes one that is worse in neither MRR@10 nor nDCG@10.
///
/// "Better" means a higher mean nDCG@10. Significance is tested on the logarithm of average precision, whose mean is
/// GMAP: nDCG@10 jumps when an answer enters the first ten or reaches the top, and a few such jumps in either direction
/// hide a small gain of all queries. The test is Fisher's paired randomisation test on the sums of the clusters. It is
/// one-sided: half of its two-sided p-value.
pub(super) fn decide(evidence: &Evidence<'_>, budget: Option<f64>) -> Result<Ruling> {
    let (before, after) = (mean(evidence.before), mean(evidence.after));
    let figures = figures(evidence.before.len(), &before, &after);
    let intervals = intervals(evidence.before, evidence.after);
    let ruling = |decision, reason: String, p_value, allowed| Ruling {
        before: Some(before),
        after: Some(after),
        intervals: Some(intervals),
        decision,
        reason,
        p_value,
        allowed,
        golden: None,
        guard: None,
        not_worse: None,
    };
    if let Some(GuardPart { name, scores, .. }) = evidence.guard.iter().find(|part| !part.holds()) {
        let reason = format!(
            "{name} nDCG@10 falls from {:.4} to {:.4}, by more than {GUARD_LOSS}; {figures}",
            scores.before, scores.after
        );
        return Ok(ruling(Decision::Rejected, reason, None, None));
    }
    let (old, new) = (before.hybrid, after.hybrid);
    let Some(budget) = budget else {
        let worse = [
            (new.mrr_10 < old.mrr_10 - ROUNDING).then_some("MRR@10"),
            (new.ndcg_10 < old.ndcg_10 - ROUNDING).then_some("nDCG@10"),
        ];
        let worse: Vec<&str> = worse.into_iter().flatten().collect();
        return Ok(match worse.is_empty() {
            true => ruling(Decision::Published, format!("not worse: {figures}"), None, None),
            false => {
                let reason = format!("worse in {}: {figures}", worse.join(" and "));
                ruling(Decision::Rejected, reason, None, None)
            }
        });
    };
    let p = one_sided(evidence)?;
    let alpha = evidence.share * of_gate(budget, evidence.attempts, evidence.trial);
    let test = format!("p {p:.4}, significance level {alpha:.4}");
    let (decision, reason) = if new.ndcg_10 <= old.ndcg_10 + ROUNDING {
        (Decision::Rejected, format!("no better: {figures}"))
    } else if p > alpha {
        let attempt = evidence.attempts + 1;
        let reason = format!("better, but not significantly ({test}, attempt {attempt}): {figures}");
        (Decision::Rejected, reason)
    } else {
        (Decision::Published, format!("better ({test}): {figures}"))
    };
    Ok(ruling(decision, reason, Some(p), Some(alpha)))
}

fn figures(queries: usize, before: &GateScores, after: &GateScores) -> String {
    let (old, new) = (before.hybrid, after.hybrid);
    format!(
        "on {queries} held-out queries, hybrid nDCG@10 {:.4} → {:.4}, MRR@10 {:.4} → {:.4}, GMAP@20 {:.4} → {:.4}",
        old.ndcg_10, new.ndcg_10, old.mrr_10, new.mrr_10, old.gmap_20, new.gmap_20
    )
}

/// The one-sided p-value: how likely chance alone makes the new one this much better. Clusters are the independent
/// units.
fn one_sided(evidence: &Evidence<'_>) -> Result<f64> {
    let mut sums: HashMap<usize, f64> = HashMap::new();
    let scores = evidence.before.iter().zip(evidence.after).zip(evidence.clusters);
    for ((before, after), cluster) in scores {
        *sums.entry(*cluster).or_default() += (after.hybrid.gmap_20 / before.hybrid.gmap_20).ln();
    }
    let mut sums: Vec<(usize, f64)> = sums.into_iter().collect();
    sums.sort_unstable_by_key(|(cluster, _)| *cluster);
    // A pair without a difference is no evidence in either direction.
    let sums: Vec<f64> = sums.into_iter().map(|(_, sum)| sum).filter(|sum| sum.abs() > ROUNDING).collect();
    one_sided_of(&sums)
}

pub(super) fn one_sided_of(differences: &[f64]) -> Result<f64> {
    let test = randomisation_test(&vec![0.0; differences.len()], differences, SEED)?;
    Ok(if test.difference > 0.0 { test.p_value / 2.0 } else { 1.0 - test.p_value / 2.0 })
}

/// From this many clusters on, no random sign pattern has all signs equal.
pub(super) const MANY: usize = 32;

/// The smallest p-value of the test if at most this many clusters can gain, whatever they gain.
///
/// With a given number of differences the p-value is smallest if all are gains: a pattern with one sign reaches the
/// observed sum whatever the differences are, and then no other pattern does. Sizes do not matter then.
pub(super) fn smallest_p(clusters: usize) -> Result<f64> {
    // Random patterns need not prove more with one more difference, so all smaller numbers count.
    (1..=clusters.min(MANY))
        .try_fold(1.0, |least: f64, count| Ok(least.min(one_sided_of(&vec![1.0; count])?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::report::RankingScores;

    const BUDGET: Option<f64> = Some(0.2);

    fn scores(values: &[f64]) -> Vec<QueryScores> {
        let both = |value| RankingScores { mrr_10: value, ndcg_10: value, gmap_20: value };
        values.iter().map(|&value| QueryScores { hybrid: both(value), dense: both(0.5) }).collect()
    }

    fn ruling(before: &[f64], after: &[f64], attempts: usize, budget: Option<f64>) -> Ruling {
        let (before, after) = (scores(before), scores(after));
        let clusters: Vec<usize> = (0..before.len()).collect();
        let evidence = Evidence {
            before: &before,
            after: &after,
            clusters: &clusters,
            guard: &[],
            attempts,
            trial: false,
            share: 1.0,
        };
        decide(&evidence, budget).unwrap()
    }

    #[test]
    fn no_figures_have_a_smaller_p_than_gains_of_all_clusters() {
        let smallest = |clusters| smallest_p(clusters).unwrap();
        assert_eq!([0, 1, 2, 4, 10].map(smallest), [1.0, 0.5, 0.25, 1.0 / 16.0, 1.0 / 1024.0]);
        assert!((11..40).all(|clusters| smallest(clusters) <= smallest(clusters - 1)));
        // No random pattern is counted: there is no smaller p-value at all.
        assert_eq!((smallest(MANY), smallest(10 * MANY)), (0.5 / 10_001.0, 0.5 / 10_001.0));
    }

    proptest::proptest! {
        #[test]
        fn the_smallest_p_is_a_bound(differences in proptest::collection::vec(-1.0..1.0f64, 1..20)) {
            let p = one_sided_of(&differences).unwrap();
            proptest::prop_assert!(p >= smallest_p(differences.len()).unwrap(), "{p}");
        }
    }

    #[test]
    fn what_is_significantly_better_is_published() {
        let better = ruling(&[0.2; 8], &[0.6; 8], 0, BUDGET);
        assert_eq!(better.decision, Decision::Published, "{}", better.reason);
        // All eight gain: one of the 2^8 sign patterns.
        assert!((better.p_value.unwrap() - 1.0 / 256.0).abs() < 1e-12);
        let luck = ruling(&[0.5; 4], &[0.9, 0.4, 0.6, 0.5], 0, BUDGET);
        assert_eq!(luck.decision, Decision::Rejected);
        assert!(luck.reason.starts_with("better, but not significantly (p 0.375"), "{}", luck.reason);
    }

    #[test]
    fn what_all_queries_gain_is_proof_also_where_few_come_into_the_first_ten() {
        let ruling = |before: &[(f64, f64)], after: &[(f64, f64)]| {
            let scores = |values: &[(f64, f64)]| -> Vec<QueryScores> {
                let one = |&(ndcg_10, gmap_20)| RankingScores { mrr_10: 0.0, ndcg_10, gmap_20 };
                values.iter().map(|value| QueryScores { hybrid: one(value), dense: one(value) }).collect()
            };
            let (before, after, clusters): (_, _, Vec<usize>) =
                (scores(before), scores(after), (0..before.len()).collect());
            let (before, after, clusters) = (&before, &after, &clusters);
            let evidence =
                Evidence { before, after, clusters, guard: &[], attempts: 0, trial: false, share: 1.0 };
            decide(&evidence, BUDGET).unwrap()
        };
        // Answers go from rank 20 to 12, and one from there to the tenth place.
        let (before, mut after) = ([(0.0, 1.0 / 20.0); 8], [(0.0, 1.0 / 12.0); 8]);
        after[0] = (0.29, 1.0 / 10.0);
        assert_eq!(ruling(&before, &after).decision, Decision::Published);
        // Four answers come to the tenth place, where nDCG@10 sees them, and four fall behind it, where it does not.
        let before = [(0.0, 1.0 / 11.0); 8];
        let after: [(f64, f64); 8] =
            std::array::from_fn(|place| if place % 2 == 0 { (0.29, 0.1) } else { (0.0, 0.05) });
        let luck = ruling(&before, &after);
        assert_eq!(luck.decision, Decision::Rejected);
        assert!(luck.reason.starts_with("better, but not significantly"), "{}", luck.reason);
        // Gains further down do not count where users look.
        let below = ruling(&[(0.5, 0.02); 8], &[(0.49, 0.05); 8]);
        assert!(below.reason.starts_with("no better"), "{}", below.reason);
    }

    #[test]
    fn no_difference_and_a_loss_are_rejected() {
        for after in [[0.5; 8], [0.4; 8]] {
            let ruling = ruling(&[0.5; 8], &after, 0, BUDGET);
            assert_eq!(ruling.decision, Decision::Rejected);
            assert!(ruling.reason.starts_with("no better: on 8 held-out queries"), "{}", ruling.reason);
            assert!(ruling.p_value.unwrap() > 0.4);
        }
    }

    #[test]
    fn who_tries_often_must_be_better_by_more() {
        let (before, after) = ([0.2; 6], [0.6; 6]);
        assert_eq!(ruling(&before, &after, 0, BUDGET).decision, Decision::Published);
        assert_eq!(ruling(&before, &after, 3, BUDGET).decision, Decision::Rejected);
    }

    #[test]
    fn a_tier_is_held_to_its_share_of_the_allowance() {
        let (before, after, clusters) = (scores(&[0.2; 4]), scores(&[0.6; 4]), [0, 1, 2, 3]);
        let ruling = |share| {
            let (before, after, clusters) = (&before, &after, &clusters);
            let evidence = Evidence { before, after, clusters, guard: &[], attempts: 0, trial: false, share };
            decide(&evidence, BUDGET).unwrap()
        };
        let (whole, half) = (ruling(1.0), ruling(0.5));
        assert_eq!(half.allowed.unwrap(), whole.allowed.unwrap() / 2.0);
        // One of the 2^4 sign patterns: 0.0625. The whole alpha is 0.1216.
        assert_eq!((whole.decision, half.decision), (Decision::Published, Decision::Rejected));
    }

    #[test]
    fn queries_with_a_common_answer_count_once() {
        let (before, after) = (scores(&[0.2; 8]), scores(&[0.6; 8]));
        let evidence = Evidence {
            before: &before,
            after: &after,
            clusters: &[7; 8],
            guard: &[],
            attempts: 0,
            trial: false,
            share: 1.0,
        };
        // Eight queries about one document are one observation.
        assert_eq!(decide(&evidence, BUDGET).unwrap().p_value, Some(0.5));
    }

    #[test]
    fn a_loss_of_the_guard_beyond_the_bound_rejects_whatever_is_gained() {
        let (before, after) = (scores(&[0.2; 8]), scores(&[0.9; 8]));
        let clusters: Vec<usize> = (0..8).collect();
        let part = |name, before, after| {
            let scores = GuardScores { queries: 1, before, after, intervals: None };
            GuardPart { name, scores, forgiven: 0.0 }
        };
        let ruling = |guard: &[GuardPart]| {
            let evidence = Evidence {
                before: &before,
                after: &after,
                clusters: &clusters,
                guard,
                attempts: 0,
                trial: false,
                share: 1.0,
            };
            decide(&evidence, BUDGET).unwrap()
        };
        let titles = part("the titles'", 0.9, 0.885);
        assert_eq!(ruling(&[titles]).decision, Decision::Published);
        // Each part must meet the limit by itself, however many queries the other has.
        let rejected = ruling(&[part("the golden queries'", 0.9, 0.87), titles]);
        assert_eq!(rejected.decision, Decision::Rejected);
        let reason = rejected.reason;
        assert!(reason.starts_with("the golden queries' nDCG@10 falls from 0.9000"), "{reason}");
        assert!(ruling(&[titles, part("others'", 0.9, 0.87)]).reason.starts_with("others' nDCG@10 falls"));
        let forgiven = GuardPart { forgiven: 0.02, ..part("the titles'", 0.9, 0.87) };
        assert_eq!(ruling(&[forgiven]).decision, Decision::Published);
    }

    #[test]
    fn one_title_that_falls_is_forgiven_and_a_second_is_not() {
        let losses = |after: &[f64]| largest_loss(&scores(&[1.0; 10]), &scores(after));
        assert!((losses(&[1.0, 0.6, 1.0, 1.0, 0.7, 1.0, 1.0, 1.0, 1.0, 1.0]) - 0.04).abs() < 1e-12);
        assert_eq!(losses(&[1.0; 10]), 0.0);
        assert_eq!(largest_loss(&[], &[]), 0.0);
    }

    #[test]
    fn without_a_budget_equal_is_enough_and_either_measure_can_reject() {
        assert_eq!(ruling(&[0.5; 3], &[0.5; 3], 9, None).decision, Decision::Published);
        let worse = ruling(&[0.5; 3], &[0.4; 3], 0, None);
        assert_eq!(worse.decision, Decision::Rejected);
        assert!(worse.reason.starts_with("worse in MRR@10 and nDCG@10: on 3 held-out"), "{}", worse.reason);
    }
}
