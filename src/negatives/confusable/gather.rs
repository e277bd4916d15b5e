//! Groups the log by query text: what was shown, and how it was judged.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::candidate::{Confusable, ShownRef};
use super::chain::{Chained, chained};
use super::need::{Need, Needs};
use super::report::CollectReport;
use super::said::{Placed, Statements};
use crate::feedback::{Impression, Judgement, Replay, ShownHit, Verdict, normalise_query};
use crate::ids::{ChunkId, QueryId};

/// How many hits of an answer that was left without a pick count as looked at. Nearly everybody looks at the first two
/// (Radlinski and Joachims, KDD 2005).
const LOOKED_AT: usize = 2;

/// The answers to a query text.
pub(super) struct Answers {
    pub(super) positives: Vec<ShownRef>,
    /// Documents that may be answers: somebody judged them relevant and a majority did not, or they ended fewer needs.
    pub(super) disputed: Vec<ShownRef>,
    /// 0 if the answers were judged for this text. Otherwise the number of needs that ended with them.
    pub(super) agreeing: usize,
}

/// A query text during collection.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) impressions: Vec<&'a Impression>,
    verdicts: BTreeMap<&'a str, Verdicts<'a>>,
    /// Every document that was picked, with its impression.
    picks: BTreeSet<(QueryId, &'a str)>,
    /// The documents that were opened for the need of an impression.
    opened: BTreeSet<(QueryId, &'a str)>,
    chained: Chained<'a>,
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

    /// The strongest verdict that is positive.
    fn strongest(&self) -> Option<Verdict> {
        let strongest_first = [Verdict::Chosen, Verdict::Relevant, Verdict::Opened];
        strongest_first.into_iter().find(|one| self.0.iter().any(|said| said.judgement.verdict == *one))
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
/// query may come from different users. What of it was withdrawn or only opened: see [`Statements`]. What the end of a
/// need says about earlier wordings: see [`chained`].
pub(super) fn gather<'a>(
    replay: &'a Replay,
    needs: &Needs,
    report: &mut CollectReport,
) -> BTreeMap<String, Gathered<'a>> {
    let mut queries: BTreeMap<String, Gathered<'a>> = BTreeMap::new();
    let mut texts: HashMap<QueryId, String> = HashMap::new();
    for impression in &replay.impressions {
        let normalised = normalise_query(impression.searched());
        if !normalised.is_empty() {
            texts.insert(impression.query_id, normalised.clone());
            queries.entry(normalised).or_default().impressions.push(impression);
        }
    }
    let mut statements = Statements::default();
    for (place, judgement) in replay.judgements.iter().enumerate() {
        match needs.get(judgement.query_id) {
            Some(need) => statements.add(need, Placed { place, judgement }, report),
            None => report.dropped_judgement_without_query += 1,
        }
    }
    let standing = statements.settle(report);
    let chained = chained(replay, &texts, needs, &standing);
    let of = |id: QueryId| texts.get(&id);
    for one in &standing.verdicts {
        if let Some(query) = of(one.judgement.query_id).and_then(|text| queries.get_mut(text)) {
            query.verdicts.entry(&one.judgement.document).or_default().0.push(*one);
        }
    }
    for &(id, document) in &standing.picks {
        if let Some(query) = of(id).and_then(|text| queries.get_mut(text)) {
            query.picks.insert((id, document));
        }
    }
    let mut opened: BTreeMap<Need, Vec<&'a str>> = BTreeMap::new();
    for &(need, document) in &standing.opened {
        opened.entry(need).or_default().push(document);
    }
    for query in queries.values_mut() {
        for impression in &query.impressions {
            let id = impression.query_id;
            let Some(need) = needs.get(id) else { continue };
            query.opened.extend(opened.get(&need).into_iter().flatten().map(|document| (id, *document)));
            let Some(ends) = chained.get(&id) else { continue };
            query.chained.left.insert(id);
            for document in ends {
                query.chained.answers.entry(document).or_default().insert(need);
            }
        }
    }
    queries.retain(|_, query| !query.verdicts.is_empty() || !query.chained.answers.is_empty());
    queries
}

impl<'a> Gathered<'a> {
    fn is_positive(&self, document: &str) -> bool {
        self.verdicts.get(document).is_some_and(Verdicts::answers)
    }

    fn may_answer(&self, document: &str) -> bool {
        self.chained.answers.contains_key(document)
            || self.verdicts.get(document).is_some_and(Verdicts::may_answer)
    }

    /// The answers: by verdicts. Where there are none, the documents that ended the most needs in other words, if
    /// nobody judged them here.
    pub(super) fn answers(&self) -> Answers {
        let direct: BTreeSet<&str> = self.documents(Verdicts::answers).collect();
        let disputed = self.documents(|verdicts| verdicts.may_answer() && !verdicts.answers());
        let chained =
            || self.chained.answers.iter().filter(|(document, _)| !self.verdicts.contains_key(*document));
        let agreeing = match direct.is_empty() {
            true => chained().map(|(_, needs)| needs.len()).max().unwrap_or(0),
            false => 0,
        };
        let most = chained().filter(|(_, needs)| needs.len() == agreeing).map(|(document, _)| *document);
        let positives: BTreeSet<&str> = direct.iter().copied().chain(most).collect();
        let others =
            chained().map(|(document, _)| *document).chain(disputed).filter(|one| !positives.contains(one));
        let others: BTreeSet<&str> = others.collect();
        let shown = |documents: &BTreeSet<&str>| documents.iter().map(|one| self.shown(one)).collect();
        Answers { positives: shown(&positives), disputed: shown(&others), agreeing }
    }

    fn documents(&self, are: impl Fn(&Verdicts<'a>) -> bool) -> impl Iterator<Item = &'a str> {
        self.verdicts.iter().filter(move |(_, verdicts)| are(verdicts)).map(|(document, _)| *document)
    }

    /// The strongest verdict on each answer.
    pub(super) fn strongest(&self) -> BTreeMap<String, Verdict> {
        let answers = self.verdicts.iter().filter(|(_, verdicts)| verdicts.answers());
        answers
            .filter_map(|(document, verdicts)| Some((document.to_string(), verdicts.strongest()?)))
            .collect()
    }

    fn shown(&self, document: &str) -> ShownRef {
        ShownRef { document: document.into(), chunk: self.last_chunk(document) }
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
        let counts =
            |one: &&&Impression| !self.picked_in(one).is_empty() || self.chained.left.contains(&one.query_id);
        for impression in self.impressions.iter().filter(counts) {
            let shown: BTreeSet<&str> = impression.hits.iter().map(|hit| hit.document.as_str()).collect();
            for document in shown {
                if let Some(one) = candidates.get_mut(document) {
                    one.times_shown += 1;
                }
            }
        }
        candidates.into_values().collect()
    }

    /// The hits above the lowest one picked in this impression, or the first ones of an impression that was left.
    /// Without the picked ones and those that were opened for the same need: they were not passed over, but looked into
    /// and left.
    fn passed_over(&self, impression: &'a Impression) -> impl Iterator<Item = (usize, &'a ShownHit)> {
        let picked = self.picked_in(impression);
        let is_picked = |hit: &ShownHit| picked.contains(hit.document.as_str());
        let lowest = impression.hits.iter().rposition(is_picked).unwrap_or(if !picked.is_empty() {
            // The right document was not among the hits: the user went through all of them.
            impression.hits.len()
        } else if self.chained.left.contains(&impression.query_id) {
            LOOKED_AT
        } else {
            0
        });
        let above = impression.hits.iter().enumerate().take(lowest);
        above.filter(move |(_, hit)| {
            let document = hit.document.as_str();
            !picked.contains(document) && !self.opened.contains(&(impression.query_id, document))
        })
    }

    /// The documents picked in this impression that are answers.
    fn picked_in(&self, impression: &Impression) -> BTreeSet<&'a str> {
        let id = impression.query_id;
        let here = self.picks.range((id, "")..).take_while(|(query_id, _)| *query_id == id);
        here.map(|(_, document)| *document).filter(|document| self.is_positive(document)).collect()
    }

    /// The highest place, from 1, at which an answer was picked.
    pub(super) fn picked_at(&self) -> Option<usize> {
        let places = self.impressions.iter().filter_map(|impression| {
            let picked = self.picked_in(impression);
            impression.hits.iter().position(|hit| picked.contains(hit.document.as_str()))
        });
        places.min().map(|place| place + 1)
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
