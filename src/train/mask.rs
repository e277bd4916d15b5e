//! Hides candidates from an anchor that are, or may be, answers to it.
//!
//! A false negative pushes an answer away from its question. Unchecked hard negatives can be worse than none (Qu et
//! al., "RocketQA", 2021); a fixed guide model finds most of the false ones (Solatorio, "GISTEmbed", 2024).

use serde::{Deserialize, Serialize};

use super::row::{Answers, Guide, TrainingRow};
use super::scope::NegativeScope;

/// A text with at least this cosine to an answer, by the guide, counts as that answer.
pub(super) const DUPLICATE_COSINE: f32 = 0.95;

/// Counts of candidates hidden from anchors during a round, by reason. Each counts once per anchor and step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Masked {
    /// Pairs of an anchor and a candidate that were checked: all except an anchor with its own positive, and except
    /// those that the scope hides.
    pub looked_at: u64,
    /// A judgement says that the candidate answers the anchor.
    pub known_answer: u64,
    /// The guide finds it nearly identical to an answer.
    pub near_positive: u64,
    /// The guide ranks it above the positive.
    pub suspected: u64,
}

impl Masked {
    pub(super) fn add(&mut self, other: Masked) {
        self.looked_at += other.looked_at;
        self.known_answer += other.known_answer;
        self.near_positive += other.near_positive;
        self.suspected += other.suspected;
    }

    fn count(&mut self, found: Option<FalseNegative>) {
        self.looked_at += 1;
        match found {
            Some(FalseNegative::KnownAnswer) => self.known_answer += 1,
            Some(FalseNegative::NearPositive) => self.near_positive += 1,
            Some(FalseNegative::AbovePositive) => self.suspected += 1,
            None => {}
        }
    }
}

/// The candidates that each anchor of a batch sees. Row-major, `(rows, rows + hard negatives)`: every positive, then
/// every hard negative in the order of the rows; `true` hides.
pub(super) struct Mask {
    pub(super) hidden: Vec<bool>,
    pub(super) counts: Masked,
}

/// What is known about the texts: judged answers, and the guide's vectors.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) answers: &'a Answers<'a>,
    pub(super) guide: Option<&'a Guide>,
}

/// A candidate of a batch.
struct Candidate<'a> {
    text: &'a str,
    /// Its row.
    owner: usize,
    is_positive: bool,
}

impl Mask {
    /// Computes the mask of a batch. The guide's ranking never hides a row's own hard negatives: a user passed them
    /// over, or mining checked them against the guide.
    pub(super) fn of(rows: &[&TrainingRow], scope: NegativeScope, known: Known<'_>) -> Mask {
        let positives = rows.iter().enumerate();
        let positives =
            positives.map(|(owner, row)| Candidate { text: &row.positive, owner, is_positive: true });
        let negatives = rows.iter().enumerate().flat_map(|(owner, row)| {
            row.negatives.iter().map(move |text| Candidate { text, owner, is_positive: false })
        });
        let candidates: Vec<Candidate> = positives.chain(negatives).collect();
        let mut hidden = Vec::with_capacity(rows.len() * candidates.len());
        let mut counts = Masked::default();
        for (at, row) in rows.iter().enumerate() {
            for candidate in &candidates {
                let own = candidate.owner == at;
                hidden.push(match (own, candidate.is_positive) {
                    (true, true) => false,
                    (false, false) if scope == NegativeScope::OwnAnchor => true,
                    _ => {
                        let found = FalseNegative::check(row, candidate.text, own, known);
                        counts.count(found);
                        found.is_some()
                    }
                });
            }
        }
        Mask { hidden, counts }
    }
}

/// The reason why a candidate may be an answer to an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FalseNegative {
    KnownAnswer,
    NearPositive,
    AbovePositive,
}

impl FalseNegative {
    /// Checks `text` as a negative of a row. With `own`, the guide's ranking is ignored.
    pub(super) fn check(row: &TrainingRow, text: &str, own: bool, known: Known<'_>) -> Option<FalseNegative> {
        let cosine = |a: &str, b: &str| known.guide.and_then(|guide| guide.cosine(a, b));
        let near = |answer: &str| cosine(text, answer).is_some_and(|found| found >= DUPLICATE_COSINE);
        if known.answers.has(&row.anchor, text) {
            Some(FalseNegative::KnownAnswer)
        } else if known.answers.to(&row.anchor).any(near) {
            Some(FalseNegative::NearPositive)
        } else if !own && is_above_positive(known.guide, row, text) {
            Some(FalseNegative::AbovePositive)
        } else {
            None
        }
    }
}

fn is_above_positive(guide: Option<&Guide>, row: &TrainingRow, text: &str) -> bool {
    let Some(guide) = guide else { return false };
    match (guide.cosine(&row.anchor, text), guide.cosine(&row.anchor, &row.positive)) {
        (Some(candidate), Some(positive)) => candidate > positive,
        _ => false,
    }
}

/// The share of the other rows' hard negatives that may be answers, over all pairs of a row and another row's negative.
/// Above 200 rows, uses a sample of 200 spread evenly. `None` without a guide, or without such pairs.
pub(super) fn suspected_share(rows: &[TrainingRow], known: Known<'_>) -> Option<f64> {
    const SAMPLE: usize = 200;
    known.guide?;
    let some: Vec<&TrainingRow> = rows.iter().step_by(rows.len().div_ceil(SAMPLE).max(1)).collect();
    let (mut suspected, mut pairs) = (0u64, 0u64);
    for row in &some {
        for other in some.iter().filter(|other| other.anchor != row.anchor) {
            for negative in &other.negatives {
                pairs += 1;
                let answer = known.answers.has(&row.anchor, negative);
                suspected += u64::from(answer || is_above_positive(known.guide, row, negative));
            }
        }
    }
    (pairs > 0).then(|| suspected as f64 / pairs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negatives::NegativeKind;

    fn row(anchor: &str, positive: &str, negatives: &[&str]) -> TrainingRow {
        TrainingRow {
            anchor: anchor.into(),
            positive: positive.into(),
            other_answers: Vec::new(),
            weight: 1.0,
            negatives: negatives.iter().map(|one| one.to_string()).collect(),
            kinds: vec![NegativeKind::Semantic; negatives.len()],
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

    fn mask(rows: &[TrainingRow], scope: NegativeScope, guide: Option<&Guide>) -> (Vec<bool>, Masked) {
        let (answers, refs): (_, Vec<&TrainingRow>) = (Answers::of(rows), rows.iter().collect());
        let known = Known { answers: &answers, guide };
        let mask = Mask::of(&refs, scope, known);
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
        let of_a = |rows: &[TrainingRow]| {
            let (answers, guide) = (Answers::of(rows), guide(&angles));
            let known = Known { answers: &answers, guide: Some(&guide) };
            let mask = Mask::of(&rows.iter().collect::<Vec<_>>(), NegativeScope::Batch, known);
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
        let share = |guide| suspected_share(&rows, Known { answers: &answers, guide });
        assert_eq!(share(Some(&guide)), Some(0.5), "m is suspect for a, n is not for b");
        assert_eq!(share(None), None);
    }
}
