//! What answers a query, by all that was said of it.

use std::collections::{BTreeMap, BTreeSet};

use super::agreement::weight;
use super::candidate::ShownRef;
use super::followed::agree;
use super::gather::Gathered;
use super::need::{Need, Needs};
use super::report::CollectReport;
use super::verdicts::Verdicts;
use crate::feedback::Verdict;

/// How many times as many needs must pass over a document that some ended with for it to be a confusable.
const MANY: usize = 2;

/// The answers to a query text.
pub(super) struct Answers {
    pub(super) positives: Vec<ShownRef>,
    /// Documents that may be answers: somebody judged them relevant and a majority did not, or too few needs ended with
    /// them.
    pub(super) disputed: Vec<ShownRef>,
    /// How much they count in the loss: 1 if somebody chose one or judged it relevant, else by how many needs ended
    /// with the same one.
    pub(super) weight: f64,
    /// Whether all are known from the same needs in other words only.
    pub(super) are_in_other_words: bool,
}

impl<'a> Gathered<'a> {
    /// Says what the answers are: documents that were chosen or judged relevant, by majority. And what was only opened,
    /// here or for the same needs in other words, if [enough](super::agreement::Asked::are_enough) needs ended with it;
    /// in other words only if nothing was chosen or judged relevant here.
    pub(super) fn settle(&mut self, usually_ended: f64, needs: &Needs, report: &mut CollectReport) {
        let judged = |verdicts: &Verdicts<'_>| verdicts.is_judged() && verdicts.answers();
        let something_is_judged = self.verdicts.values().any(judged);
        let mut outvoted = BTreeMap::new();
        for (&document, ended) in &self.ended {
            let verdicts = self.verdicts.get(document);
            let is_refused = verdicts.is_some_and(|verdicts| !verdicts.answers());
            if is_refused || (verdicts.is_none() && something_is_judged) {
                continue;
            }
            let is_judged = verdicts.is_some_and(judged);
            // What is gone has no vote and no weight. It is counted where the passages are looked up.
            if self.gone.contains(document) {
                self.answers.insert(document);
            } else if is_judged || self.asked.are_enough(ended.len(), usually_ended) {
                self.answers.insert(document);
                self.weight = self.weight.max(if is_judged { 1.0 } else { weight(ended.len()) });
            } else {
                outvoted.insert(document, ended.len());
            }
        }
        if self.answers.is_subset(&self.gone) {
            self.settle_by_what_followed();
        }
        outvoted.retain(|document, _| !self.answers.contains(document));
        report.dropped_too_few_agree += outvoted.len() as u64;
        self.misleading = self.passed_over_by_more(outvoted, needs);
    }

    /// Takes for answers what enough of those found next whom this query left with nothing.
    fn settle_by_what_followed(&mut self) {
        for (&document, left) in &self.followed {
            let is_refused = self.verdicts.get(document).is_some_and(|verdicts| !verdicts.answers());
            if !is_refused && agree(left.len(), self.asked.failed()) {
                self.answers.insert(document);
                self.weight = self.weight.max(weight(left.len()));
                self.left.extend(left.values());
            }
        }
    }

    /// Those of the documents that many more needs passed over than ended with them. Else every document that attracts
    /// would be opened by somebody in the end, and no confusable would be left.
    fn passed_over_by_more(&self, outvoted: BTreeMap<&'a str, usize>, needs: &Needs) -> BTreeSet<&'a str> {
        let mut passed_over: BTreeMap<&str, BTreeSet<Need>> = BTreeMap::new();
        if outvoted.is_empty() {
            return BTreeSet::new();
        }
        for impression in &self.impressions {
            let Some(need) = needs.get(impression.query_id) else { continue };
            for (_, hit) in self.passed_over(impression) {
                if outvoted.contains_key(hit.document.as_str()) {
                    passed_over.entry(&hit.document).or_default().insert(need);
                }
            }
        }
        let is_misleading = |(document, ended): &(&str, usize)| {
            passed_over.get(document).is_some_and(|needs| needs.len() > MANY * ended)
        };
        outvoted.into_iter().filter(is_misleading).map(|(document, _)| document).collect()
    }

    pub(super) fn is_positive(&self, document: &str) -> bool {
        self.answers.contains(document)
    }

    pub(super) fn may_answer(&self, document: &str) -> bool {
        let has_ended = self.ended.contains_key(document) && !self.misleading.contains(document);
        let may_answer = self.verdicts.get(document).is_none_or(Verdicts::may_answer);
        self.is_positive(document) || (has_ended && may_answer)
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
