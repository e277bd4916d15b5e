//! Confusables: documents that the engine ranked above the right one.
//!
//! A document shown above a chosen one was looked at and passed over ("skip above": Joachims, "Optimizing Search
//! Engines using Clickthrough Data", KDD 2002). One shown below may never have been seen, so it is no evidence. Nor is
//! one that was opened and left.

mod agreement;
mod answers;
mod candidate;
mod chain;
mod ends;
mod followed;
mod gather;
mod need;
mod report;
mod said;
#[cfg(test)]
mod tests;
mod verdicts;

use std::cmp::Reverse;
use std::collections::BTreeMap;

pub(crate) use candidate::{Confusable, ShownRef};
pub(crate) use ends::{Ends, NeedEnd, ends};
pub(crate) use report::CollectReport;

use answers::Answers;
use gather::gather;
use need::Needs;

use crate::feedback::{Impression, Replay, Verdict};

/// Everything that the log says about one query text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusion {
    /// The text as it was asked last.
    pub(crate) query: String,
    pub(crate) normalised: String,
    /// The answers, by document id; at least one.
    pub(crate) positives: Vec<ShownRef>,
    /// How much they count in the loss: 1 if somebody chose one or judged it relevant. Otherwise `n / (n + 1)`,
    /// where n needs ended with the same one.
    pub(crate) weight: f64,
    /// Whether the answers are known from other words only.
    pub(crate) is_in_other_words: bool,
    /// The highest place, from 1, at which an answer was picked from a list for this text.
    pub(crate) picked_at: Option<usize>,
    /// The strongest verdict on each answer that was judged for this text, by document id.
    pub(crate) strongest: BTreeMap<String, Verdict>,
    /// Documents that may be answers: neither positives nor negatives.
    pub(crate) disputed: Vec<ShownRef>,
    /// Confusables, strongest evidence first.
    pub(crate) confusables: Vec<Confusable>,
}

/// What collecting asks about queries and documents.
pub(crate) trait Likeness {
    /// Whether two queries that one session asked one after the other ask for the same.
    fn is_same_need(&mut self, before: &Impression, after: &Impression) -> bool;

    /// Whether a document is still in the index.
    fn is_there(&mut self, document: &str) -> bool;

    /// Whether two documents have the same content.
    fn is_duplicate(&mut self, positive: &str, candidate: &str) -> bool;
}

/// Joins impressions with judgements by query text. Queries are sorted by their normalised text.
pub(crate) fn collect_confusables(
    replay: &Replay,
    likeness: &mut dyn Likeness,
) -> (Vec<Confusion>, CollectReport) {
    let mut report = CollectReport::default();
    let mut confusions = Vec::new();
    let needs = Needs::of(replay, &mut |before, after| likeness.is_same_need(before, after));
    for (normalised, gathered) in
        gather(replay, &needs, &mut |document| likeness.is_there(document), &mut report)
    {
        let Some(query) = gathered.impressions.last().map(|impression| impression.searched().to_string())
        else {
            continue;
        };
        let Answers { positives, disputed, weight, are_in_other_words } = gathered.answers();
        if positives.is_empty() {
            report.dropped_no_positive += 1;
            continue;
        }
        let mut confusables = Vec::new();
        for candidate in gathered.candidates(&mut report) {
            if positives.iter().any(|positive| likeness.is_duplicate(&positive.document, &candidate.document))
            {
                report.dropped_duplicate_of_positive += 1;
            } else {
                confusables.push(candidate);
            }
        }
        sort_by_evidence(&mut confusables);
        report.answered_in_other_words += u64::from(are_in_other_words);
        let (strongest, picked_at) = (gathered.strongest(), gathered.picked_at());
        confusions.push(Confusion {
            query,
            normalised,
            positives,
            weight,
            is_in_other_words: are_in_other_words,
            picked_at,
            strongest,
            disputed,
            confusables,
        });
    }
    (confusions, report)
}

/// Strongest evidence first; ties by the last impression.
fn sort_by_evidence(confusables: &mut [Confusable]) {
    confusables.sort_by(|a, b| {
        let newer = || Reverse(a.last_seen_ms).cmp(&Reverse(b.last_seen_ms));
        b.evidence().total_cmp(&a.evidence()).then_with(newer).then_with(|| a.document.cmp(&b.document))
    });
}
