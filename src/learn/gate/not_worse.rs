//! Whether a trained generation may go on trial: it must not be worse than the serving one on the held-out queries.

use std::collections::BTreeMap;

use super::decide::{ROUNDING, one_sided_of};
use super::score::QueryScores;
use crate::error::Result;
use crate::learn::report::NotWorse;
use crate::learn::topic::Topic;

/// How much nDCG@10 the candidate may lose. Clicked held-out queries flatter whoever showed their answers by 0.04 to
/// 0.06, so one that is as good may seem to lose so much; another 0.05 is what a trial may cost until users have ended
/// it.
const MARGIN: f64 = 0.1;
/// With fewer clusters of held-out queries nothing goes on trial: their variance is not known well enough.
pub(super) const LEAST_CLUSTERS: usize = 8;
/// The normal quantile of the one-sided level 0.05.
const QUANTILE: f64 = 1.645;

/// The weighted mean change of the hybrid's nDCG@10, and its lower bound at the level 0.05: a test of non-inferiority
/// with a margin of [`MARGIN`]. A query's weight is that of its [`Topic`]. `clusters` are the independent units; the
/// variance is that of a ratio of sums over them.
///
/// Its p-value is that of the paired randomisation test of the same sums, one-sided.
///
/// `None` for fewer than [`LEAST_CLUSTERS`], and if nothing changes: then users could not tell the two apart either.
pub(super) fn not_worse(
    topics: &[Topic],
    before: &[QueryScores],
    after: &[QueryScores],
    clusters: &[usize],
) -> Result<Option<NotWorse>> {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (((topic, before), after), &cluster) in topics.iter().zip(before).zip(after).zip(clusters) {
        let (weights, changes) = sums.entry(cluster).or_default();
        *weights += topic.weight;
        *changes += topic.weight * (after.hybrid.ndcg_10 - before.hybrid.ndcg_10);
    }
    let weight: f64 = sums.values().map(|(weight, _)| weight).sum();
    let number = sums.len() as f64;
    let changes: Vec<f64> =
        sums.values().map(|(_, change)| *change).filter(|one| one.abs() > ROUNDING).collect();
    if sums.len() < LEAST_CLUSTERS || weight <= 0.0 || changes.is_empty() {
        return Ok(None);
    }
    let change = sums.values().map(|(_, changes)| changes).sum::<f64>() / weight;
    let squares: f64 = sums.values().map(|(weight, changes)| (changes - weight * change).powi(2)).sum();
    let deviation = (squares * number / (number - 1.0)).sqrt() / weight;
    let least = change - QUANTILE * deviation;
    let p_value = one_sided_of(&changes)?;
    Ok(Some(NotWorse { change, least, allowed: -MARGIN, p_value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::report::{GateScores, RankingScores};

    fn scores(ndcg: &[f64]) -> Vec<QueryScores> {
        let of = |&ndcg_10| RankingScores { mrr_10: 0.0, ndcg_10, gmap_20: 0.5 };
        ndcg.iter().map(|one| GateScores { hybrid: of(one), dense: of(one) }).collect()
    }

    fn tested(weights: &[f64], after: &[f64], clusters: &[usize]) -> Option<NotWorse> {
        let topic = |weight: &f64| Topic { weight: *weight, ..Topic::new("q", ["d".to_string()]) };
        let topics: Vec<Topic> = weights.iter().map(topic).collect();
        not_worse(&topics, &scores(&vec![0.5; after.len()]), &scores(after), clusters).unwrap()
    }

    #[test]
    fn many_small_losses_are_not_worse_and_few_queries_prove_nothing() {
        let each: Vec<usize> = (0..40).collect();
        let passes = |after: &[f64], clusters: &[usize]| {
            tested(&vec![1.0; after.len()], after, clusters).is_some_and(|one| one.passes())
        };
        assert!(passes(&[0.51; 40], &each) && passes(&[0.41; 40], &each));
        assert!(!passes(&[0.5; 40], &each), "nothing changes");
        assert!(!passes(&[0.39; 40], &each));
        let noisy: Vec<f64> = (0..40).map(|at| if at % 2 == 0 { 0.9 } else { 0.1 }).collect();
        assert!(!passes(&noisy[..30], &each[..30]), "it may lose 0.12");
        assert!(!passes(&[0.9; 7], &each[..7]) && !passes(&[0.9; 40], &[0; 40]), "too few observations");
    }

    #[test]
    fn queries_count_by_their_weights_and_clusters_as_one() {
        let each: Vec<usize> = (0..8).collect();
        let found = tested(&[1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0], &[0.9, 0.5].repeat(4), &each).unwrap();
        assert!((found.change - 0.1).abs() < 1e-12, "{found:?}");
        let pairs: Vec<usize> = (0..16).map(|at| at / 2).collect();
        let found = tested(&[1.0; 16], &[0.6, 0.6, 0.4, 0.4].repeat(4), &pairs).unwrap();
        // Eight observations of ±0.2 over a weight of 16.
        let deviation = (8.0f64 * 0.04 * 8.0 / 7.0).sqrt() / 16.0;
        assert!(found.change.abs() < 1e-12 && (found.least + 1.645 * deviation).abs() < 1e-12, "{found:?}");
    }
}
