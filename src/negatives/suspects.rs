//! Suspected answers: candidates too near to a query to be negatives, relative to the corpus.

use super::semantic::Margin;

/// With fewer differences, a quantile is meaningless.
const LEAST: usize = 50;

/// The limit for suspected answers: how far a candidate's cosine may be above a positive's before it is suspected to be
/// an unjudged answer.
///
/// A fixed share of the positive's score (0.95 in NV-Retriever) rejects nearly everything if an encoder finds all texts
/// of a corpus similar, or its answers far from their questions. So the limit is a quantile of the corpus itself: of
/// the differences between the cosines of candidates and positives, over all queries of a round. It may be above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SuspectLimit {
    /// The largest difference that is not suspect.
    pub(crate) difference: f32,
    /// Number of differences behind it.
    pub(crate) candidates: usize,
}

impl SuspectLimit {
    /// The `quantile` of some differences, 0 to 1, by nearest rank; `None` for fewer than 50.
    pub(crate) fn of(mut differences: Vec<f32>, quantile: f32) -> Option<SuspectLimit> {
        differences.retain(|difference| difference.is_finite());
        differences.sort_unstable_by(f32::total_cmp);
        let candidates = differences.len();
        if candidates < LEAST {
            return None;
        }
        let rank = (f64::from(quantile) * candidates as f64).ceil() as usize;
        Some(SuspectLimit { difference: differences[rank.clamp(1, candidates) - 1], candidates })
    }

    /// Whether a candidate may be an answer, given its cosine and that of the farthest positive.
    pub(crate) fn suspects(&self, cosine: f32, farthest: f32) -> bool {
        cosine - farthest > self.difference
    }

    /// The margin that keeps semantic negatives below this limit.
    pub(crate) fn margin(&self) -> Margin {
        Margin::Absolute(-self.difference)
    }
}

#[cfg(test)]
mod tests {
    use super::super::semantic::pick;
    use super::*;

    /// −0.50, −0.49, … 0.49.
    fn differences() -> Vec<f32> {
        (0..100).map(|step| (step - 50) as f32 / 100.0).collect()
    }

    #[test]
    fn the_limit_is_a_quantile_of_the_corpus() {
        let of = |quantile| SuspectLimit::of(differences(), quantile).unwrap().difference;
        assert_eq!((of(0.9), of(0.5), of(1.0), of(0.001)), (0.39, -0.01, 0.49, -0.5));
        let shuffled: Vec<f32> = (0..100).map(|step| differences()[step * 37 % 100]).collect();
        assert_eq!(
            SuspectLimit::of(shuffled, 0.9).unwrap(),
            SuspectLimit { difference: 0.39, candidates: 100 }
        );
        assert_eq!(SuspectLimit::of(differences()[..49].to_vec(), 0.9), None);
        assert_eq!(SuspectLimit::of(vec![f32::NAN; 100], 0.9), None);
    }

    #[test]
    fn a_corpus_whose_candidates_all_lie_above_its_positives_still_has_negatives() {
        let near: Vec<f32> = (0..100).map(|step| 0.05 + step as f32 / 1000.0).collect();
        let limit = SuspectLimit::of(near, 0.8).unwrap();
        let scores: Vec<f32> = (0..100).rev().map(|step| 0.55 + step as f32 / 1000.0).collect();
        assert!(pick(&scores, 0.5, 3, Margin::default()).is_empty());
        let found = pick(&scores, 0.5, 3, limit.margin());
        assert_eq!(found.len(), 3);
        let suspect = |place: usize| limit.suspects(scores[place], 0.5);
        assert!(!suspect(found[0]) && suspect(found[0] - 2), "{found:?}");
    }
}
