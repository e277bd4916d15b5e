//! Groups the log by query text: what was shown, and how it was judged.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::candidate::{Confusable, ShownRef};
use super::report::CollectReport;
use super::said::{Placed, Question, Standing, Statements};
use crate::feedback::{Impression, Judgement, Replay, ShownHit, Verdict, normalise_query};
use crate::ids::{ChunkId, QueryId};

/// A query text during collection.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) impressions: Vec<&'a Impression>,
    verdicts: BTreeMap<&'a str, Verdicts<'a>>,
    /// Every document that was picked, with its impression.
    picks: BTreeSet<(QueryId, &'a str)>,
    opened: BTreeSet<(Question<'a>, &'a str)>,
}

/// The verdicts on one document for one query text: at most one of each impression.
#[derive(Default)]
struct Verdicts<'a>(Vec<Placed<'a>>);

impl<'a> Verdicts<'a> {
    fn count(&self, is: fn(Verdict) -> bool) -> usize {
        self.0.iter().filter(|one| is(one.judgement.verdict)).count()
    }

    /// The last verdict in the log; that the document was opened comes before all others.
    fn last(&self) -> Option<&'a Judgement> {
        let order = |one: &&Placed<'a>| (one.judgement.verdict != Verdict::Opened, one.place);
        self.0.iter().max_by_key(order).map(|one| one.judgement)
    }

    /// Whether the document answers the query: by majority; in a tie the last verdict decides. That it was opened does
    /// not decide it.
    fn answers(&self) -> bool {
        let (by, against) = (self.count(is_answer), self.count(|verdict| !is_answer(verdict)));
        by > against || (by == against && self.last().is_some_and(|last| is_answer(last.verdict)))
    }

    /// Whether at least one verdict is positive.
    fn may_answer(&self) -> bool {
        self.count(is_answer) > 0
    }
}

fn is_answer(verdict: Verdict) -> bool {
    verdict != Verdict::NotRelevant
}

/// Judged queries by normalised text.
///
/// If a user judges the same document twice in one answer, the last verdict counts. Verdicts in several answers to one
/// query may come from different users. What of it was withdrawn or only opened: see [`Statements`].
pub(super) fn gather<'a>(replay: &'a Replay, report: &mut CollectReport) -> BTreeMap<String, Gathered<'a>> {
    let mut asked: HashMap<QueryId, (String, Question<'a>)> = HashMap::new();
    let mut queries: BTreeMap<String, (Gathered<'a>, Statements<'a>)> = BTreeMap::new();
    for impression in &replay.impressions {
        let normalised = normalise_query(impression.searched());
        asked.insert(impression.query_id, (normalised.clone(), Question::of(impression)));
        queries.entry(normalised).or_default().0.impressions.push(impression);
    }
    for (place, judgement) in replay.judgements.iter().enumerate() {
        let found = asked.get(&judgement.query_id);
        match found.and_then(|(text, question)| Some((queries.get_mut(text)?, *question))) {
            Some(((_, statements), question)) => {
                statements.add(question, Placed { place, judgement }, report)
            }
            None => report.dropped_judgement_without_query += 1,
        }
    }
    queries.retain(|text, (_, statements)| !text.is_empty() && !statements.is_empty());
    let settled = queries.into_iter().map(|(text, (mut gathered, statements))| {
        gathered.settle(statements.settle(report));
        (text, gathered)
    });
    settled.filter(|(_, gathered)| !gathered.verdicts.is_empty()).collect()
}

impl<'a> Gathered<'a> {
    fn settle(&mut self, standing: Standing<'a>) {
        (self.picks, self.opened) = (standing.picks, standing.opened);
        for one in standing.verdicts {
            self.verdicts.entry(&one.judgement.document).or_default().0.push(one);
        }
    }

    fn is_positive(&self, document: &str) -> bool {
        self.verdicts.get(document).is_some_and(Verdicts::answers)
    }

    fn may_answer(&self, document: &str) -> bool {
        self.verdicts.get(document).is_some_and(Verdicts::may_answer)
    }

    pub(super) fn positives(&self) -> Vec<ShownRef> {
        self.documents(Verdicts::answers)
    }

    /// Documents that somebody judged relevant and a majority did not.
    pub(super) fn disputed(&self) -> Vec<ShownRef> {
        self.documents(|verdicts| verdicts.may_answer() && !verdicts.answers())
    }

    fn documents(&self, are: impl Fn(&Verdicts<'a>) -> bool) -> Vec<ShownRef> {
        let found = self.verdicts.iter().filter(|(_, verdicts)| are(verdicts));
        found
            .map(|(document, _)| ShownRef { document: (*document).into(), chunk: self.last_chunk(document) })
            .collect()
    }

    /// The chunk that was last shown for a document.
    fn last_chunk(&self, document: &str) -> Option<ChunkId> {
        let hits = self.impressions.iter().rev().flat_map(|impression| &impression.hits);
        hits.filter(|hit| hit.document == document).find_map(|hit| hit.chunk)
    }

    /// Everything passed over or judged not relevant, except for documents that anybody judged relevant.
    pub(super) fn candidates(&self, report: &mut CollectReport) -> Vec<Confusable> {
        let mut candidates: BTreeMap<&str, Confusable> = BTreeMap::new();
        let mut answers = BTreeSet::new();
        for (&document, verdicts) in &self.verdicts {
            match verdicts.last() {
                Some(last) if !verdicts.may_answer() => {
                    let one = candidates.entry(document).or_insert_with(|| self.unseen(document));
                    one.judged_not_relevant = true;
                    one.last_seen_ms = last.time_ms;
                }
                _ if !verdicts.answers() => drop(answers.insert(document)),
                _ => {}
            }
        }
        for impression in &self.impressions {
            let mut once = BTreeSet::new();
            for (place, hit) in self.passed_over(impression) {
                if !once.insert(&hit.document) {
                    continue;
                }
                if self.may_answer(&hit.document) {
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
        for impression in self.impressions.iter().filter(|one| !self.picked_in(one).is_empty()) {
            let shown: BTreeSet<&str> = impression.hits.iter().map(|hit| hit.document.as_str()).collect();
            for document in shown {
                if let Some(one) = candidates.get_mut(document) {
                    one.times_shown += 1;
                }
            }
        }
        candidates.into_values().collect()
    }

    /// The hits above the lowest one picked in this impression, except for the picked ones and those that were opened
    /// for the same question: they were not passed over, but looked into and left.
    fn passed_over(&self, impression: &'a Impression) -> impl Iterator<Item = (usize, &'a ShownHit)> {
        let picked = self.picked_in(impression);
        let is_picked = |hit: &ShownHit| picked.contains(hit.document.as_str());
        let lowest = impression.hits.iter().rposition(is_picked).unwrap_or(if picked.is_empty() {
            0
        } else {
            // The right document was not among the hits: the user went through all of them.
            impression.hits.len()
        });
        let question = Question::of(impression);
        let above = impression.hits.iter().enumerate().take(lowest);
        above.filter(move |(_, hit)| {
            let document = hit.document.as_str();
            !picked.contains(document) && !self.opened.contains(&(question, document))
        })
    }

    /// The documents picked in this impression that are answers.
    fn picked_in(&self, impression: &Impression) -> BTreeSet<&'a str> {
        let id = impression.query_id;
        let here = self.picks.range((id, "")..).take_while(|(query_id, _)| *query_id == id);
        here.map(|(_, document)| *document).filter(|document| self.is_positive(document)).collect()
    }

    fn unseen(&self, document: &str) -> Confusable {
        Confusable {
            document: document.to_string(),
            chunk: self.last_chunk(document),
            times_passed_over: 0,
            times_shown: 0,
            best_rank: None,
            last_seen_ms: 0,
            judged_not_relevant: false,
        }
    }
}
