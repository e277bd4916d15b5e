//! Confusables: documents that the engine put above the one that was right.
//!
//! A document shown above a chosen one was looked at and passed over ("skip above": Joachims, "Optimizing Search
//! Engines using Clickthrough Data", KDD 2002); one shown below it was perhaps never seen and says nothing.

mod candidate;
mod gather;
mod report;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

pub(crate) use candidate::{Confusable, ShownRef};
pub(crate) use report::CollectReport;

use gather::gather;

use crate::feedback::Replay;

/// All that the log says of one query text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusion {
    /// As it was asked last.
    pub(crate) query: String,
    pub(crate) normalised: String,
    /// What answers it; at least one, by document id.
    pub(crate) positives: Vec<ShownRef>,
    /// What somebody calls an answer, and most do not: neither taught nor held against the query.
    pub(crate) disputed: Vec<ShownRef>,
    /// What was confused with that, the strongest evidence first.
    pub(crate) confusables: Vec<Confusable>,
}

/// Joins impressions with judgements, by query text. `is_duplicate(positive, candidate)` tells whether two documents
/// have the same content. Queries come in the order of their normalised text.
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
            positives,
            confusables,
        });
    }
    (confusions, report)
}

/// The strongest evidence first; of equals the one seen last.
fn sort_by_evidence(confusables: &mut [Confusable]) {
    confusables.sort_by(|a, b| {
        let newer = || Reverse(a.last_seen_ms).cmp(&Reverse(b.last_seen_ms));
        b.evidence().total_cmp(&a.evidence()).then_with(newer).then_with(|| a.document.cmp(&b.document))
    });
}
