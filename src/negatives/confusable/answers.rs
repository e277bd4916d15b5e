//! What answers a query, by all that was said of it.

use std::collections::{BTreeMap, BTreeSet};

use super::agreement::{is_enough, weight};
use super::candidate::ShownRef;
use super::followed::agree;
use super::gather::Gathered;
use super::report::CollectReport;
use super::verdicts::Verdicts;
use crate::feedback::Verdict;

/// The answers to a query text.
pub(super) struct Answers {
    pub(super) positives: Vec<ShownRef>,
    /// Documents that may be answers: somebody judged them relevant and a majority did not, or too few needs ended with
    /// them.
    pub(super) disputed: Vec<ShownRef>,
    /// How much they count in the loss: 1 if somebody chose one or judged it relevant, else by how many needs ended with
    /// the same one.
    pub(super) weight: f64,
    /// Whether all are known from the same needs in other words only.
    pub(super) are_in_other_words: bool,
}

impl<'a> Gathered<'a> {
    /// Says what the answers are: documents that were chosen or judged relevant, by majority. And what was only opened,
    /// here or for the same needs in other words, if [enough](is_enough) needs ended with it; in other words only if
    /// nothing was chosen or judged relevant here.
    pub(super) fn settle(&mut self, usually_ended: f64, report: &mut CollectReport) {
        let judged = |verdicts: &Verdicts<'_>| verdicts.is_judged() && verdicts.answers();
        let is_judged = self.verdicts.values().any(judged);
        let mut outvoted = BTreeMap::new();
        for (&document, needs) in &self.ended {
            let verdicts = self.verdicts.get(document);
            if verdicts.is_some_and(|verdicts| !verdicts.answers()) || (verdicts.is_none() && is_judged) {
                continue;
            }
            let is_judged = verdicts.is_some_and(judged);
            if is_judged || is_enough(self.asked.share(needs.len(), usually_ended)) {
                self.answers.insert(document);
                self.weight = self.weight.max(if is_judged { 1.0 } else { weight(needs.len()) });
            } else {
                report.dropped_too_few_agree += 1;
                outvoted.insert(document, needs.len());
            }
        }
        if self.answers.is_empty() {
            self.settle_by_what_followed();
        }
        self.misleading = self.passed_over_by_more(outvoted);
    }

    /// Takes for answers what enough of those found next whom this query left with nothing.
    fn settle_by_what_followed(&mut self) {
        for (&document, needs) in &self.followed {
            let is_refused = self.verdicts.get(document).is_some_and(|verdicts| !verdicts.answers());
            if !is_refused && agree(needs.len(), self.asked.failed()) {
                self.answers.insert(document);
                self.weight = self.weight.max(weight(needs.len()));
                self.chained.left.extend(needs.values());
            }
        }
    }

    /// Those of the documents that more answers passed over than needs ended with. Else every document that attracts
    /// would be opened by somebody in the end, and no confusable would be left.
    fn passed_over_by_more(&self, outvoted: BTreeMap<&'a str, usize>) -> BTreeSet<&'a str> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for impression in &self.impressions {
            let documents: BTreeSet<&str> =
                self.passed_over(impression).map(|(_, hit)| hit.document.as_str()).collect();
            documents.into_iter().for_each(|document| *times.entry(document).or_default() += 1);
        }
        let is_passed_over =
            |(document, ended): &(&str, usize)| times.get(document).is_some_and(|times| times > ended);
        outvoted.into_iter().filter(is_passed_over).map(|(document, _)| document).collect()
    }

    pub(super) fn is_positive(&self, document: &str) -> bool {
        self.answers.contains(document)
    }

    pub(super) fn may_answer(&self, document: &str) -> bool {
        self.is_positive(document)
            || (self.ended.contains_key(document) && !self.misleading.contains(document))
    }

    pub(super) fn answers(&self) -> Answers {
        let disputed = self.ended.keys().filter(|one| self.may_answer(one) && !self.is_positive(one));
        Answers {
            positives: self.answers.iter().map(|document| self.shown(document)).collect(),
            disputed: disputed.map(|document| self.shown(document)).collect(),
            weight: self.weight,
            are_in_other_words: self.answers.iter().all(|document| !self.verdicts.contains_key(document)),
        }
    }

    /// The strongest verdict on each answer.
    pub(super) fn strongest(&self) -> BTreeMap<String, Verdict> {
        let verdict = |document: &str| self.verdicts.get(document)?.strongest();
        self.answers.iter().filter_map(|document| Some((document.to_string(), verdict(document)?))).collect()
    }
}
