//! Reads answered queries, the latest first.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use super::indices::Ubi;
use super::narrowed::Narrowed;
use crate::error::Result;
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::{refused, unexpected};
use crate::store::opensearch::retry::Repeat;

const DOING: &str = "read the latest queries at";
/// Queries of a page.
const PAGE: usize = 500;

/// A walk over the answered queries of an application, the latest first.
///
/// They come in the order of their times and sequence numbers, which those of two shards may share: a page begins with
/// the last of the page before, and leaves out what was there already.
pub(crate) struct Latest<'c> {
    client: &'c Client,
    application: &'c str,
    until_ms: Option<u64>,
    /// The place of the last query so far, and the ids of those that have it.
    after: Option<(i64, i64, HashSet<String>)>,
    is_begun: bool,
    is_over: bool,
}

impl<'c> Latest<'c> {
    /// Of the queries up to this time, or of all.
    pub(super) fn of(client: &'c Client, application: &'c str, until_ms: Option<u64>) -> Latest<'c> {
        Latest { client, application, until_ms, after: None, is_begun: false, is_over: false }
    }

    /// The fields of the next queries; `None` behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Json>>> {
        if !std::mem::replace(&mut self.is_begun, true) {
            // What was acknowledged is seen from here on.
            self.post(&format!("/{}/_refresh", Ubi::Queries.index()), Body::None)?;
        }
        let path = format!("/{}/_search?allow_partial_search_results=false", Ubi::Queries.index());
        while !self.is_over {
            let Some(mut answer) = self.post(&path, Body::Json(&self.request()))? else { break };
            let lacks = || unexpected(DOING, self.client.at(&path), "the queries of all shards");
            let hits = match answer["hits"]["hits"].take() {
                Json::Array(hits) if answer["_shards"]["failed"] == 0 => hits,
                _ => return Err(lacks()),
            };
            self.is_over = hits.len() < PAGE;
            let read = hits.into_iter().map(|hit| Hit::of(hit).ok_or_else(lacks));
            let read = read.collect::<Result<Vec<Hit>>>()?;
            let Some(last) = read.last().map(|last| last.place) else { break };
            let before = self.after.take();
            let known = |hit: &Hit| {
                before
                    .as_ref()
                    .is_some_and(|(time, number, ids)| hit.place == (*time, *number) && ids.contains(&hit.id))
            };
            let (application, mut queries) = (self.application, Vec::new());
            let mut ids: HashSet<String> = HashSet::new();
            for hit in read {
                if hit.place == last {
                    ids.insert(hit.id.clone());
                }
                if !known(&hit) && hit.fields["application"].as_str() == Some(application) {
                    queries.push(hit.fields);
                }
            }
            self.after = Some((last.0, last.1, ids));
            if !queries.is_empty() {
                return Ok(Some(queries));
            }
        }
        self.is_over = true;
        Ok(None)
    }

    fn request(&self) -> Json {
        let mut query = Narrowed::No.query(self.application);
        if let Some(until) = self.until_ms {
            query["bool"]["must"] =
                json!({ "range": { "timestamp": { "lte": until, "format": "epoch_millis" } } });
        }
        let mut request = json!({
            "size": PAGE, "track_total_hits": false, "query": query,
            "sort": [{ "timestamp": { "order": "desc", "unmapped_type": "date" } }, { "_seq_no": "desc" }],
        });
        if let Some((time, number, _)) = &self.after {
            request["search_after"] = json!([time, number + 1]);
        }
        request
    }

    /// The answer; `None` if there is no such index.
    fn post(&self, path: &str, body: Body<'_>) -> Result<Option<Json>> {
        let call = Call { doing: DOING, method: Method::Post, path, body, repeat: Repeat::Safe };
        match self.client.answer(&call)? {
            (200..300, answer) => Ok(Some(answer)),
            (404, _) => Ok(None),
            (status, body) => Err(refused(DOING, self.client.at(path), status, &body)),
        }
    }
}

struct Hit {
    id: String,
    /// Its time in milliseconds since the Unix epoch, and its sequence number.
    place: (i64, i64),
    fields: Json,
}

impl Hit {
    fn of(mut hit: Json) -> Option<Hit> {
        let place = (hit["sort"][0].as_i64()?, hit["sort"][1].as_i64()?);
        Some(Hit { id: hit["_id"].as_str()?.to_string(), place, fields: hit["_source"].take() })
    }
}
