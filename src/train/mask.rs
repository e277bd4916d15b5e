//! Which candidates an anchor must not see: those that are, or may be, answers to it.
//!
//! A false negative trains an answer away from its question. Undenoised, hard negatives can be worse than none (Qu et
//! al., "RocketQA", 2021); a guide that stands still finds most of them (Solatorio, "GISTEmbed", 2024).

use serde::{Deserialize, Serialize};

use super::example::{Answers, Example, Guide};
use super::options::{NegativeScope, TrainOptions};

/// Candidates that were hidden from anchors in the steps of a round, and why; each counts once for each anchor and step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Masked {
    /// Pairs of an anchor and a candidate that were looked at: all but an anchor with its own positive, and but what the
    /// scope hides.
    pub looked_at: u64,
    /// A judgement calls the candidate an answer to the anchor.
    pub known_answer: u64,
    /// By the guide's cosine it is nearly one of the answers.
    pub near_positive: u64,
    /// The guide ranks it above the positive, less the margin.
    pub suspected: u64,
}

impl Masked {
    pub(super) fn add(&mut self, other: Masked) {
        self.looked_at += other.looked_at;
        self.known_answer += other.known_answer;
        self.near_positive += other.near_positive;
        self.suspected += other.suspected;
    }
}

/// Whom an anchor sees. Row-major, `(rows, rows + hard negatives)`: every positive, then every hard negative in the order
/// of the rows; `true` hides.
pub(super) struct Mask {
    pub(super) hidden: Vec<bool>,
    pub(super) counts: Masked,
}

/// What is known while masks are made.
#[derive(Clone, Copy)]
pub(super) struct Knowledge<'a> {
    pub(super) answers: &'a Answers<'a>,
    pub(super) guide: Option<&'a Guide>,
}

impl Mask {
    /// The mask of a batch. A row's own hard negatives are never hidden by the guide's ranking: a user passed them over,
    /// or they were held against the guide when they were found.
    pub(super) fn of(
        rows: &[&Example],
        scope: NegativeScope,
        options: &TrainOptions,
        known: Knowledge<'_>,
    ) -> Mask {
        let positives = rows.iter().enumerate().map(|(row, example)| (row, example.positive.as_str(), true));
        let negatives = rows.iter().enumerate().flat_map(|(row, example)| {
            example.negatives.iter().map(move |negative| (row, negative.as_str(), false))
        });
        let candidates: Vec<(usize, &str, bool)> = positives.chain(negatives).collect();
        let mut mask =
            Mask { hidden: Vec::with_capacity(rows.len() * candidates.len()), counts: Masked::default() };
        for (row, example) in rows.iter().enumerate() {
            for &(owner, text, is_positive) in &candidates {
                let hidden = match (owner == row, is_positive) {
                    (true, true) => false,
                    (false, false) if scope == NegativeScope::OwnAnchor => true,
                    (own, _) => mask.hides(example, text, own, options, known),
                };
                mask.hidden.push(hidden);
            }
        }
        mask
    }

    /// Whether an anchor must not see a candidate, which is one of its row's own or not; counts it.
    pub(super) fn hides(
        &mut self,
        example: &Example,
        text: &str,
        own: bool,
        options: &TrainOptions,
        known: Knowledge<'_>,
    ) -> bool {
        let counts = &mut self.counts;
        counts.looked_at += 1;
        let doubt = Doubt::about(example, text, own, options, known);
        match doubt {
            Some(Doubt::KnownAnswer) => counts.known_answer += 1,
            Some(Doubt::NearPositive) => counts.near_positive += 1,
            Some(Doubt::Suspected) => counts.suspected += 1,
            None => {}
        }
        doubt.is_some()
    }
}

/// Why a candidate may be an answer to an anchor, as [`Masked`] counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    KnownAnswer,
    NearPositive,
    Suspected,
}

impl Doubt {
    /// What speaks against `text` as a negative of a row. The guide's ranking is not asked about the row's `own`.
    pub(super) fn about(
        example: &Example,
        text: &str,
        own: bool,
        options: &TrainOptions,
        known: Knowledge<'_>,
    ) -> Option<Doubt> {
        let cosine = |a: &str, b: &str| known.guide.and_then(|guide| guide.cosine(a, b));
        let above = |found: Option<f32>, limit: f32| found.is_some_and(|found| found >= limit);
        let near = |answer: &str| above(cosine(text, answer), options.duplicate_cosine);
        if known.answers.has(&example.anchor, text) {
            Some(Doubt::KnownAnswer)
        } else if known.answers.to(&example.anchor).any(near) {
            Some(Doubt::NearPositive)
        } else if !own && suspects(known.guide, example, text, options) {
            Some(Doubt::Suspected)
        } else {
            None
        }
    }
}

fn suspects(guide: Option<&Guide>, example: &Example, text: &str, options: &TrainOptions) -> bool {
    let (Some(guide), Some(margin)) = (guide, options.guide_margin) else { return false };
    match (guide.cosine(&example.anchor, text), guide.cosine(&example.anchor, &example.positive)) {
        (Some(candidate), Some(positive)) => candidate > positive - margin,
        _ => false,
    }
}

/// The share of other rows' hard negatives that the guide suspects to be answers, over every pair of a row and another's
/// negative; of more than 200 rows, of 200 spread over all. `None` without a guide, or without such pairs.
pub(super) fn suspected_share(
    examples: &[Example],
    options: &TrainOptions,
    known: Knowledge<'_>,
) -> Option<f64> {
    const ROWS: usize = 200;
    known.guide?;
    let some: Vec<&Example> = examples.iter().step_by(examples.len().div_ceil(ROWS).max(1)).collect();
    let (mut suspected, mut pairs) = (0u64, 0u64);
    for example in &some {
        for other in some.iter().filter(|other| other.anchor != example.anchor) {
            for negative in &other.negatives {
                pairs += 1;
                let answer = known.answers.has(&example.anchor, negative);
                suspected += u64::from(answer || suspects(known.guide, example, negative, options));
            }
        }
    }
    (pairs > 0).then(|| suspected as f64 / pairs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negatives::NegativeKind;

    fn row(anchor: &str, positive: &str, negatives: &[&str]) -> Example {
        Example {
            anchor: anchor.into(),
            positive: positive.into(),
            other_answers: Vec::new(),
            negatives: negatives.iter().map(|one| one.to_string()).collect(),
            kinds: vec![NegativeKind::Semantic; negatives.len()],
            weight: 1.0,
        }
    }

    /// A guide in the plane: each text at an angle, in degrees.
    fn guide(angles: &[(&str, f32)]) -> Guide {
        let mut guide = Guide::default();
        for (text, angle) in angles {
            guide.add(text, vec![angle.to_radians().cos(), angle.to_radians().sin()]);
        }
        guide
    }

    fn mask(rows: &[Example], scope: NegativeScope, guide: Option<&Guide>) -> (Vec<bool>, Masked) {
        let (answers, refs): (_, Vec<&Example>) = (Answers::of(rows), rows.iter().collect());
        let known = Knowledge { answers: &answers, guide };
        let mask = Mask::of(&refs, scope, &TrainOptions::default(), known);
        (mask.hidden, mask.counts)
    }

    #[test]
    fn another_rows_hard_negatives_are_seen_or_not_by_scope() {
        let rows = [row("a", "p", &["n"]), row("b", "q", &["m"])];
        assert_eq!(mask(&rows, NegativeScope::Batch, None).0, [false; 8]);
        let own = [false, false, false, true, false, false, true, false];
        assert_eq!(mask(&rows, NegativeScope::OwnAnchor, None).0, own);
    }

    #[test]
    fn an_answer_that_another_row_knows_is_hidden_and_so_is_the_positive_itself() {
        let rows = [row("a", "p", &["q"]), row("a", "q", &[]), row("b", "r", &["p"])];
        let (hidden, counts) = mask(&rows, NegativeScope::Batch, None);
        // Columns: p, q, r, then the negatives q of row 0 and p of row 2.
        assert_eq!(hidden[..5], [false, true, false, true, true]);
        assert_eq!(hidden[5..10], [true, false, false, true, true]);
        assert_eq!(hidden[10..], [false; 5]);
        assert_eq!((counts.known_answer, counts.looked_at), (6, 12));
    }

    #[test]
    fn an_answer_that_has_no_row_is_hidden_and_so_is_what_is_nearly_one() {
        let mut rows = [row("a", "p", &[]), row("b", "third", &["copy of third"])];
        let angles = [("a", 0.0), ("p", 40.0), ("third", -60.0), ("copy of third", -65.0), ("b", 180.0)];
        let options = TrainOptions::default().with_guide_margin(None);
        let of_a = |rows: &[Example]| {
            let (answers, guide) = (Answers::of(rows), guide(&angles));
            let known = Knowledge { answers: &answers, guide: Some(&guide) };
            let mask = Mask::of(&rows.iter().collect::<Vec<_>>(), NegativeScope::Batch, &options, known);
            (mask.hidden[..3].to_vec(), mask.counts.known_answer, answers.meet("a", "b"))
        };
        assert_eq!(of_a(&rows), (vec![false, false, false], 0, false));
        rows[0].other_answers = vec!["second".into(), "third".into()];
        assert_eq!(of_a(&rows), (vec![false, true, true], 1, true));
    }

    #[test]
    fn the_guide_hides_what_it_ranks_above_the_positive_but_no_own_negative() {
        let rows = [row("a", "p", &["n"]), row("b", "q", &["m"])];
        let angles = [("a", 0.0), ("p", 40.0), ("n", 10.0), ("b", 90.0), ("q", -20.0), ("m", 60.0)];
        let (hidden, counts) = mask(&rows, NegativeScope::Batch, Some(&guide(&angles)));
        // For "a" the other's positive q is nearer than its own p; the other's negative m is not; n is its own.
        assert_eq!(hidden[..4], [false, true, false, false]);
        // For "b", whose positive is far away, everything is suspect but its own negative.
        assert_eq!(hidden[4..], [true, false, true, false]);
        assert_eq!((counts.suspected, counts.near_positive), (3, 0));
    }

    #[test]
    fn what_is_nearly_the_positive_is_hidden_even_from_its_own_row() {
        let rows = [row("a", "p", &["copy of p"]), row("b", "q", &[])];
        let angles = [("a", 0.0), ("p", 40.0), ("copy of p", 45.0), ("b", 180.0), ("q", 200.0)];
        let (hidden, counts) = mask(&rows, NegativeScope::Batch, Some(&guide(&angles)));
        assert_eq!(hidden, [false, false, true, false, false, false]);
        assert_eq!(counts.near_positive, 1);
    }

    #[test]
    fn the_share_of_suspects_is_that_of_other_rows_negatives() {
        let rows = [row("a", "p", &["n"]), row("b", "q", &["m"])];
        let angles = [("a", 0.0), ("p", 40.0), ("n", 10.0), ("b", 90.0), ("q", 100.0), ("m", 20.0)];
        let (answers, guide) = (Answers::of(&rows), guide(&angles));
        let share =
            |guide| suspected_share(&rows, &TrainOptions::default(), Knowledge { answers: &answers, guide });
        assert_eq!(share(Some(&guide)), Some(0.5), "m is suspect for a, n is not for b");
        assert_eq!(share(None), None);
    }
}
