//! Position bias: what stands further down is looked at less, so that its being chosen says more.

use std::collections::BTreeMap;

use super::CollectReport;
use super::gather::{Gathered, gather};
use crate::feedback::Replay;

/// How soon readers stop: the hit at rank k is looked at with probability `(1 / k)^exponent` (the position-based model of
/// Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017).
///
/// The exponent is harvested from interventions (Agarwal et al., "Estimating Position Bias without Intrusive
/// Interventions", WSDM 2019): one document that was shown for one query text at different ranks is as relevant at
/// each of them, so where it was chosen tells of the rank alone. Given how often it was chosen, it was chosen at rank
/// k in proportion to `k^−exponent`; the exponent is the one under which the log is likeliest, with a prior N(0, 1)
/// that stands for no bias.
///
/// That errs towards no correction, on purpose: of a log without such documents it learns nothing, and the exponent
/// is 0; and of documents that are chosen nearly whenever they are looked at it sees too little of the bias. The
/// ranks of all choices would give a larger one from any log, but can't tell what is looked at first from what is
/// right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PositionBias {
    /// 0 (every rank is looked at) to [`STEEPEST`].
    pub(crate) exponent: f64,
    /// Choices of documents that were shown at several ranks.
    pub(crate) choices: usize,
}

/// What is looked for at most: at an exponent of 3 the second of two hits would be seen by one reader in eight.
const STEEPEST: f64 = 3.0;

/// Where one document stood for one query text, as ln(rank), and in how many of those places it was chosen.
struct Places {
    shown: Vec<f64>,
    chosen: Vec<f64>,
}

impl PositionBias {
    /// Of the readers behind a log.
    pub(crate) fn of(replay: &Replay) -> PositionBias {
        let queries = gather(replay, &mut CollectReport::default());
        let telling: Vec<Places> = queries.values().flat_map(places).collect();
        let choices = telling.iter().map(|places| places.chosen.len()).sum();
        // The slope of the log-likelihood falls as the exponent rises: there is one maximum.
        let slope = |exponent: f64| telling.iter().map(|one| one.slope(exponent)).sum::<f64>() - exponent;
        let (mut low, mut high) = (0.0, STEEPEST);
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            if slope(middle) > 0.0 { low = middle } else { high = middle }
        }
        let exponent = if slope(0.0) > 0.0 { (low + high) / 2.0 } else { 0.0 };
        PositionBias { exponent, choices }
    }

    /// What a positive counts that was chosen at these ranks, from 1: the mean of the inverse propensities, each at most
    /// `most`, since what was hardly ever looked at would else drown all the rest. 1 where it was not chosen from
    /// a list.
    pub(crate) fn weight(&self, ranks: &[usize], most: f32) -> f32 {
        if ranks.is_empty() {
            return 1.0;
        }
        let inverse = |rank: &usize| (*rank as f64).powf(self.exponent).min(f64::from(most));
        (ranks.iter().map(inverse).sum::<f64>() / ranks.len() as f64) as f32
    }
}

impl Places {
    /// The derivative of the log-likelihood by the exponent.
    fn slope(&self, exponent: f64) -> f64 {
        let weights = self.shown.iter().map(|rank| (-exponent * rank).exp());
        let (sum, ranks) = weights
            .zip(&self.shown)
            .fold((0.0, 0.0), |(sum, ranks), (weight, rank)| (sum + weight, ranks + weight * rank));
        self.chosen.len() as f64 * ranks / sum - self.chosen.iter().sum::<f64>()
    }
}

/// The documents of a query text that were chosen, and shown at more ranks than one.
fn places(gathered: &Gathered<'_>) -> Vec<Places> {
    let mut places: BTreeMap<&str, Places> = BTreeMap::new();
    for impression in &gathered.impressions {
        for (hit, rank) in impression.hits.iter().zip(1u32..) {
            if gathered.is_positive(&hit.document) {
                let rank = f64::from(rank).ln();
                let one = places.entry(&hit.document);
                let one = one.or_insert_with(|| Places { shown: Vec::new(), chosen: Vec::new() });
                one.shown.push(rank);
                if gathered.chosen.contains(&(impression.query_id, hit.document.as_str())) {
                    one.chosen.push(rank);
                }
            }
        }
    }
    let telling = |one: &Places| !one.chosen.is_empty() && one.shown.iter().any(|rank| *rank != one.shown[0]);
    places.into_values().filter(telling).collect()
}

#[cfg(test)]
mod tests {
    use rand::seq::SliceRandom;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::tests::{said, shown};
    use super::*;
    use crate::feedback::Verdict;

    /// Readers of this exponent, who see each query's ten documents in some order four times. The first document is right
    /// half of the times that it is looked at; where `sorted`, it stands first each time.
    fn log(exponent: f64, queries: u64, sorted: bool, seed: u64) -> Replay {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut replay = Replay::default();
        for id in 0..4 * queries {
            let mut documents: Vec<String> = (0..10).map(|document| format!("d{document}")).collect();
            if !sorted {
                documents.shuffle(&mut random);
            }
            let names: Vec<&str> = documents.iter().map(String::as_str).collect();
            replay.impressions.push(shown(id, &format!("query {}", id / 4), &names));
            let rank = documents.iter().position(|document| document == "d0").unwrap() + 1;
            if random.random_bool(0.5 * (rank as f64).powf(-exponent)) {
                replay.judgements.push(said(id, "d0", Verdict::Chosen));
            }
        }
        replay
    }

    #[test]
    fn the_exponent_is_that_of_the_readers() {
        for exponent in [0.0, 0.5, 1.0, 1.5] {
            let found = PositionBias::of(&log(exponent, 2000, false, 7));
            assert!((found.exponent - exponent).abs() < 0.2, "{found:?}, not {exponent}");
            assert!(found.choices > 100, "{found:?}");
        }
    }

    #[test]
    fn a_small_log_gives_a_smaller_exponent_and_one_that_tells_nothing_none() {
        let mean = |queries| {
            (0..20).map(|seed| PositionBias::of(&log(1.0, queries, false, seed)).exponent).sum::<f64>() / 20.0
        };
        let (few, many) = (mean(3), mean(300));
        assert!(few < many && few > 0.0, "{few} {many}");
        // All choices are of the first hit, but nothing says that it was not the best.
        assert_eq!(PositionBias::of(&log(1.0, 100, true, 7)), PositionBias { exponent: 0.0, choices: 0 });
        assert_eq!(PositionBias::of(&Replay::default()).exponent, 0.0);
    }

    #[test]
    fn a_choice_from_further_down_counts_more_up_to_the_limit() {
        let bias = PositionBias { exponent: 1.0, choices: 9 };
        assert_eq!(bias.weight(&[1], 5.0), 1.0);
        assert_eq!(bias.weight(&[4], 5.0), 4.0);
        assert_eq!(bias.weight(&[1, 100], 5.0), 3.0);
        assert_eq!(bias.weight(&[], 5.0), 1.0, "said, or known, and not chosen from a list");
        let none = PositionBias { exponent: 0.0, choices: 0 };
        assert_eq!(none.weight(&[7], 5.0), 1.0);
    }
}
