//! The two indices: their names and fields.

use serde_json::{Map, Value as Json, json};

use crate::error::Result;
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::refused;
use crate::store::opensearch::indices::create_index;
use crate::store::opensearch::retry::Repeat;

/// An index of User Behavior Insights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ubi {
    /// Answered queries. The id of a record is that of the query.
    Queries,
    /// What users did with answers.
    Events,
}

impl Ubi {
    pub(super) const ALL: [Ubi; 2] = [Ubi::Queries, Ubi::Events];

    pub(crate) fn index(self) -> &'static str {
        match self {
            Ubi::Queries => "ubi_queries",
            Ubi::Events => "ubi_events",
        }
    }

    /// The fields as the plugin for OpenSearch 2.19 and later maps them. Of what queries have
    /// beside them, only attributes are indexed.
    fn mapping(self) -> Json {
        let keyword = |longest: u32| json!({ "type": "keyword", "ignore_above": longest });
        match self {
            Ubi::Queries => json!({ "dynamic": false, "properties": {
                "timestamp": { "type": "date", "format": "strict_date_time" },
                "query_id": keyword(100),
                "query": { "type": "text" },
                "query_response_id": keyword(100),
                "query_response_hit_ids": { "type": "keyword" },
                "user_query": { "type": "keyword", "ignore_above": 8191 },
                "query_attributes": { "type": "flat_object" },
                "client_id": keyword(100),
                "application": keyword(256),
            } }),
            Ubi::Events => json!({ "properties": {
                "application": keyword(256),
                "action_name": keyword(100),
                "client_id": keyword(100),
                "session_id": keyword(256),
                "query_id": keyword(100),
                "message": keyword(1024),
                "message_type": keyword(100),
                "user_query": { "type": "keyword", "ignore_above": 8191 },
                "timestamp": {
                    "type": "date", "format": "strict_date_time", "ignore_malformed": true, "doc_values": true,
                },
                "event_attributes": { "dynamic": true, "properties": {
                    "position": { "properties": {
                        "ordinal": { "type": "integer" },
                        "x": { "type": "integer" },
                        "y": { "type": "integer" },
                        "page_depth": { "type": "integer" },
                        "scroll_depth": { "type": "integer" },
                        "trail": { "type": "text", "fields": { "keyword": keyword(256) } },
                    } },
                    "object": { "properties": {
                        "internal_id": { "type": "keyword" },
                        "object_id": keyword(256),
                        "object_id_field": keyword(100),
                        "name": keyword(256),
                        "description": { "type": "text", "fields": { "keyword": keyword(256) } },
                        "object_detail": { "type": "object" },
                    } },
                } },
            } }),
        }
    }
}

/// The fields that records are found by. Earlier versions of the plugin lack some.
const FOUND_BY: [&str; 2] = ["application", "query_id"];

/// Has an index be there, with the fields that records are found by.
pub(super) fn prepare(client: &Client, of: Ubi) -> Result<()> {
    const DOING: &str = "look at the index of feedback at";
    let path = format!("/{}/_mapping", of.index());
    let call =
        Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (404, _) => create(client, of),
        (200, body) => add_fields(client, of, &body),
        (status, body) => Err(refused(DOING, client.at(&path), status, &body)),
    }
}

fn create(client: &Client, of: Ubi) -> Result<()> {
    let body = json!({
        "settings": { "index": { "number_of_shards": 1, "auto_expand_replicas": "0-2" } },
        "mappings": of.mapping(),
    });
    create_index(client, "create the index of feedback", of.index(), &body)
}

/// Adds fields that an index of others lacks. `found` has its mapping, or those of the indices behind an alias.
fn add_fields(client: &Client, of: Ubi, found: &Json) -> Result<()> {
    let mappings = found.as_object().into_iter().flatten().map(|(_, index)| &index["mappings"]["properties"]);
    let mappings: Vec<&Json> = mappings.collect();
    let missing = FOUND_BY.iter().filter(|name| mappings.iter().any(|fields| fields[**name].is_null()));
    let fields: Map<String, Json> =
        missing.map(|name| (name.to_string(), json!({ "type": "keyword", "ignore_above": 256 }))).collect();
    if fields.is_empty() {
        return Ok(());
    }
    let path = format!("/{}/_mapping", of.index());
    let body = json!({ "properties": fields });
    let call = Call {
        doing: "add fields to the index of feedback at",
        method: Method::Put,
        path: &path,
        body: Body::Json(&body),
        repeat: Repeat::Safe,
    };
    client.ask(&call).map(drop)
}
