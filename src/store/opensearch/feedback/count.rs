//! Counts records.

use serde_json::json;

use super::indices::Ubi;
use super::narrowed::one_of;
use crate::error::Result;
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::{refused, unexpected};
use crate::store::opensearch::retry::Repeat;

/// How many records of an application searches can see. With actions only events that are one of these.
pub(super) fn count(client: &Client, of: Ubi, application: &str, actions: &[&str]) -> Result<u64> {
    const DOING: &str = "count the feedback at";
    let path = format!("/{}/_count", of.index());
    let mut filter = vec![one_of("application", &[application])];
    if !actions.is_empty() {
        filter.push(one_of("action_name", actions));
    }
    let query = json!({ "query": { "bool": { "filter": filter } } });
    let body = Body::Json(&query);
    match client.answer(&Call {
        doing: DOING,
        method: Method::Post,
        path: &path,
        body,
        repeat: Repeat::Safe,
    })? {
        (200, body) => body["count"].as_u64().ok_or_else(|| unexpected(DOING, client.at(&path), "a count")),
        (404, _) => Ok(0),
        (status, body) => Err(refused(DOING, client.at(&path), status, &body)),
    }
}
