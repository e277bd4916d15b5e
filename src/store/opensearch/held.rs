//! Which passages an index has, and in what state.

use std::vec::IntoIter;

use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::unexpected;
use super::mapping::{CHUNK, MARK};
use super::retry::Repeat;
use crate::error::Result;
use crate::ids::ChunkId;

const DOING: &str = "list the passages at";
/// Passages of a page: as many as a cluster gives by default.
const PAGE: usize = 10_000;

/// A passage that an index has, or is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) chunk: ChunkId,
    /// Another one if its text, its fields or its vector are others.
    pub(crate) mark: i64,
}

/// The passages of a generation's index, in the order of their ids. It is written once, so pages fit together.
pub(crate) struct Holdings<'c> {
    client: &'c Client,
    path: String,
    page: IntoIter<Held>,
    /// The last passage so far. `None` behind the last page.
    last: Option<i64>,
}

impl<'c> Holdings<'c> {
    pub(crate) fn of(client: &'c Client, index: &str) -> Holdings<'c> {
        let fields = "_shards.failed,hits.hits.sort,hits.hits.fields";
        let path = format!("/{index}/_search?allow_partial_search_results=false&filter_path={fields}");
        Holdings { client, path, page: Vec::new().into_iter(), last: Some(-1) }
    }

    fn turn(&mut self, last: i64) -> Result<()> {
        let query = json!({
            "size": PAGE, "track_total_hits": false, "_source": false, "docvalue_fields": [MARK],
            "sort": [{ CHUNK: "asc" }], "search_after": [last],
        });
        let (path, body) = (&self.path, Body::Json(&query));
        let call = Call { doing: DOING, method: Method::Post, path, body, repeat: Repeat::Safe };
        let found = self.client.ask(&call)?;
        let lacks = |what| unexpected(DOING, self.client.at(&self.path), what);
        if found["_shards"]["failed"] != 0 {
            return Err(lacks("the passages of all shards"));
        }
        let hits = found["hits"]["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
        let page = hits.iter().map(|hit| held(hit).ok_or_else(|| lacks("a mark of each passage")));
        let page = page.collect::<Result<Vec<Held>>>()?;
        self.last = page.last().filter(|_| page.len() == PAGE).map(|held| held.chunk.0 as i64);
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Holdings<'_> {
    type Item = Result<Held>;

    fn next(&mut self) -> Option<Result<Held>> {
        loop {
            if let Some(held) = self.page.next() {
                return Some(Ok(held));
            }
            let last = self.last.take()?;
            if let Err(error) = self.turn(last) {
                return Some(Err(error));
            }
        }
    }
}

fn held(hit: &Json) -> Option<Held> {
    Some(Held { chunk: ChunkId(hit["sort"][0].as_u64()?), mark: hit["fields"][MARK][0].as_i64()? })
}
