//! Clauses of the cluster's queries.

use serde_json::{Value as Json, json};

pub(super) fn everything() -> Json {
    json!({ "match_all": {} })
}

/// One of these has to hold.
pub(super) fn any_of(any: Vec<Json>) -> Json {
    match any.is_empty() {
        true => json!({ "match_none": {} }),
        false => json!({ "bool": { "should": any, "minimum_should_match": 1 } }),
    }
}

/// All of these have to hold.
pub(super) fn all_of(all: Vec<Json>) -> Json {
    match all.is_empty() {
        true => everything(),
        false => json!({ "bool": { "filter": all } }),
    }
}
