//! The passages of an index as they were sent.

use serde_json::{Value as Json, json};

use super::chunk::record;
use super::client::Client;
use super::mapping::{CHUNK, DOCUMENT, RECORD, VECTOR};
use super::pages::Pages;
use crate::ids::ChunkId;
use crate::lexical::ChunkRecord;

/// A page of passages with vectors of 768 numbers is some 5 MB.
const PAGE: usize = 500;

/// A passage, and its vector if it has one.
pub(crate) struct Kept {
    pub(crate) record: ChunkRecord,
    pub(crate) vector: Option<Vec<f32>>,
}

impl Kept {
    /// All of an index.
    pub(crate) fn all<'c>(client: &'c Client, index: &str) -> Pages<'c, Kept> {
        let asks = json!({ "_source": [VECTOR], "stored_fields": [RECORD] });
        Pages::of(client, "read the passages at", index, asks, PAGE, kept)
    }

    /// Those of some documents: a thousand or so.
    pub(crate) fn of_documents<'c>(client: &'c Client, index: &str, documents: &[&str]) -> Pages<'c, Kept> {
        let query = json!({ "bool": { "filter": [{ "terms": { DOCUMENT: documents } }] } });
        let asks = json!({ "_source": [VECTOR], "stored_fields": [RECORD], "query": query });
        Pages::of(client, "read passages at", index, asks, PAGE, kept)
    }
}

/// The passages of an index, without their vectors.
pub(crate) fn records<'c>(client: &'c Client, index: &str) -> Pages<'c, ChunkRecord> {
    let asks = json!({ "_source": false, "stored_fields": [RECORD] });
    Pages::of(client, "read the passages at", index, asks, PAGE, record)
}

/// The passages of an index that have a vector, without it: from one passage on, and to before another.
pub(crate) fn encoded_between<'c>(
    client: &'c Client,
    index: &str,
    from: ChunkId,
    before: Option<ChunkId>,
) -> Pages<'c, ChunkRecord> {
    let mut range = json!({ "gte": from });
    if let Some(before) = before {
        range["lt"] = json!(before);
    }
    let filter = json!([{ "range": { CHUNK: range } }, { "exists": { "field": VECTOR } }]);
    let query = json!({ "bool": { "filter": filter } });
    let asks = json!({ "_source": false, "stored_fields": [RECORD], "query": query });
    Pages::of(client, "read the passages to encode at", index, asks, PAGE, record)
}

fn kept(hit: &Json) -> Option<Kept> {
    let vector = match &hit["_source"][VECTOR] {
        Json::Null => None,
        vector => Some(vector.as_array()?.iter().map(|x| Some(x.as_f64()? as f32)).collect::<Option<_>>()?),
    };
    Some(Kept { record: record(hit)?, vector })
}
