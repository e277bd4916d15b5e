//! The ruling.

use std::collections::HashMap;

use super::options::GateOptions;
use super::score::{QueryScores, mean};
use crate::error::Result;
use crate::eval::randomisation_test;
use crate::fusion::groups_by_answer;
use crate::learn::examples::JudgedQuery;
use crate::learn::report::Decision;

/// Sums over queries in the same order: a difference is a difference in some rank.
const ROUNDING: f64 = 1e-12;
/// Of the test, so that the same figures give the same ruling.
const SEED: u64 = 42;

/// What the gate goes by.
pub(in crate::learn) struct Evidence<'a> {
    pub(in crate::learn) before: &'a [QueryScores],
    pub(in crate::learn) after: &'a [QueryScores],
    /// Of each query, from [`clusters`].
    pub(in crate::learn) clusters: &'a [usize],
    /// The mean nDCG@10, before and after, of parts of the guard, by their names.
    pub(in crate::learn) guard: &'a [(&'static str, f64, f64)],
    /// Rounds that were rejected since the last publication.
    pub(in crate::learn) attempts: usize,
    /// The part of the attempt's allowance that this test may spend, above 0, at most 1.
    pub(in crate::learn) share: f64,
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::learn) struct Ruling {
    pub(in crate::learn) decision: Decision,
    pub(in crate::learn) reason: String,
    /// One-sided; absent where none was asked for.
    pub(in crate::learn) p_value: Option<f64>,
    pub(in crate::learn) allowed: Option<f64>,
}

/// Groups of queries that share an answer, each by a number: what one of them gains the others gain with it, so they
/// count as one in the test.
pub(in crate::learn) fn clusters(queries: &[JudgedQuery]) -> Vec<usize> {
    groups_by_answer(queries.iter().map(|query| query.relevant.keys()))
}

/// Publishes what is better in nDCG@10 of the mode that users get, beyond what luck may do, and loses too little of the
/// guard to matter. Without a significance, what is worse in neither measure.
///
/// What luck may do is told by the logarithm of average precision, which is GMAP's measure: nDCG@10 jumps where an answer comes
/// to the tenth place or leaves it, and where it comes to the first; a few such jumps in either direction hide what all queries
/// gain. The test is Fisher's paired randomisation test on the sums of the clusters, one-sided: half of its two-sided p-value.
pub(in crate::learn) fn decide(evidence: &Evidence<'_>, options: &GateOptions) -> Result<Ruling> {
    let (old, new) = (mean(evidence.before).hybrid, mean(evidence.after).hybrid);
    let figures = format!(
        "on {} held-out queries, hybrid nDCG@10 {:.4} → {:.4}, MRR@10 {:.4} → {:.4}, GMAP@20 {:.4} → {:.4}",
        evidence.before.len(),
        old.ndcg_10,
        new.ndcg_10,
        old.mrr_10,
        new.mrr_10,
        old.gmap_20,
        new.gmap_20
    );
    let ruling = |decision, reason: String, test: Option<(f64, f64)>| Ruling {
        decision,
        reason,
        p_value: test.map(|(p, _)| p),
        allowed: test.map(|(_, allowed)| allowed),
    };
    let fallen = evidence.guard.iter().find(|(_, before, after)| before - after > options.guard_loss);
    if let Some((name, before, after)) = fallen {
        let reason = format!(
            "{name} nDCG@10 falls from {before:.4} to {after:.4}, by more than {}; {figures}",
            options.guard_loss
        );
        return Ok(ruling(Decision::Rejected, reason, None));
    }
    let Some(significance) = options.significance else {
        let worse = [
            (new.mrr_10 < old.mrr_10 - ROUNDING).then_some("MRR@10"),
            (new.ndcg_10 < old.ndcg_10 - ROUNDING).then_some("nDCG@10"),
        ];
        let worse: Vec<&str> = worse.into_iter().flatten().collect();
        return Ok(match worse.is_empty() {
            true => ruling(Decision::Published, format!("not worse: {figures}"), None),
            false => ruling(Decision::Rejected, format!("worse in {}: {figures}", worse.join(" and ")), None),
        });
    };
    let p_value = one_sided(evidence)?;
    let k = evidence.attempts as f64 + 1.0;
    let allowed = evidence.share * significance * 6.0 / (std::f64::consts::PI * k).powi(2);
    let test = Some((p_value, allowed));
    Ok(if new.ndcg_10 <= old.ndcg_10 + ROUNDING {
        ruling(Decision::Rejected, format!("no better: {figures}"), test)
    } else if p_value > allowed {
        let reason = format!(
            "better, but it may be luck (p {p_value:.4}, {allowed:.4} allowed in attempt {}): {figures}",
            evidence.attempts + 1
        );
        ruling(Decision::Rejected, reason, test)
    } else {
        ruling(Decision::Published, format!("better (p {p_value:.4}, {allowed:.4} allowed): {figures}"), test)
    })
}

/// How often chance alone would make the new one so much better, the clusters being what is independent.
fn one_sided(evidence: &Evidence<'_>) -> Result<f64> {
    let mut sums: HashMap<usize, f64> = HashMap::new();
    let scores = evidence.before.iter().zip(evidence.after).zip(evidence.clusters);
    for ((before, after), cluster) in scores {
        *sums.entry(*cluster).or_default() += (after.hybrid.gmap_20 / before.hybrid.gmap_20).ln();
    }
    let mut sums: Vec<(usize, f64)> = sums.into_iter().collect();
    sums.sort_unstable_by_key(|(cluster, _)| *cluster);
    // A pair without a difference says nothing in either direction.
    let sums: Vec<f64> = sums.into_iter().map(|(_, sum)| sum).filter(|sum| sum.abs() > ROUNDING).collect();
    let test = randomisation_test(&vec![0.0; sums.len()], &sums, SEED)?;
    Ok(if test.difference > 0.0 { test.p_value / 2.0 } else { 1.0 - test.p_value / 2.0 })
}

#[cfg(test)]
mod tests {
    use super::super::options::GoldenQuery;
    use super::*;
    use crate::learn::report::RankingScores;

    fn scores(values: &[f64]) -> Vec<QueryScores> {
        let both = |value| RankingScores { mrr_10: value, ndcg_10: value, gmap_20: value };
        values.iter().map(|&value| QueryScores { hybrid: both(value), dense: both(0.5) }).collect()
    }

    fn ruling(before: &[f64], after: &[f64], attempts: usize, options: &GateOptions) -> Ruling {
        let (before, after) = (scores(before), scores(after));
        let clusters: Vec<usize> = (0..before.len()).collect();
        let evidence = Evidence {
            before: &before,
            after: &after,
            clusters: &clusters,
            guard: &[],
            attempts,
            share: 1.0,
        };
        decide(&evidence, options).unwrap()
    }

    #[test]
    fn what_is_clearly_better_is_published_and_what_may_be_luck_is_not() {
        let options = GateOptions::default();
        let better = ruling(&[0.2; 8], &[0.6; 8], 0, &options);
        assert_eq!(better.decision, Decision::Published, "{}", better.reason);
        // All eight better: one of the 2^8 patterns.
        assert!((better.p_value.unwrap() - 1.0 / 256.0).abs() < 1e-12);
        let luck = ruling(&[0.5; 4], &[0.9, 0.4, 0.6, 0.5], 0, &options);
        assert_eq!(luck.decision, Decision::Rejected);
        assert!(luck.reason.starts_with("better, but it may be luck (p 0.375"), "{}", luck.reason);
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
            let evidence = Evidence { before, after, clusters, guard: &[], attempts: 0, share: 1.0 };
            decide(&evidence, &GateOptions::default()).unwrap()
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
        assert!(luck.reason.starts_with("better, but it may be luck"), "{}", luck.reason);
        // Gains further down are none where users look.
        let below = ruling(&[(0.5, 0.02); 8], &[(0.49, 0.05); 8]);
        assert!(below.reason.starts_with("no better"), "{}", below.reason);
    }

    #[test]
    fn no_difference_and_a_loss_are_rejected() {
        let options = GateOptions::default();
        for after in [[0.5; 8], [0.4; 8]] {
            let ruling = ruling(&[0.5; 8], &after, 0, &options);
            assert_eq!(ruling.decision, Decision::Rejected);
            assert!(ruling.reason.starts_with("no better: on 8 held-out queries"), "{}", ruling.reason);
            assert!(ruling.p_value.unwrap() > 0.4);
        }
    }

    #[test]
    fn who_tries_often_must_be_better_by_more() {
        let options = GateOptions::default();
        let (before, after) = ([0.2; 6], [0.6; 6]);
        assert_eq!(ruling(&before, &after, 0, &options).decision, Decision::Published);
        assert_eq!(ruling(&before, &after, 3, &options).decision, Decision::Rejected);
        let spent: f64 =
            (0..100_000).filter_map(|attempts| ruling(&[0.2], &[0.6], attempts, &options).allowed).sum();
        assert!((spent - 0.2).abs() < 1e-4, "{spent}");
    }

    #[test]
    fn a_tier_is_held_to_its_share_of_the_allowance() {
        let (before, after, clusters) = (scores(&[0.2; 4]), scores(&[0.6; 4]), [0, 1, 2, 3]);
        let ruling = |share| {
            let (before, after, clusters) = (&before, &after, &clusters);
            let evidence = Evidence { before, after, clusters, guard: &[], attempts: 0, share };
            decide(&evidence, &GateOptions::default()).unwrap()
        };
        let (whole, half) = (ruling(1.0), ruling(0.5));
        assert_eq!(half.allowed.unwrap(), whole.allowed.unwrap() / 2.0);
        // One of the 2^4 patterns: 0.0625, where the whole is 0.1216.
        assert_eq!((whole.decision, half.decision), (Decision::Published, Decision::Rejected));
    }

    #[test]
    fn queries_with_a_common_answer_count_once() {
        let judged = |answers: &[&str]| JudgedQuery {
            text: "q".into(),
            relevant: answers.iter().map(|answer| (answer.to_string(), 1)).collect(),
        };
        let queries = [judged(&["a"]), judged(&["b"]), judged(&["c"]), judged(&["c", "a"])];
        assert_eq!(clusters(&queries), [0, 1, 0, 0]);
        let (before, after) = (scores(&[0.2; 8]), scores(&[0.6; 8]));
        let evidence = Evidence {
            before: &before,
            after: &after,
            clusters: &[7; 8],
            guard: &[],
            attempts: 0,
            share: 1.0,
        };
        // Eight queries about one document are one observation.
        assert_eq!(decide(&evidence, &GateOptions::default()).unwrap().p_value, Some(0.5));
    }

    #[test]
    fn a_loss_of_the_guard_beyond_the_bound_rejects_whatever_is_gained() {
        let (before, after) = (scores(&[0.2; 8]), scores(&[0.9; 8]));
        let clusters: Vec<usize> = (0..8).collect();
        let ruling = |guard: &[(&'static str, f64, f64)]| {
            let evidence = Evidence {
                before: &before,
                after: &after,
                clusters: &clusters,
                guard,
                attempts: 0,
                share: 1.0,
            };
            decide(&evidence, &GateOptions::default()).unwrap()
        };
        let titles = ("the titles'", 0.9, 0.885);
        assert_eq!(ruling(&[titles]).decision, Decision::Published);
        // Each part is held to the bound by itself, however many queries the other has.
        let rejected = ruling(&[("the golden queries'", 0.9, 0.87), titles]);
        assert_eq!(rejected.decision, Decision::Rejected);
        let reason = rejected.reason;
        assert!(reason.starts_with("the golden queries' nDCG@10 falls from 0.9000"), "{reason}");
        assert!(ruling(&[titles, ("others'", 0.9, 0.87)]).reason.starts_with("others' nDCG@10 falls"));
    }

    #[test]
    fn without_a_significance_equal_is_enough_and_either_measure_can_reject() {
        let options = GateOptions::default().with_significance(None);
        assert_eq!(ruling(&[0.5; 3], &[0.5; 3], 9, &options).decision, Decision::Published);
        let worse = ruling(&[0.5; 3], &[0.4; 3], 0, &options);
        assert_eq!(worse.decision, Decision::Rejected);
        assert!(worse.reason.starts_with("worse in MRR@10 and nDCG@10: on 3 held-out"), "{}", worse.reason);
    }

    #[test]
    fn unusable_bounds_are_refused() {
        let golden = GoldenQuery { text: "q".into(), relevant: Vec::new() };
        for options in [
            GateOptions::default().with_significance(Some(0.0)),
            GateOptions::default().with_guard_loss(-0.1),
            GateOptions::default().with_pool_chunks(3),
            GateOptions::default().with_golden(vec![golden]),
        ] {
            assert!(options.validate().is_err(), "{options:?}");
        }
        assert!(GateOptions::default().validate().is_ok());
    }
}
