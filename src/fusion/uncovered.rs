//! Scores for candidates that have no vector yet, among candidates that have one.
//!
//! Only words can find and rank them, and the others are found by words and by vectors. To score them by words alone
//! would put them last; to guess their cosine would put them in the middle, since the first places belong to those
//! whose cosine is better than one could guess. So they are scored by place: the candidate that words put behind `n`
//! covered ones gets the fused score that the best but `n` of the covered ones has. If words say the same of both
//! parts, each then holds the share of every stretch of the ranking that it holds of the corpus; a part of which words
//! say more holds more.

/// The scores of a candidate that has a vector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covered {
    pub(super) lexical: f32,
    /// The fused one.
    pub(super) score: f32,
}

/// From a BM25 score to the fused score in its place.
#[derive(Debug)]
pub(super) struct Places {
    /// Both descending; a place of one belongs to the same place of the other.
    lexical: Vec<f32>,
    scores: Vec<f32>,
    /// What a point of BM25 above the first place adds to its score.
    slope: f32,
}

impl Places {
    pub(super) fn of(covered: Vec<Covered>, slope: f32) -> Places {
        let mut scores: Vec<f32> = covered.iter().map(|one| one.score).collect();
        let mut lexical: Vec<f32> =
            covered.iter().map(|one| one.lexical).filter(|&score| score > 0.0).collect();
        for list in [&mut scores, &mut lexical] {
            list.sort_unstable_by(|a, b| b.total_cmp(a));
        }
        Places { lexical, scores, slope }
    }

    /// The fused score of a candidate with this BM25 score. It never falls where that rises.
    pub(super) fn score(&self, lexical: f32) -> f32 {
        let place = self.lexical.partition_point(|&other| other > lexical);
        let fused = |place: usize| self.scores.get(place).or(self.scores.last()).copied().unwrap_or(0.0);
        let below = self.lexical.get(place).copied().unwrap_or(0.0);
        let Some(above) = place.checked_sub(1).map(|before| self.lexical[before]) else {
            return fused(0) + self.slope * (lexical - below);
        };
        let share = if above > below { (lexical - below) / (above - below) } else { 0.0 };
        fused(place) + share * (fused(place - 1) - fused(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(covered: &[(f32, f32)]) -> Places {
        let covered = covered.iter().map(|&(lexical, score)| Covered { lexical, score });
        Places::of(covered.collect(), 0.1)
    }

    #[test]
    fn a_candidate_takes_the_score_of_its_place() {
        // The best by words is the second by both; the nearest has no word.
        let places = places(&[(8.0, 0.6), (4.0, 0.5), (2.0, 0.2), (0.0, 0.9)]);
        assert_eq!(places.score(8.0), 0.9);
        assert_eq!(places.score(4.0), 0.6);
        assert!((places.score(6.0) - 0.75).abs() < 1e-6);
        assert!((places.score(10.0) - 1.1).abs() < 1e-6, "above all others by words: above all");
        assert!((places.score(1.0) - 0.35).abs() < 1e-6, "half-way to the best of those without a word");
        assert_eq!(places.score(0.0), 0.2);
    }

    #[test]
    fn without_a_covered_candidate_words_decide() {
        let places = places(&[]);
        assert!(places.score(2.0) > places.score(1.0) && places.score(1.0) > 0.0);
        // None of the covered has a word.
        let places = self::places(&[(0.0, 0.3)]);
        assert!(places.score(0.5) > 0.3);
    }

    proptest! {
        #[test]
        fn a_better_lexical_score_never_means_a_worse_one(
            covered in prop::collection::vec((0.0f32..9.0, 0.0f32..1.0), 0..20), a in 0.0f32..12.0, more in 0.0f32..4.0,
        ) {
            let places = places(&covered);
            prop_assert!(places.score(a + more) >= places.score(a) - 1e-6);
        }

        #[test]
        fn parts_of_which_words_say_the_same_share_every_stretch_of_the_ranking(
            covered in prop::collection::vec((0.1f32..9.0, 0.0f32..1.0), 1..30),
        ) {
            let places = places(&covered);
            let mut best: Vec<f32> = covered.iter().map(|&(_, score)| score).collect();
            let mut given: Vec<f32> = covered.iter().map(|&(lexical, _)| places.score(lexical)).collect();
            best.sort_unstable_by(f32::total_cmp);
            given.sort_unstable_by(f32::total_cmp);
            for (best, given) in best.iter().zip(&given) {
                prop_assert!((best - given).abs() < 1e-5, "{best} {given}");
            }
        }
    }
}
