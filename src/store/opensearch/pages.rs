//! All documents of a generation's index, a page at a time.

use std::vec::IntoIter;

use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::unexpected;
use super::mapping::CHUNK;
use super::retry::Repeat;
use crate::error::Result;

/// The documents in the order of their chunks' ids. The index is written once, so pages fit together.
pub(crate) struct Pages<'c, T> {
    client: &'c Client,
    doing: &'static str,
    path: String,
    /// What each request asks of a document.
    asks: Json,
    size: usize,
    /// What a hit says. `None` for one that lacks something.
    read: fn(&Json) -> Option<T>,
    page: IntoIter<T>,
    /// The last chunk so far. `None` behind the last page.
    last: Option<i64>,
}

impl<'c, T> Pages<'c, T> {
    /// Those of `index`, `size` a page.
    pub(super) fn of(
        client: &'c Client,
        doing: &'static str,
        index: &str,
        asks: Json,
        size: usize,
        read: fn(&Json) -> Option<T>,
    ) -> Pages<'c, T> {
        let fields = "_shards.failed,hits.hits._id,hits.hits.sort,hits.hits.fields,hits.hits._source";
        let path = format!("/{index}/_search?allow_partial_search_results=false&filter_path={fields}");
        Pages { client, doing, path, asks, size, read, page: Vec::new().into_iter(), last: Some(-1) }
    }

    fn turn(&mut self, last: i64) -> Result<()> {
        let mut query = self.asks.clone();
        query["size"] = json!(self.size);
        query["track_total_hits"] = json!(false);
        query["sort"] = json!([{ CHUNK: "asc" }]);
        query["search_after"] = json!([last]);
        let (path, body) = (&self.path, Body::Json(&query));
        let call = Call { doing: self.doing, method: Method::Post, path, body, repeat: Repeat::Safe };
        let found = self.client.ask(&call)?;
        let lacks = |what| unexpected(self.doing, self.client.at(&self.path), what);
        if found["_shards"]["failed"] != 0 {
            return Err(lacks("the passages of all shards"));
        }
        let hits = found["hits"]["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
        let page = hits.iter().map(|hit| (self.read)(hit).ok_or_else(|| lacks("passages that are whole")));
        let page = page.collect::<Result<Vec<T>>>()?;
        self.last = match hits.last().filter(|_| hits.len() == self.size) {
            Some(last) => Some(last["sort"][0].as_i64().ok_or_else(|| lacks("the id of each passage"))?),
            None => None,
        };
        self.page = page.into_iter();
        Ok(())
    }
}

impl<T> Iterator for Pages<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(one) = self.page.next() {
                return Some(Ok(one));
            }
            let last = self.last.take()?;
            if let Err(error) = self.turn(last) {
                return Some(Err(error));
            }
        }
    }
}
