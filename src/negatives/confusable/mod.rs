//! Confusables: documents that the engine put above the one that was right.
//!
//! A document shown above a chosen one was looked at and passed over ("skip above": Joachims, "Optimizing Search
//! Engines using Clickthrough Data", KDD 2002); one shown below it was perhaps never seen and says nothing.

mod bias;
mod evidence;
mod gather;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;

pub(crate) use bias::PositionBias;
pub use evidence::ConfusableOptions;
use gather::gather;

use super::source::{NegativeKind, NegativeSource, Proposal, Sought};
use crate::error::Result;
use crate::feedback::Replay;
use crate::ids::ChunkId;

/// A document, and the chunk that stood for it where it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownRef {
    pub(crate) document: String,
    pub(crate) chunk: Option<ChunkId>,
}

/// A candidate hard negative with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusable {
    pub(crate) document: String,
    /// The chunk that stood for it when it was last seen; absent when it was judged without having been shown.
    pub(crate) chunk: Option<ChunkId>,
    /// Impressions in which it stood above the lowest chosen document.
    pub(crate) times_passed_over: u32,
    /// Impressions in which it was shown and something was chosen.
    pub(crate) times_shown: u32,
    /// The best rank it had in those, from 1.
    pub(crate) best_rank: Option<usize>,
    pub(crate) last_seen_ms: u64,
    pub(crate) judged_not_relevant: bool,
    /// What speaks for it, 0 to 1: see [`ConfusableOptions`].
    pub(crate) evidence: f32,
}

/// The log as a source: what was passed over, in the order of its evidence.
pub(crate) struct PassedOver;

impl NegativeSource for PassedOver {
    fn kind(&self) -> NegativeKind {
        NegativeKind::Confusable
    }

    fn propose(&mut self, sought: &Sought<'_>, most: usize) -> Result<Vec<Proposal>> {
        let others = sought.passed_over.iter().filter(|passage| !sought.answers(passage));
        Ok(others.take(most).map(Proposal::passage).collect())
    }
}

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
    /// The ranks at which each of `positives` was chosen, from 1; none if it was called relevant, or chosen without having
    /// been shown.
    pub(crate) chosen_at: Vec<Vec<usize>>,
    /// Judgements of other query texts since this one was last judged.
    pub(crate) judgements_since: usize,
    /// What was confused with that, the strongest evidence first.
    pub(crate) confusables: Vec<Confusable>,
}

/// What was left out, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CollectReport {
    /// Candidates that another judgement calls an answer to the same query text.
    pub(crate) dropped_relevant_elsewhere: u64,
    /// Candidates with the same content as an answer.
    pub(crate) dropped_duplicate_of_positive: u64,
    /// Candidates with less evidence than is asked for.
    pub(crate) dropped_weak_evidence: u64,
    /// Candidates beyond the number that a query may have.
    pub(crate) dropped_beyond_cap: u64,
    /// Query texts for which nothing is known to be right.
    pub(crate) dropped_no_positive: u64,
    /// Judgements of queries that are not in the log: forgotten, or lost.
    pub(crate) dropped_judgement_without_query: u64,
    /// Judgements that a later one of the same answer and document has replaced.
    pub(crate) dropped_superseded_judgement: u64,
}

impl CollectReport {
    /// Adds the counts that aren't zero to a table.
    pub(crate) fn add_to(&self, table: &mut BTreeMap<String, u64>) {
        let counts = [
            ("dropped_relevant_elsewhere", self.dropped_relevant_elsewhere),
            ("dropped_duplicate_of_positive", self.dropped_duplicate_of_positive),
            ("dropped_weak_evidence", self.dropped_weak_evidence),
            ("dropped_beyond_cap", self.dropped_beyond_cap),
            ("dropped_no_positive", self.dropped_no_positive),
            ("dropped_judgement_without_query", self.dropped_judgement_without_query),
            ("dropped_superseded_judgement", self.dropped_superseded_judgement),
        ];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *table.entry(name.into()).or_default() += count;
        }
    }
}

/// Joins impressions with judgements, by query text. `is_duplicate(positive, candidate)` tells whether two documents
/// have the same content. Queries come in the order of their normalised text.
pub(crate) fn collect_confusables(
    replay: &Replay,
    options: &ConfusableOptions,
    is_duplicate: &mut dyn FnMut(&str, &str) -> bool,
) -> (Vec<Confusion>, CollectReport) {
    let mut report = CollectReport::default();
    let mut confusions = Vec::new();
    let shown = replay.impressions.iter().map(|impression| impression.time_ms);
    let said = replay.judgements.iter().map(|judgement| judgement.time_ms);
    let newest_ms = shown.chain(said).max().unwrap_or(0);
    for (normalised, gathered) in gather(replay, &mut report) {
        let Some(query) = gathered.impressions.last().map(|impression| impression.query.clone()) else {
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
        weigh(&mut confusables, options, newest_ms, &mut report);
        confusions.push(Confusion {
            query,
            normalised,
            chosen_at: positives.iter().map(|one| gathered.chosen_at(&one.document)).collect(),
            disputed: gathered.disputed(),
            judgements_since: replay.judgements.len() - 1 - gathered.last_judged,
            positives,
            confusables,
        });
    }
    (confusions, report)
}

/// Gives each its evidence, brings them in that order, and leaves out what the options do not ask for.
fn weigh(
    confusables: &mut Vec<Confusable>,
    options: &ConfusableOptions,
    newest_ms: u64,
    report: &mut CollectReport,
) {
    for one in confusables.iter_mut() {
        one.evidence = options.evidence(one, newest_ms);
    }
    confusables.sort_by(|a, b| {
        let newer = || Reverse(a.last_seen_ms).cmp(&Reverse(b.last_seen_ms));
        b.evidence.total_cmp(&a.evidence).then_with(newer).then_with(|| a.document.cmp(&b.document))
    });
    let strong = confusables.partition_point(|one| one.evidence >= options.floor);
    report.dropped_weak_evidence += (confusables.len() - strong) as u64;
    confusables.truncate(strong);
    let most = options.per_query.unwrap_or(usize::MAX);
    report.dropped_beyond_cap += confusables.len().saturating_sub(most) as u64;
    confusables.truncate(most);
}
