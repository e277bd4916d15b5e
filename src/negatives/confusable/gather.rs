//! Groups the log by query text: what was shown, and how it was judged.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::agreement::Asked;
use super::candidate::{Confusable, ShownRef};
use super::chain::chained;
use super::followed::followed;
use super::need::{Need, Needs};
use super::report::CollectReport;
use super::said::{Placed, Statements};
use super::verdicts::{Verdicts, is_answer};
use crate::feedback::{Impression, Replay, ShownHit, normalise_query};
use crate::ids::{ChunkId, QueryId};

/// How many hits of an answer that was left without a pick count as looked at. Nearly everybody looks at the first two
/// (Radlinski and Joachims, KDD 2005).
const LOOKED_AT: usize = 2;

/// A query text during collection.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) impressions: Vec<&'a Impression>,
    pub(super) verdicts: BTreeMap<&'a str, Verdicts<'a>>,
    /// Every document that was picked, with its impression.
    picks: BTreeSet<(QueryId, &'a str)>,
    /// What is an answer: see [`Gathered::settle`].
    pub(super) answers: BTreeSet<&'a str>,
    /// What too few ended with to be an answer, and more than twice as many have passed over.
    pub(super) misleading: BTreeSet<&'a str>,
    /// The documents that were opened for the need of an impression.
    opened: BTreeSet<(QueryId, &'a str)>,
    /// The answers that were left for other words, or with nothing, and whose end is known.
    pub(super) left: BTreeSet<QueryId>,
    /// The needs that ended with a document, in these words or others.
    pub(super) ended: BTreeMap<&'a str, BTreeSet<Need>>,
    /// The documents that people found next, with the answers that left them with nothing, by need.
    pub(super) followed: BTreeMap<&'a str, BTreeMap<Need, QueryId>>,
    pub(super) asked: Asked,
    /// Documents that needs ended with and that are no longer in the index.
    pub(super) gone: BTreeSet<&'a str>,
    pub(super) weight: f64,
}

/// Judged queries by normalised text.
///
/// If a user judges the same document twice in one answer, the last verdict counts. Verdicts in several answers to one
/// query may come from different users. What of it was withdrawn or only opened: see [`Statements`]. What the end of a
/// need says about earlier wordings: see [`chained`].
pub(super) fn gather<'a>(
    replay: &'a Replay,
    needs: &Needs,
    is_there: &mut dyn FnMut(&str) -> bool,
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
    let followed = followed(replay, &texts, needs, &standing);
    let of = |id: QueryId| texts.get(&id);
    for one in &standing.verdicts {
        let (id, document) = (one.judgement.query_id, one.judgement.document.as_str());
        let Some(query) = of(id).and_then(|text| queries.get_mut(text)) else { continue };
        query.verdicts.entry(document).or_default().add(*one);
        if let Some(need) = needs.get(id).filter(|_| is_answer(one.judgement.verdict)) {
            query.ended.entry(document).or_default().insert(need);
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
            query.asked.needs.insert(need);
            query.opened.extend(opened.get(&need).into_iter().flatten().map(|document| (id, *document)));
            for document in followed.get(&id).into_iter().flatten() {
                query.followed.entry(document).or_default().insert(need, id);
            }
            let Some(ends) = chained.get(&id) else { continue };
            query.left.insert(id);
            for document in ends {
                query.ended.entry(document).or_default().insert(need);
            }
        }
    }
    let usually_ended = count_ends(&mut queries, is_there);
    queries.retain(|_, query| {
        !query.verdicts.is_empty() || !query.ended.is_empty() || !query.followed.is_empty()
    });
    for query in queries.values_mut() {
        query.settle(usually_ended, needs, report);
    }
    queries
}

/// Counts the needs of each query that ended with a document that is still there. Returns their share, over all
/// queries.
fn count_ends(queries: &mut BTreeMap<String, Gathered<'_>>, is_there: &mut dyn FnMut(&str) -> bool) -> f64 {
    for query in queries.values_mut() {
        query.gone.extend(query.ended.keys().copied().filter(|document| !is_there(document)));
        let there = query.ended.iter().filter(|(document, _)| !query.gone.contains(*document));
        query.asked.ended.extend(there.flat_map(|(_, needs)| needs));
    }
    Asked::usually_ended(queries.values().map(|query| &query.asked))
}

impl<'a> Gathered<'a> {
    pub(super) fn shown(&self, document: &str) -> ShownRef {
        ShownRef { document: document.into(), chunk: self.last_chunk(document) }
    }

    /// The chunk that was last shown for a document.
    fn last_chunk(&self, document: &str) -> Option<ChunkId> {
        let hits = self.impressions.iter().rev().flat_map(|impression| &impression.hits);
        hits.filter(|hit| hit.document == document).find_map(|hit| hit.chunk)
    }

    /// Everything passed over or judged not relevant, except for documents that anybody judged relevant or, but for the
    /// [misleading](Gathered::passed_over_by_more) ones, needs ended with.
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
                _ => answers
                    .extend((self.may_answer(document) && !self.is_positive(document)).then_some(document)),
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
            |one: &&&Impression| !self.picked_in(one).is_empty() || self.left.contains(&one.query_id);
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
    pub(super) fn passed_over(
        &self,
        impression: &'a Impression,
    ) -> impl Iterator<Item = (usize, &'a ShownHit)> {
        let picked = self.picked_in(impression);
        let is_picked = |hit: &ShownHit| picked.contains(hit.document.as_str());
        let lowest = impression.hits.iter().rposition(is_picked).unwrap_or(if !picked.is_empty() {
            // The right document was not among the hits: the user went through all of them.
            impression.hits.len()
        } else if self.left.contains(&impression.query_id) {
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
