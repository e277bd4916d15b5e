//! What stands of what was said: without what was withdrawn, and of what was opened only the last.

use std::collections::{BTreeMap, BTreeSet};

use super::need::Need;
use super::report::CollectReport;
use crate::feedback::{Judgement, Verdict};
use crate::ids::QueryId;

/// A judgement with its place in the log. Log order counts, not time: clocks are set back, the log only grows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) place: usize,
    pub(super) judgement: &'a Judgement,
}

/// What was said of one document in one answer. An opening neither replaces a verdict nor is replaced by one: until all
/// is said, either may be withdrawn.
#[derive(Debug, Default)]
struct Said<'a> {
    verdict: Option<Placed<'a>>,
    /// Whether it was chosen since it was last judged not relevant. Judging it relevant too does not change that.
    is_chosen: bool,
    opened: Option<Placed<'a>>,
    was_opened: bool,
}

impl<'a> Said<'a> {
    fn add(&mut self, said: Placed<'a>, report: &mut CollectReport) {
        let replaced = match said.judgement.verdict {
            Verdict::Opened => {
                self.was_opened = true;
                self.opened.replace(said)
            }
            Verdict::Withdrawn => {
                report.dropped_withdrawn_judgement += u64::from(self.withdraw());
                None
            }
            verdict => {
                self.is_chosen =
                    verdict == Verdict::Chosen || (verdict == Verdict::Relevant && self.is_chosen);
                self.verdict.replace(said)
            }
        };
        report.dropped_superseded_judgement += u64::from(replaced.is_some());
    }

    /// Takes back what was said last. Returns false if there was nothing.
    fn withdraw(&mut self) -> bool {
        let place = |said: &Option<Placed<'_>>| said.map(|one| one.place);
        if place(&self.opened) > place(&self.verdict) {
            return self.opened.take().is_some();
        }
        self.is_chosen = false;
        self.verdict.take().is_some()
    }

    fn is(&self, verdicts: &[Verdict]) -> bool {
        self.verdict.is_some_and(|one| verdicts.contains(&one.judgement.verdict))
    }

    /// Whether it was picked among the hits and is an answer by its verdict.
    fn is_pick(&self) -> bool {
        self.is(&[Verdict::Chosen, Verdict::Relevant]) && (self.is_chosen || self.opened.is_some())
    }
}

/// Everything that was said.
#[derive(Debug, Default)]
pub(super) struct Statements<'a>(BTreeMap<(Need, QueryId, &'a str), Said<'a>>);

/// What stands of it.
#[derive(Debug, Default)]
pub(super) struct Standing<'a> {
    /// At most one for each document and answer.
    pub(super) verdicts: Vec<Placed<'a>>,
    /// The documents that were picked among the hits of an answer.
    pub(super) picks: BTreeSet<(QueryId, &'a str)>,
    /// Every document that was opened for a need, also if that was withdrawn or another one was opened later. Why
    /// it was left is not known: the answer may have been seen at a glance, or it was a slip.
    pub(super) opened: BTreeSet<(Need, &'a str)>,
}

impl<'a> Statements<'a> {
    pub(super) fn add(&mut self, need: Need, said: Placed<'a>, report: &mut CollectReport) {
        let key = (need, said.judgement.query_id, said.judgement.document.as_str());
        self.0.entry(key).or_default().add(said, report);
    }

    /// Of what was opened for a need the last one is what was looked for, unless a document was chosen or judged
    /// relevant. One that was judged not relevant is not what was looked for, whenever it was opened.
    pub(super) fn settle(&self, report: &mut CollectReport) -> Standing<'a> {
        let with = |verdicts: &'static [Verdict]| self.0.iter().filter(|(_, said)| said.is(verdicts));
        let answered: BTreeSet<Need> =
            with(&[Verdict::Chosen, Verdict::Relevant]).map(|((need, ..), _)| *need).collect();
        let refused: BTreeSet<(Need, &str)> =
            with(&[Verdict::NotRelevant]).map(|((need, _, document), _)| (*need, *document)).collect();
        let mut standing = Standing::default();
        let mut last: BTreeMap<Need, Placed<'a>> = BTreeMap::new();
        for (&(need, query_id, document), said) in &self.0 {
            if said.was_opened {
                standing.opened.insert((need, document));
            }
            standing.verdicts.extend(said.verdict);
            if said.is_pick() {
                standing.picks.insert((query_id, document));
            }
            let Some(opened) = said.opened else { continue };
            if answered.contains(&need) || refused.contains(&(need, document)) {
                report.dropped_overruled_opening += 1;
                continue;
            }
            let latest = last.entry(need).or_insert(opened);
            if latest.place != opened.place {
                report.dropped_overruled_opening += 1;
            }
            if latest.place < opened.place {
                *latest = opened;
            }
        }
        for one in last.into_values() {
            standing.picks.insert((one.judgement.query_id, one.judgement.document.as_str()));
            standing.verdicts.push(one);
        }
        standing
    }
}
