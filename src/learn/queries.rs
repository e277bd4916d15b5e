//! The held-out queries that a round wins and loses.

use serde::{Deserialize, Serialize};

use super::topic::Topic;
use crate::feedback::normalise_query;
use crate::search::Query;

/// How many queries a report names: of those won most, and of those lost most.
const NAMED: usize = 10;
/// How many documents a report names of each ranking.
const SHOWN: usize = 3;
/// A smaller difference is a rounding error.
const ROUNDING: f64 = 1e-12;

/// The effect of a round on the held-out queries, by the average precision of the hybrid's first 20 documents, which is
/// what the gate tests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueryChanges {
    /// Held-out queries that the new generation ranks better.
    pub won: usize,
    /// Held-out queries that it ranks worse.
    pub lost: usize,
    /// Held-out queries that it ranks equally.
    pub tied: usize,
    /// The queries that gain most, largest gain first; at most 10. Forgotten ones are missing.
    pub won_most: Vec<QueryChange>,
    /// The queries that lose most, largest loss first; at most 10. Forgotten ones are missing.
    pub lost_most: Vec<QueryChange>,
}

/// A held-out query before and after a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueryChange {
    /// The text of the query, as a user asked it.
    pub query: String,
    /// Its ranking by the serving generation, or by a cheaper tier that was better already.
    pub before: QueryRanking,
    /// Its ranking by the new one.
    pub after: QueryRanking,
}

/// How the hybrid ranks documents for one query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueryRanking {
    /// Average precision of the first 20 documents, 0 to 1. Without an answer among them it counts as if one were the
    /// last.
    #[serde(rename = "ap@20")]
    pub ap_20: f64,
    /// The rank of the first right answer, from 1; `None` if it is not among the first 20.
    pub rank: Option<usize>,
    /// The ids of the first 3 documents.
    pub first: Vec<String>,
}

impl QueryRanking {
    /// The ranking `documents`, whose average precision is `ap_20`.
    pub(super) fn of(documents: &[&str], topic: &Topic, ap_20: f64) -> QueryRanking {
        let right = documents.iter().position(|document| topic.relevant.contains_key(*document));
        let first = documents.iter().take(SHOWN).map(|document| document.to_string());
        QueryRanking { ap_20, rank: right.map(|place| place + 1), first: first.collect() }
    }
}

impl QueryChange {
    fn gain(&self) -> f64 {
        self.after.ap_20 - self.before.ap_20
    }
}

impl QueryChanges {
    /// Counts the changes, and keeps those that are largest.
    pub(super) fn of(changes: impl Iterator<Item = QueryChange>) -> QueryChanges {
        let (mut won, mut lost, mut tied) = (Vec::new(), Vec::new(), 0);
        for change in changes {
            match change.gain() {
                gain if gain > ROUNDING => won.push(change),
                gain if gain < -ROUNDING => lost.push(change),
                _ => tied += 1,
            }
        }
        won.sort_by(|a, b| b.gain().total_cmp(&a.gain()));
        lost.sort_by(|a, b| a.gain().total_cmp(&b.gain()));
        let mut found =
            QueryChanges { won: won.len(), lost: lost.len(), tied, won_most: won, lost_most: lost };
        found.won_most.truncate(NAMED);
        found.lost_most.truncate(NAMED);
        found
    }

    /// Removes the queries that name what is forgotten. Returns whether there were any. The counts stay.
    pub(super) fn forget(&mut self, what: &Forgotten) -> bool {
        let before = self.won_most.len() + self.lost_most.len();
        for changes in [&mut self.won_most, &mut self.lost_most] {
            changes.retain(|change| {
                !what.is_named_in(&change.query, change.before.first.iter().chain(&change.after.first))
            });
        }
        self.won_most.len() + self.lost_most.len() < before
    }
}

/// A query or document that reports must no longer name.
#[derive(Debug, Clone)]
pub(crate) enum Forgotten {
    /// A query, by its text. Spelling counts as in [`normalise_query`].
    Query(String),
    /// A document, by its id.
    Document(String),
    /// All queries.
    Everything,
}

impl Forgotten {
    /// Whether it is this query or one of these documents.
    pub(super) fn is_named_in<'a>(
        &self,
        query: &str,
        documents: impl IntoIterator<Item = &'a String>,
    ) -> bool {
        match self {
            // A report has the words of a query that was typed with operators.
            Forgotten::Query(text) => [text.as_str(), &Query::parse(text).words()]
                .iter()
                .any(|text| normalise_query(query) == normalise_query(text)),
            Forgotten::Document(document) => documents.into_iter().any(|one| one == document),
            Forgotten::Everything => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(query: &str, before: &[&str], after: &[&str]) -> QueryChange {
        let topic = Topic::new(query, ["right".to_string()]);
        let ranking = |documents: &[&str]| {
            let mut ranking = QueryRanking::of(documents, &topic, 0.05);
            ranking.ap_20 = ranking.rank.map_or(0.05, |rank| 1.0 / rank as f64);
            ranking
        };
        QueryChange { query: query.into(), before: ranking(before), after: ranking(after) }
    }

    #[test]
    fn the_largest_changes_come_first_and_all_are_counted() {
        let wrong: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        let won = (1..=12).map(|rank| {
            let mut before: Vec<&str> = wrong[..rank].iter().map(String::as_str).collect();
            before.push("right");
            change(&format!("query {rank}"), &before, &["right"])
        });
        let lost = change("lost", &["right", "a"], &["a", "b", "c", "d", "right"]);
        let found = QueryChanges::of(won.chain([lost, change("same", &["a"], &["b"])]));
        assert_eq!((found.won, found.lost, found.tied), (12, 1, 1));
        let most: Vec<&str> = found.won_most.iter().map(|change| change.query.as_str()).collect();
        assert_eq!((most.len(), most[0], most[9]), (10, "query 12", "query 3"));
        let lost = &found.lost_most[0];
        assert_eq!((lost.before.rank, lost.after.rank), (Some(1), Some(5)));
        assert_eq!(lost.after.first, ["a", "b", "c"]);
    }

    #[test]
    fn a_forgotten_query_or_document_is_named_no_more() {
        let changes = || {
            QueryChanges::of(
                [
                    change("Fog  Horn", &["a", "right"], &["right"]),
                    change("lamp", &["right"], &["b", "right"]),
                ]
                .into_iter(),
            )
        };
        let left = |what: Forgotten| {
            let mut changes = changes();
            let found = changes.forget(&what);
            (found, changes.won_most.len(), changes.lost_most.len(), changes.won + changes.lost)
        };
        assert_eq!(left(Forgotten::Query("fog horn".into())), (true, 0, 1, 2));
        assert_eq!(left(Forgotten::Document("b".into())), (true, 1, 0, 2));
        assert_eq!(left(Forgotten::Document("right".into())), (true, 0, 0, 2));
        assert_eq!(left(Forgotten::Query("horn".into())), (false, 1, 1, 2));
    }
}
