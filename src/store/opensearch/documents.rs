//! Documents of a generation: one with all its chunks, or a page of them.

use serde_json::{Value as Json, json};

use super::chunk::record;
use super::client::{Body, Call, Method};
use super::failure::unexpected;
use super::filter::of_fields;
use super::mapping::{CHUNK, DOCUMENT, RECORD, VECTOR};
use super::retry::Repeat;
use super::scores::hits;
use super::state::ClusterState;
use crate::error::Result;
use crate::lexical::{ChunkRecord, Filter};
use crate::store::coverage::Coverage;

const READ: &str = "read a document at";
const LIST: &str = "list the documents at";
/// Chunks of one request.
const PAGE: usize = 1000;

/// What a list tells of a document.
pub(crate) struct Listed {
    /// Its first chunk.
    pub(crate) first: ChunkRecord,
    pub(crate) coverage: Coverage,
}

impl ClusterState {
    /// All chunks of a document, in order; none of one that is not there.
    pub(crate) fn chunks_of(&self, document: &str) -> Result<Vec<ChunkRecord>> {
        let lacks = || unexpected(READ, self.at(), "the chunks of all shards");
        let (mut chunks, mut after) = (Vec::new(), None);
        loop {
            let mut request = json!({
                "size": PAGE, "track_total_hits": false, "_source": false, "stored_fields": [RECORD],
                "sort": [{ CHUNK: "asc" }],
                "query": { "bool": { "filter": [{ "term": { DOCUMENT: document } }] } },
            });
            if let Some(last) = after {
                request["search_after"] = json!([last]);
            }
            let answer = self.post(READ, &request)?;
            let read = hits(&answer).ok_or_else(lacks)?.iter().map(record);
            let read: Vec<ChunkRecord> = read.collect::<Option<_>>().ok_or_else(lacks)?;
            after = read.last().map(|last| last.chunk).filter(|_| read.len() == PAGE);
            chunks.extend(read);
            if after.is_none() {
                // Nothing on the cluster is sorted by it: a change gives a chunk in the middle the highest id.
                chunks.sort_by_key(|chunk| chunk.ordinal);
                return Ok(chunks);
            }
        }
    }

    /// The first documents behind `after` in the order of their ids, so many at most. With a filter those that have a
    /// chunk that matches.
    pub(crate) fn documents(
        &self,
        filter: Option<&Filter>,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<Listed>> {
        let matching = filter.map(|filter| of_fields(filter, &self.manifest.fields)).transpose()?;
        let mut pages =
            json!({ "size": most, "sources": [{ DOCUMENT: { "terms": { "field": DOCUMENT } } }] });
        if let Some(after) = after {
            pages["after"] = json!({ DOCUMENT: after });
        }
        let of_each = json!({
            "encoded": { "filter": { "exists": { "field": VECTOR } } },
            "first": { "top_hits": {
                "size": 1, "_source": false, "stored_fields": [RECORD], "sort": [{ CHUNK: "asc" }],
            } },
        });
        let answer = self.post(
            LIST,
            &json!({
                "size": 0, "track_total_hits": false,
                "query": { "bool": { "filter": matching.map_or_else(Vec::new, |clause| vec![clause]) } },
                "aggs": { "documents": { "composite": pages, "aggs": of_each } },
            }),
        )?;
        let lacks = || unexpected(LIST, self.at(), "the documents of all shards");
        hits(&answer).ok_or_else(lacks)?;
        let listed = answer["aggregations"]["documents"]["buckets"].as_array().ok_or_else(lacks)?;
        listed.iter().map(|bucket| self.listed(bucket)?.ok_or_else(lacks)).collect()
    }

    /// `None` for what is none of ours.
    fn listed(&self, bucket: &Json) -> Result<Option<Listed>> {
        let count = |of: &Json| of["doc_count"].as_u64().map(|count| count as usize);
        let read = || {
            let coverage = Coverage { encoded: count(&bucket["encoded"])?, chunks: count(bucket)? };
            Some((record(&bucket["first"]["hits"]["hits"][0])?, coverage))
        };
        let Some((mut first, coverage)) = read() else { return Ok(None) };
        // The one with the least id, which is the first unless the beginning of the document has changed.
        if first.ordinal != 0
            && let Some(chunk) = self.chunks_of(&first.document)?.into_iter().next()
        {
            first = chunk;
        }
        Ok(Some(Listed { first, coverage }))
    }

    fn post(&self, doing: &'static str, request: &Json) -> Result<Json> {
        let path = format!("/{}/_search?allow_partial_search_results=false", self.index);
        let body = Body::Json(request);
        self.client.ask(&Call { doing, method: Method::Post, path: &path, body, repeat: Repeat::Safe })
    }

    fn at(&self) -> String {
        self.client.at(&format!("/{}", self.index))
    }
}
