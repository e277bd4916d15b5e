//! What several answers to one query were told of one document.

use super::said::Placed;
use crate::feedback::{Judgement, Verdict};

/// The verdicts on one document for one query text: at most one of each impression.
#[derive(Default)]
pub(super) struct Verdicts<'a>(Vec<Placed<'a>>);

impl<'a> Verdicts<'a> {
    pub(super) fn add(&mut self, one: Placed<'a>) {
        self.0.push(one);
    }

    fn count(&self, is: fn(Verdict) -> bool) -> usize {
        self.0.iter().filter(|one| is(one.judgement.verdict)).count()
    }

    /// The last verdict in the log; that the document was opened comes before all others.
    pub(super) fn last(&self) -> Option<&'a Judgement> {
        let order = |one: &&Placed<'a>| (one.judgement.verdict != Verdict::Opened, one.place);
        self.0.iter().max_by_key(order).map(|one| one.judgement)
    }

    /// Whether the document answers the query: by majority; in a tie the last verdict decides. That it was opened does
    /// not decide it.
    pub(super) fn answers(&self) -> bool {
        let (by, against) = (self.count(is_answer), self.count(|verdict| !is_answer(verdict)));
        by > against || (by == against && self.last().is_some_and(|last| is_answer(last.verdict)))
    }

    /// The strongest verdict that is positive.
    pub(super) fn strongest(&self) -> Option<Verdict> {
        let strongest_first = [Verdict::Chosen, Verdict::Relevant, Verdict::Opened];
        strongest_first.into_iter().find(|one| self.0.iter().any(|said| said.judgement.verdict == *one))
    }

    /// Whether the document was chosen or judged relevant, and not just opened.
    pub(super) fn is_judged(&self) -> bool {
        matches!(self.strongest(), Some(Verdict::Chosen | Verdict::Relevant))
    }

    /// Whether at least one verdict is positive.
    pub(super) fn may_answer(&self) -> bool {
        self.count(is_answer) > 0
    }
}

/// Whether a verdict speaks for the document.
pub(super) fn is_answer(verdict: Verdict) -> bool {
    verdict != Verdict::NotRelevant
}
