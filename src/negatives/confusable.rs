//! Confusables: documents that the engine put above the one that was right.
//!
//! A document shown above a chosen one was looked at and passed over ("skip above": Joachims, "Optimizing Search
//! Engines using Clickthrough Data", KDD 2002); one shown below it was perhaps never seen and says nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::source::{NegativeKind, NegativeSource, Proposal, Sought};
use crate::error::Result;
use crate::feedback::{Impression, Judgement, Replay, Verdict, normalise_query};
use crate::ids::{ChunkId, QueryId};

/// A document, and the chunk that stood for it where it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownRef {
    pub(crate) document: String,
    pub(crate) chunk: Option<ChunkId>,
}

/// A candidate hard negative with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confusable {
    pub(crate) document: String,
    /// The chunk that stood for it when it was last seen; absent when it was judged without having been shown.
    pub(crate) chunk: Option<ChunkId>,
    /// Impressions in which it stood above the lowest chosen document.
    pub(crate) times_passed_over: u32,
    /// The best rank it had in those, from 1.
    pub(crate) best_rank: Option<usize>,
    pub(crate) last_seen_ms: u64,
    pub(crate) judged_not_relevant: bool,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confusion {
    /// As it was asked last.
    pub(crate) query: String,
    pub(crate) normalised: String,
    /// What answers it; at least one, by document id.
    pub(crate) positives: Vec<ShownRef>,
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
    /// Query texts for which nothing is known to be right.
    pub(crate) dropped_no_positive: u64,
    /// Judgements of queries that are not in the log: forgotten, or lost.
    pub(crate) dropped_judgement_without_query: u64,
    /// Judgements that a later one of the same query text and document has replaced.
    pub(crate) dropped_superseded_judgement: u64,
}

impl CollectReport {
    /// Adds the counts that aren't zero to a table.
    pub(crate) fn add_to(&self, table: &mut BTreeMap<String, u64>) {
        let counts = [
            ("dropped_relevant_elsewhere", self.dropped_relevant_elsewhere),
            ("dropped_duplicate_of_positive", self.dropped_duplicate_of_positive),
            ("dropped_no_positive", self.dropped_no_positive),
            ("dropped_judgement_without_query", self.dropped_judgement_without_query),
            ("dropped_superseded_judgement", self.dropped_superseded_judgement),
        ];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *table.entry(name.into()).or_default() += count;
        }
    }
}

/// One query text while it is collected.
#[derive(Default)]
struct Gathered<'a> {
    impressions: Vec<&'a Impression>,
    /// The latest verdict on each document.
    verdicts: BTreeMap<&'a str, &'a Judgement>,
    /// Every choice, with the impression it was made in.
    chosen: BTreeSet<(QueryId, &'a str)>,
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
        confusables.sort_by_key(|one| {
            let rank = one.best_rank.unwrap_or(usize::MAX);
            let strength = (Reverse(one.judged_not_relevant), Reverse(one.times_passed_over), rank);
            (strength, Reverse(one.last_seen_ms), one.document.clone())
        });
        confusions.push(Confusion { query, normalised, positives, confusables });
    }
    (confusions, report)
}

/// Judged queries by normalised text.
///
/// The latest judgement is the one that stands last in the log: clocks are set back, the log only grows.
fn gather<'a>(replay: &'a Replay, report: &mut CollectReport) -> BTreeMap<String, Gathered<'a>> {
    let mut texts: HashMap<QueryId, String> = HashMap::new();
    let mut queries: BTreeMap<String, Gathered<'a>> = BTreeMap::new();
    for impression in &replay.impressions {
        let normalised = normalise_query(&impression.query);
        texts.insert(impression.query_id, normalised.clone());
        queries.entry(normalised).or_default().impressions.push(impression);
    }
    for judgement in &replay.judgements {
        let Some(gathered) = texts.get(&judgement.query_id).and_then(|text| queries.get_mut(text)) else {
            report.dropped_judgement_without_query += 1;
            continue;
        };
        let replaced = gathered.verdicts.insert(&judgement.document, judgement);
        report.dropped_superseded_judgement += u64::from(replaced.is_some());
        if judgement.verdict == Verdict::Chosen {
            gathered.chosen.insert((judgement.query_id, &judgement.document));
        }
    }
    queries.retain(|text, gathered| !text.is_empty() && !gathered.verdicts.is_empty());
    queries
}

impl<'a> Gathered<'a> {
    fn is_positive(&self, document: &str) -> bool {
        self.verdicts.get(document).is_some_and(|judgement| judgement.verdict != Verdict::NotRelevant)
    }

    fn positives(&self) -> Vec<ShownRef> {
        let positive = self.verdicts.keys().filter(|document| self.is_positive(document));
        positive
            .map(|document| ShownRef { document: (*document).into(), chunk: self.last_chunk(document) })
            .collect()
    }

    /// The chunk that stood for a document when it was last shown.
    fn last_chunk(&self, document: &str) -> Option<ChunkId> {
        let mut hits = self.impressions.iter().rev().flat_map(|impression| &impression.hits);
        hits.find(|hit| hit.document == document).map(|hit| hit.chunk)
    }

    /// Everything passed over or judged not relevant, but for what is an answer.
    fn candidates(&self, report: &mut CollectReport) -> Vec<Confusable> {
        let mut candidates: BTreeMap<&str, Confusable> = BTreeMap::new();
        let mut answers = BTreeSet::new();
        for (&document, judgement) in &self.verdicts {
            if judgement.verdict == Verdict::NotRelevant {
                let one = candidates.entry(document).or_insert_with(|| self.unseen(document));
                one.judged_not_relevant = true;
                one.last_seen_ms = judgement.time_ms;
            }
        }
        for impression in &self.impressions {
            let mut once = BTreeSet::new();
            for (place, hit) in self.passed_over(impression) {
                if !once.insert(&hit.document) {
                    continue;
                }
                if self.is_positive(&hit.document) {
                    answers.insert(&hit.document);
                    continue;
                }
                let one = candidates.entry(&hit.document).or_insert_with(|| self.unseen(&hit.document));
                one.times_passed_over += 1;
                one.best_rank = Some(one.best_rank.map_or(place + 1, |best| best.min(place + 1)));
                one.last_seen_ms = one.last_seen_ms.max(impression.time_ms);
            }
        }
        report.dropped_relevant_elsewhere += answers.len() as u64;
        candidates.into_values().collect()
    }

    /// The hits above the lowest one that was chosen in this very impression, but for the chosen ones.
    fn passed_over<'i>(
        &self,
        impression: &'i Impression,
    ) -> impl Iterator<Item = (usize, &'i crate::feedback::ShownHit)> + use<'i> {
        let here = self.chosen.iter().filter(|(query_id, _)| *query_id == impression.query_id);
        let chosen: BTreeSet<&str> =
            here.map(|(_, document)| *document).filter(|document| self.is_positive(document)).collect();
        let is_chosen: Vec<bool> =
            impression.hits.iter().map(|hit| chosen.contains(hit.document.as_str())).collect();
        let lowest = is_chosen.iter().rposition(|chosen| *chosen).unwrap_or(if chosen.is_empty() {
            0
        } else {
            // The right one was not among the hits: the user went through all of them.
            impression.hits.len()
        });
        impression.hits.iter().enumerate().take(lowest).filter(move |(place, _)| !is_chosen[*place])
    }

    fn unseen(&self, document: &str) -> Confusable {
        Confusable {
            document: document.to_string(),
            chunk: self.last_chunk(document),
            times_passed_over: 0,
            best_rank: None,
            last_seen_ms: 0,
            judged_not_relevant: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::ShownHit;
    use crate::ids::GenerationId;
    use proptest::prelude::*;

    fn shown(id: u64, query: &str, documents: &[&str]) -> Impression {
        let hits = documents.iter().zip(0..).map(|(document, chunk)| ShownHit {
            document: document.to_string(),
            chunk: ChunkId(chunk),
            lexical: None,
            dense: None,
            score: 1.0,
        });
        Impression {
            query_id: QueryId(id),
            time_ms: id * 1000,
            generation: GenerationId(1),
            query: query.into(),
            hits: hits.collect(),
        }
    }

    fn said(id: u64, document: &str, verdict: Verdict) -> Judgement {
        Judgement { query_id: QueryId(id), time_ms: id * 1000 + 1, document: document.into(), verdict }
    }

    fn collect(impressions: Vec<Impression>, judgements: Vec<Judgement>) -> (Vec<Confusion>, CollectReport) {
        let replay = Replay { impressions, judgements, ..Replay::default() };
        collect_confusables(&replay, &mut |positive, candidate| candidate == format!("copy of {positive}"))
    }

    fn names(confusion: &Confusion) -> Vec<&str> {
        confusion.confusables.iter().map(|one| one.document.as_str()).collect()
    }

    #[test]
    fn what_stood_above_the_chosen_one_was_passed_over_and_what_stood_below_says_nothing() {
        let (confusions, _) =
            collect(vec![shown(1, "Q", &["a", "b", "c", "d"])], vec![said(1, "c", Verdict::Chosen)]);
        assert_eq!(names(&confusions[0]), ["a", "b"]);
        assert_eq!(confusions[0].positives, [ShownRef { document: "c".into(), chunk: Some(ChunkId(2)) }]);
        assert_eq!(
            (confusions[0].confusables[0].best_rank, confusions[0].confusables[1].best_rank),
            (Some(1), Some(2))
        );
    }

    #[test]
    fn a_relevant_document_is_a_positive_but_passes_nothing_over() {
        let (confusions, _) =
            collect(vec![shown(1, "q", &["a", "b"])], vec![said(1, "b", Verdict::Relevant)]);
        assert!(confusions[0].confusables.is_empty());
    }

    #[test]
    fn a_right_document_that_was_not_shown_passes_everything_over() {
        let (confusions, _) = collect(vec![shown(1, "q", &["a", "b"])], vec![said(1, "z", Verdict::Chosen)]);
        assert_eq!(names(&confusions[0]), ["a", "b"]);
        assert_eq!(confusions[0].positives, [ShownRef { document: "z".into(), chunk: None }]);
    }

    #[test]
    fn another_judgement_of_the_same_text_saves_a_candidate() {
        let impressions = vec![shown(1, "same  TEXT", &["a", "b"]), shown(2, "Same text", &["a", "b"])];
        let judgements = vec![said(1, "b", Verdict::Chosen), said(2, "a", Verdict::Relevant)];
        let (confusions, report) = collect(impressions, judgements);
        assert_eq!(confusions.len(), 1);
        assert_eq!(confusions[0].query, "Same text");
        assert!(confusions[0].confusables.is_empty());
        assert_eq!(report.dropped_relevant_elsewhere, 1);
    }

    #[test]
    fn the_latest_word_on_a_document_counts() {
        let judgements = vec![
            said(1, "a", Verdict::Relevant),
            said(1, "b", Verdict::Chosen),
            said(1, "a", Verdict::NotRelevant),
        ];
        let (confusions, _) = collect(vec![shown(1, "q", &["a", "b"])], judgements);
        assert_eq!(names(&confusions[0]), ["a"]);
        assert!(confusions[0].confusables[0].judged_not_relevant);
    }

    #[test]
    fn copies_of_the_positive_are_left_out() {
        let (confusions, report) =
            collect(vec![shown(1, "q", &["copy of b", "a", "b"])], vec![said(1, "b", Verdict::Chosen)]);
        assert_eq!(names(&confusions[0]), ["a"]);
        assert_eq!(report.dropped_duplicate_of_positive, 1);
    }

    #[test]
    fn stronger_evidence_comes_first() {
        let impressions =
            vec![shown(1, "q", &["a", "b", "c"]), shown(2, "q", &["b", "c"]), shown(3, "q", &["d", "c"])];
        let mut judgements: Vec<Judgement> = (1..=3).map(|id| said(id, "c", Verdict::Chosen)).collect();
        judgements.push(said(3, "e", Verdict::NotRelevant));
        let (confusions, _) = collect(impressions, judgements);
        assert_eq!(names(&confusions[0]), ["e", "b", "d", "a"], "of equals the one seen last");
    }

    #[test]
    fn without_a_positive_or_an_impression_there_is_nothing_to_learn() {
        let (confusions, report) =
            collect(vec![shown(1, "q", &["a"])], vec![said(1, "a", Verdict::NotRelevant)]);
        assert!(confusions.is_empty());
        assert_eq!(report.dropped_no_positive, 1);
        assert!(collect(vec![shown(1, "q", &["a"])], vec![said(9, "a", Verdict::Chosen)]).0.is_empty());
    }

    #[test]
    fn evidence_is_gathered_over_impressions_and_the_chunk_is_the_one_shown_last() {
        let mut later = shown(2, "q", &["x", "a", "a", "b"]);
        later.hits[1].chunk = ChunkId(70);
        later.hits[2].chunk = ChunkId(71);
        let judgements = vec![said(1, "b", Verdict::Chosen), said(2, "b", Verdict::Chosen)];
        let (confusions, report) = collect(vec![shown(1, "q", &["a", "b"]), later], judgements);
        let expected = Confusable {
            document: "a".into(),
            chunk: Some(ChunkId(70)),
            times_passed_over: 2,
            best_rank: Some(1),
            last_seen_ms: 2000,
            judged_not_relevant: false,
        };
        assert_eq!(confusions[0].confusables[0], expected);
        assert_eq!(report.dropped_superseded_judgement, 1);
    }

    #[test]
    fn a_choice_taken_back_passes_nothing_over() {
        let judgements = vec![
            said(1, "c", Verdict::Chosen),
            said(1, "c", Verdict::NotRelevant),
            said(1, "b", Verdict::Relevant),
        ];
        let (confusions, _) = collect(vec![shown(1, "q", &["a", "b", "c"])], judgements);
        assert_eq!(names(&confusions[0]), ["c"]);
    }

    #[test]
    fn a_choice_in_one_impression_says_nothing_of_another_that_was_left() {
        let impressions = vec![shown(1, "q", &["a", "b"]), shown(2, "q", &["c", "b"])];
        let (confusions, _) = collect(impressions, vec![said(1, "b", Verdict::Chosen)]);
        assert_eq!(names(&confusions[0]), ["a"]);
    }

    #[test]
    fn a_judgement_of_a_query_that_is_gone_is_counted() {
        let (_, report) = collect(Vec::new(), vec![said(9, "a", Verdict::Chosen)]);
        assert_eq!(report.dropped_judgement_without_query, 1);
        let mut table = BTreeMap::new();
        report.add_to(&mut table);
        assert_eq!(table, BTreeMap::from([("dropped_judgement_without_query".to_string(), 1)]));
    }

    type Pairs = BTreeSet<(String, String)>;

    /// The definition, read as literally as possible: (text, document) pairs that are positives, and confusables.
    fn by_definition(replay: &Replay) -> (Pairs, Pairs) {
        let text_of = |id: QueryId| {
            let impression = replay.impressions.iter().find(|one| one.query_id == id);
            impression.map(|one| normalise_query(&one.query))
        };
        let verdict = |text: &str, document: &str| {
            let about =
                |one: &&Judgement| one.document == document && text_of(one.query_id).as_deref() == Some(text);
            replay.judgements.iter().rfind(about).map(|one| one.verdict)
        };
        let is_positive = |text: &str, document: &str| {
            verdict(text, document).is_some_and(|one| one != Verdict::NotRelevant)
        };
        let (mut positives, mut confusables) = (BTreeSet::new(), BTreeSet::new());
        for one in &replay.judgements {
            let Some(text) = text_of(one.query_id) else { continue };
            let set = if is_positive(&text, &one.document) { &mut positives } else { &mut confusables };
            set.insert((text, one.document.clone()));
        }
        for impression in &replay.impressions {
            let text = normalise_query(&impression.query);
            let picks: BTreeSet<&str> = replay
                .judgements
                .iter()
                .filter(|one| one.query_id == impression.query_id && one.verdict == Verdict::Chosen)
                .map(|one| one.document.as_str())
                .filter(|document| is_positive(&text, document))
                .collect();
            let lowest = impression.hits.iter().rposition(|hit| picks.contains(hit.document.as_str()));
            let looked_at = lowest.unwrap_or(if picks.is_empty() { 0 } else { impression.hits.len() });
            for hit in &impression.hits[..looked_at] {
                if !is_positive(&text, &hit.document) {
                    confusables.insert((text.clone(), hit.document.clone()));
                }
            }
        }
        let answered: BTreeSet<String> = positives.iter().map(|(text, _)| text.clone()).collect();
        confusables.retain(|(text, _)| answered.contains(text));
        (positives, confusables)
    }

    proptest! {
        #[test]
        fn what_is_collected_is_what_the_definition_says_and_no_confusable_is_a_positive(
            shows in prop::collection::vec((0u64..4, prop::collection::vec(0u8..6, 0..6)), 1..8),
            words in prop::collection::vec((0u64..8, 0u8..6, 0u8..3), 0..12),
        ) {
            let impressions = shows.iter().zip(0..).map(|((text, documents), id)| {
                let mut seen = BTreeSet::new();
                let names: Vec<String> =
                    documents.iter().filter(|d| seen.insert(**d)).map(|d| format!("d{d}")).collect();
                shown(id, &format!("text {text}"), &names.iter().map(String::as_str).collect::<Vec<_>>())
            });
            let verdicts = [Verdict::Chosen, Verdict::Relevant, Verdict::NotRelevant];
            let judgements = words.iter().map(|&(id, d, v)| said(id, &format!("d{d}"), verdicts[usize::from(v)]));
            let replay = Replay {
                impressions: impressions.collect(), judgements: judgements.collect(), ..Replay::default()
            };
            let (positives, confusables) = by_definition(&replay);
            prop_assert!(positives.is_disjoint(&confusables));
            let (confusions, _) = collect_confusables(&replay, &mut |_, _| false);
            let pairs = |documents: &dyn Fn(&Confusion) -> Vec<String>| -> Pairs {
                let of = |one: &Confusion| documents(one).into_iter().map(|d| (one.normalised.clone(), d)).collect::<Vec<_>>();
                confusions.iter().flat_map(of).collect()
            };
            prop_assert_eq!(pairs(&|one| one.positives.iter().map(|p| p.document.clone()).collect()), positives);
            prop_assert_eq!(pairs(&|one| one.confusables.iter().map(|c| c.document.clone()).collect()), confusables.clone());
            for one in confusions.iter().flat_map(|one| &one.confusables) {
                prop_assert!(one.judged_not_relevant || one.times_passed_over > 0);
                prop_assert_eq!(one.best_rank.is_some(), one.times_passed_over > 0);
            }
            // With a judge who calls everything a duplicate, each of them is counted.
            let (_, report) = collect_confusables(&replay, &mut |_, _| true);
            prop_assert_eq!(report.dropped_duplicate_of_positive, confusables.len() as u64);
        }
    }
}
