//! Confusables: documents that the engine ranked above the right one.
//!
//! A document shown above a chosen one was looked at and passed over ("skip above": Joachims, "Optimizing Search
//! Engines using Clickthrough Data", KDD 2002). One shown below may never have been seen, so it is no evidence. Nor is
//! one that was opened and left.

mod candidate;
mod gather;
mod report;
mod said;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;

pub(crate) use candidate::{Confusable, ShownRef};
pub(crate) use report::CollectReport;

use gather::gather;

use crate::feedback::{Replay, Verdict};

/// Everything that the log says about one query text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusion {
    /// The text as it was asked last.
    pub(crate) query: String,
    pub(crate) normalised: String,
    /// The answers, by document id; at least one.
    pub(crate) positives: Vec<ShownRef>,
    /// The strongest verdict on each answer, by document id.
    pub(crate) strongest: BTreeMap<String, Verdict>,
    /// Documents that somebody judged relevant and a majority did not: neither positives nor negatives.
    pub(crate) disputed: Vec<ShownRef>,
    /// Confusables, strongest evidence first.
    pub(crate) confusables: Vec<Confusable>,
}

/// Joins impressions with judgements by query text. `is_duplicate(positive, candidate)` tells whether two documents
/// have the same content. Queries are sorted by their normalised text.
pub(crate) fn collect_confusables(
    replay: &Replay,
    is_duplicate: &mut dyn FnMut(&str, &str) -> bool,
) -> (Vec<Confusion>, CollectReport) {
    let mut report = CollectReport::default();
    let mut confusions = Vec::new();
    for (normalised, gathered) in gather(replay, &mut report) {
        let Some(query) = gathered.impressions.last().map(|impression| impression.searched().to_string())
        else {
            continue;
        };
        let positives = gathered.positives();
        if positives.is_empty() {
            report.dropped_no_positive += 1;
            continue;
        }
        let mut confusables = Vec::new();
        for candidate in gathered.candidates(&mut report) {
            if positives.iter().any(|positive| is_duplicate(&positive.document, &candidate.document)) {
                report.dropped_duplicate_of_positive += 1;
            } else {
                confusables.push(candidate);
            }
        }
        sort_by_evidence(&mut confusables);
        confusions.push(Confusion {
            query,
            normalised,
            disputed: gathered.disputed(),
            strongest: gathered.strongest(),
            positives,
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
