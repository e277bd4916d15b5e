//! What was asked of an index on a cluster, by pages.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::Cluster;
use crate::engine::{AnsweredQuery, QueryListing, QueryPage};
use crate::error::{Error, Result};
use crate::exchange::{query_id_of, read_answer, read_judgement};
use crate::feedback::{Judgement, normalise_query};
use crate::ids::QueryId;
use crate::store::opensearch::{Narrowed, Ubi};

/// The fields of events that judgements are read from.
const OF_EVENTS: &[&str] = &["application", "query_id", "action_name", "timestamp", "event_attributes"];
/// Ids that one request asks for.
const IDS: usize = 500;

impl Cluster {
    /// A page of the queries that were answered, by any process, with what was said of their documents; the latest
    /// first. What [`contains`](QueryListing::contains) leaves out is read all the same.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the query that the page is to begin behind was forgotten since; [`Error::Cluster`] if the
    /// cluster can't be asked.
    pub fn queries(&self, listing: &QueryListing) -> Result<QueryPage> {
        self.feedback.flush();
        // One more tells whether there is a next page.
        let mut found = self.latest(listing, listing.limit.saturating_add(1))?;
        let more = found.len() > listing.limit;
        found.truncate(listing.limit);
        let mut said = self.said(&found)?;
        let queries = found.iter().filter_map(|record| {
            let impression = read_answer(record)?;
            let judgements = said.remove(&impression.query_id).unwrap_or_default();
            Some(AnsweredQuery { impression, judgements })
        });
        let queries: Vec<AnsweredQuery> = queries.collect();
        let next = queries.last().filter(|_| more).map(|last| last.impression.query_id);
        Ok(QueryPage { queries, next })
    }

    /// The records of the latest queries that are asked for, so many at most.
    fn latest(&self, listing: &QueryListing, most: usize) -> Result<Vec<Json>> {
        let records = &self.feedback.records;
        let known = listing.after.map(|after| records.find(&after.to_string())).transpose()?.flatten();
        let until_ms = known.as_ref().and_then(read_answer).map(|answer| answer.time_ms);
        let wanted = listing.contains.as_deref().map(normalise_query);
        let fits = |text: &str| wanted.as_deref().is_none_or(|wanted| normalise_query(text).contains(wanted));
        let (mut waits_for, mut found) = (listing.after, Vec::new());
        let mut latest = records.latest(until_ms);
        while found.len() < most
            && let Some(page) = latest.next()?
        {
            for record in page {
                match waits_for {
                    Some(after) if query_id_of(&record) == Some(after) => waits_for = None,
                    Some(_) => {}
                    None if read_answer(&record).is_some_and(|answer| fits(&answer.query)) => {
                        found.push(record)
                    }
                    None => {}
                }
            }
        }
        found.truncate(most);
        match waits_for {
            None => Ok(found),
            Some(after) => Err(Error::NotFound {
                what: "answered query on the cluster with the id",
                id: after.to_string(),
                remedy: "it was forgotten since: list the queries from the latest on",
            }),
        }
    }

    /// What was said of the answers to these queries, in the order of their times.
    fn said(&self, queries: &[Json]) -> Result<HashMap<QueryId, Vec<Judgement>>> {
        let ids = queries.iter().filter_map(|record| record["query_id"].as_str());
        let ids: Vec<String> = ids.map(str::to_string).collect();
        let mut said: HashMap<QueryId, Vec<Judgement>> = HashMap::new();
        for ids in ids.chunks(IDS) {
            let events = self.feedback.records.scan(Ubi::Events, Narrowed::Queries(ids), Some(OF_EVENTS))?;
            let Some(mut events) = events else { break };
            while let Some(page) = events.next()? {
                for judgement in page.iter().filter_map(|record| read_judgement(&record.fields)) {
                    said.entry(judgement.query_id).or_default().push(judgement);
                }
            }
        }
        said.values_mut().for_each(|of_one| of_one.sort_by_key(|judgement| judgement.time_ms));
        Ok(said)
    }
}
