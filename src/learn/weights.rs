//! What a training row counts.

use super::options::LearnOptions;
use crate::feedback::Replay;
use crate::negatives::{Confusion, PositionBias};

/// What a row counts at least, however long ago its query was judged: a batch is divided by the mean of its rows' weights, which must not
/// vanish.
const LEAST: f32 = 1e-6;

/// What the rows of a round count, by the log that it learns from.
pub(super) struct RowWeights {
    /// With the most that a row may count for where its answer stood.
    bias: Option<(PositionBias, f32)>,
    half_life: Option<f32>,
}

impl RowWeights {
    pub(super) fn of(replay: &Replay, options: &LearnOptions) -> RowWeights {
        RowWeights {
            bias: options.inverse_propensity.map(|most| (PositionBias::of(replay), most)),
            half_life: options.replay_half_life,
        }
    }

    /// The readers' bias, where rows are weighted by it.
    pub(super) fn bias(&self) -> Option<PositionBias> {
        self.bias.map(|(bias, _)| bias)
    }

    /// Of the row of a query and one of the documents that answer it.
    pub(super) fn weight(&self, confusion: &Confusion, document: &str) -> f32 {
        let place = confusion.positives.iter().position(|positive| positive.document == document);
        let ranks = place.map_or(&[][..], |place| &confusion.chosen_at[place]);
        let looked_at = self.bias.map_or(1.0, |(bias, most)| bias.weight(ranks, most));
        let since = confusion.judgements_since as f32;
        looked_at * self.half_life.map_or(1.0, |half_life| (-since / half_life).exp2().max(LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negatives::ShownRef;

    #[test]
    fn a_row_counts_by_where_its_answer_was_chosen_and_when_its_query_was_judged() {
        let positive = |document: &str| ShownRef { document: document.into(), chunk: None };
        let confusion = Confusion {
            query: "q".into(),
            normalised: "q".into(),
            positives: vec![positive("a"), positive("b")],
            disputed: Vec::new(),
            chosen_at: vec![vec![4], vec![]],
            judgements_since: 20,
            confusables: Vec::new(),
        };
        let of = |bias, half_life| {
            let weights = RowWeights { bias, half_life };
            (weights.weight(&confusion, "a"), weights.weight(&confusion, "b"))
        };
        let bias = PositionBias { exponent: 1.0, choices: 1 };
        assert_eq!(of(None, None), (1.0, 1.0));
        assert_eq!(of(Some((bias, 10.0)), None), (4.0, 1.0));
        assert_eq!(of(Some((bias, 3.0)), None), (3.0, 1.0));
        assert_eq!(of(None, Some(10.0)), (0.25, 0.25));
        assert_eq!(of(Some((bias, 10.0)), Some(20.0)), (2.0, 0.5));
        assert_eq!(of(None, Some(0.01)), (LEAST, LEAST));
    }
}
