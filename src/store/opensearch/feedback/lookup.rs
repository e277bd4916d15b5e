//! Looks up one record.

use serde_json::{Value as Json, json};

use super::indices::Ubi;
use super::narrowed::Narrowed;
use crate::error::Result;
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::refused;
use crate::store::opensearch::retry::Repeat;

/// The fields of a record, also of one that searches don't see yet.
pub(super) fn find(client: &Client, of: Ubi, id: &str) -> Result<Option<Json>> {
    const DOING: &str = "look up an answered query at";
    let path = format!("/{}/_doc/{id}", of.index());
    let call =
        Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (200, mut body) => Ok(Some(body["_source"].take())),
        (404, _) => Ok(None),
        (status, body) => Err(refused(DOING, client.at(&path), status, &body)),
    }
}

/// The fields of some queries of an application whose ids begin so.
pub(super) fn beginning(client: &Client, application: &str, digits: &str, most: usize) -> Result<Vec<Json>> {
    const DOING: &str = "look up an answered query at";
    let post = |path: &str, body| {
        let call = Call { doing: DOING, method: Method::Post, path, body, repeat: Repeat::Safe };
        client.answer(&call)
    };
    let index = Ubi::Queries.index();
    let path = format!("/{index}/_refresh");
    match post(&path, Body::None)? {
        (200, _) => {}
        (404, _) => return Ok(Vec::new()),
        (status, body) => return Err(refused(DOING, client.at(&path), status, &body)),
    }
    let path = format!("/{index}/_search?allow_partial_search_results=false");
    let mut query = Narrowed::No.query(application);
    query["bool"]["must"] = json!({ "prefix": { "query_id": digits } });
    let query = json!({ "size": most, "query": query });
    match post(&path, Body::Json(&query))? {
        (200, mut body) => {
            let hits = body["hits"]["hits"].as_array_mut().map(std::mem::take).unwrap_or_default();
            Ok(hits.into_iter().map(|mut hit| hit["_source"].take()).collect())
        }
        (404, _) => Ok(Vec::new()),
        (status, body) => Err(refused(DOING, client.at(&path), status, &body)),
    }
}
