//! Reads the records of an application, as they are at one moment.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use super::indices::Ubi;
use super::narrowed::Narrowed;
use crate::error::{Error, Result};
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::{reason, refused, unexpected};
use crate::store::opensearch::retry::Repeat;

const DOING: &str = "read the feedback at";
/// Records of a page. More than the shards of an index can be.
const PAGE: usize = 2000;
/// How long the cluster keeps the state that is read, from each page on.
const KEPT: &str = "10m";
/// And until the first page.
const KEPT_FIRST: &str = "1h";

/// A record as it was read.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) index: String,
    pub(super) id: String,
    pub(super) routing: Option<String>,
    pub(super) number: u64,
    pub(super) term: u64,
    /// Its fields, or those that were asked for.
    pub(crate) fields: Json,
}

/// A walk over records, from page to page.
///
/// They come in the order of their sequence numbers, which a record has to itself in its shard: a page begins with the
/// last number of the page before, and leaves out what was there already. So no mapping has to have a field for it, and
/// none is lost or read twice.
pub(crate) struct Scan<'c> {
    client: &'c Client,
    application: &'c str,
    point: String,
    query: Json,
    fields: Option<&'c [&'c str]>,
    /// The last number so far, and the records that have it. `None` behind the last page.
    after: Option<(i64, HashSet<(String, String)>)>,
}

impl<'c> Scan<'c> {
    /// Of the records that are there now, with these fields, or with all. `None` if there is no index.
    pub(super) fn open(
        client: &'c Client,
        of: Ubi,
        application: &'c str,
        narrowed: Narrowed<'_>,
        fields: Option<&'c [&'c str]>,
    ) -> Result<Option<Scan<'c>>> {
        // What was acknowledged is seen from here on.
        let path = format!("/{}/_refresh", of.index());
        let Some(refreshed) = post(client, &path, Body::None)? else { return Ok(None) };
        if refreshed["_shards"]["failed"] != 0 {
            return Err(unexpected(DOING, client.at(&path), "all shards"));
        }
        let options = format!("keep_alive={KEPT_FIRST}&allow_partial_pit_creation=false");
        let path = format!("/{}/_search/point_in_time?{options}", of.index());
        let Some(opened) = post(client, &path, Body::None)? else { return Ok(None) };
        let point = opened["pit_id"].as_str();
        let point = point.ok_or_else(|| unexpected(DOING, client.at(&path), "a point in time"))?.to_string();
        let (query, after) = (narrowed.query(application), Some((-1, HashSet::new())));
        Ok(Some(Scan { client, application, point, query, fields, after }))
    }

    /// The next records; `None` behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Record>>> {
        let path = "/_search?allow_partial_search_results=false";
        while let Some((last, seen)) = self.after.take() {
            let mut request = json!({
                "size": PAGE, "track_total_hits": false, "seq_no_primary_term": true,
                "pit": { "id": self.point, "keep_alive": KEPT },
                "query": self.query, "sort": [{ "_seq_no": "asc" }], "search_after": [last - 1],
            });
            if let Some(fields) = self.fields {
                request["_source"] = json!(fields);
            }
            let lacks = |what| unexpected(DOING, self.client.at(path), what);
            let mut answer =
                post(self.client, path, Body::Json(&request))?.ok_or_else(|| lacks("its records"))?;
            let hits = match answer["hits"]["hits"].take() {
                Json::Array(hits) if answer["_shards"]["failed"] == 0 => hits,
                _ => return Err(lacks("the records of all shards")),
            };
            let full = hits.len() == PAGE;
            let read = hits.into_iter().map(|hit| record(hit).ok_or_else(|| lacks("numbers of records")));
            let read = read.collect::<Result<Vec<Record>>>()?;
            let key = |record: &Record| (record.index.clone(), record.id.clone());
            if let Some(number) = read.last().map(|record| record.number).filter(|_| full) {
                let with_it = read.iter().filter(|record| record.number == number);
                self.after = Some((number as i64, with_it.map(key).collect()));
            }
            let new = read.into_iter().filter(|record| {
                let is_own = record.fields["application"].as_str() == Some(self.application);
                is_own && !(record.number as i64 == last && seen.contains(&key(record)))
            });
            let new: Vec<Record> = new.collect();
            if !new.is_empty() {
                return Ok(Some(new));
            }
        }
        Ok(None)
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        let body = json!({ "pit_id": [self.point] });
        let (path, body) = ("/_search/point_in_time", Body::Json(&body));
        let call = Call { doing: DOING, method: Method::Delete, path, body, repeat: Repeat::Safe };
        if let Err(error) = self.client.answer(&call) {
            tracing::info!(%error, "a point in time was not given back: it ends by itself");
        }
    }
}

fn record(mut hit: Json) -> Option<Record> {
    Some(Record {
        index: hit["_index"].as_str()?.to_string(),
        id: hit["_id"].as_str()?.to_string(),
        routing: hit["_routing"].as_str().map(str::to_string),
        number: hit["_seq_no"].as_u64()?,
        term: hit["_primary_term"].as_u64()?,
        fields: hit["_source"].take(),
    })
}

/// The answer; `None` if there is no such index.
fn post(client: &Client, path: &str, body: Body<'_>) -> Result<Option<Json>> {
    match client.answer(&Call { doing: DOING, method: Method::Post, path, body, repeat: Repeat::Safe })? {
        (200..300, answer) => Ok(Some(answer)),
        (404, body) if body["error"]["type"] == "index_not_found_exception" => Ok(None),
        (404, body) => Err(Error::Cluster {
            doing: DOING,
            at: client.at(path),
            found: format!("the state that was read no longer there: {}", reason(&body)),
            remedy: "do it again; a node that held it may have gone, or it took longer than the cluster keeps it",
        }),
        (status, body) => Err(refused(DOING, client.at(path), status, &body)),
    }
}
