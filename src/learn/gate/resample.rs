//! Confidence intervals of the gate's figures, by the bootstrap over queries.

use super::score::{QueryScores, mean};
use crate::eval::{SEED, interval_of, resamples};
use crate::learn::intervals::{ChangeIntervals, GateIntervals, RankingIntervals};
use crate::learn::report::{GateScores, RankingScores};

/// The figures of one sample of the queries.
struct Sample {
    before: GateScores,
    after: GateScores,
}

/// The intervals of the figures of two generations, query by query. Both are drawn from the same samples.
pub(super) fn intervals(before: &[QueryScores], after: &[QueryScores]) -> GateIntervals {
    let of_drawn = |scores: &[QueryScores], drawn: &[usize]| {
        mean(&drawn.iter().map(|&query| scores[query]).collect::<Vec<_>>())
    };
    let samples: Vec<Sample> = resamples(before.len(), SEED)
        .map(|drawn| Sample { before: of_drawn(before, &drawn), after: of_drawn(after, &drawn) })
        .collect();
    let of = |mode: fn(&GateScores) -> &RankingScores| {
        let of = |figure: fn(&RankingScores) -> f64| {
            let of = |value: &dyn Fn(&Sample) -> f64| interval_of(samples.iter().map(value).collect());
            let (old, new) =
                (|one: &Sample| figure(mode(&one.before)), |one: &Sample| figure(mode(&one.after)));
            ChangeIntervals {
                before: of(&old),
                after: of(&new),
                change: of(&|one: &Sample| new(one) - old(one)),
            }
        };
        RankingIntervals {
            mrr_10: of(|scores| scores.mrr_10),
            ndcg_10: of(|scores| scores.ndcg_10),
            gmap_20: of(|scores| scores.gmap_20),
        }
    };
    GateIntervals { hybrid: of(|scores| &scores.hybrid), dense: of(|scores| &scores.dense) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::bootstrap;

    #[test]
    fn means_have_the_intervals_of_evaluations_and_changes_are_of_the_same_queries() {
        let scores = |values: &[f64]| -> Vec<QueryScores> {
            let both = |value| RankingScores { mrr_10: value, ndcg_10: value, gmap_20: value };
            values.iter().map(|&value| QueryScores { hybrid: both(value), dense: both(0.5) }).collect()
        };
        let (old, new) = ([0.1, 0.9, 0.4, 0.2, 0.7], [0.2, 1.0, 0.5, 0.3, 0.8]);
        let GateIntervals { hybrid, dense } = intervals(&scores(&old), &scores(&new));
        assert_eq!(hybrid.ndcg_10.before, bootstrap(&old, SEED));
        assert_eq!(hybrid.mrr_10.after, bootstrap(&new, SEED));
        // Each query gains a tenth.
        let change = hybrid.ndcg_10.change;
        assert!((change.low - 0.1).abs() < 1e-9 && (change.high - 0.1).abs() < 1e-9, "{change:?}");
        let geometric = hybrid.gmap_20.before;
        assert!(geometric.low < hybrid.ndcg_10.before.low && geometric.high < hybrid.ndcg_10.before.high);
        assert_eq!((dense.ndcg_10.change.low, dense.ndcg_10.change.high), (0.0, 0.0));
    }
}
