//! Which passages an index has, and in what state.

use serde_json::{Value as Json, json};

use super::client::Client;
use super::mapping::MARK;
use super::pages::Pages;
use crate::ids::ChunkId;

/// As many as a cluster gives by default.
const PAGE: usize = 10_000;

/// A passage that an index has, or is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) chunk: ChunkId,
    /// Another one if its text, its fields or its vector are others.
    pub(crate) mark: i64,
}

impl Held {
    /// All of an index.
    pub(crate) fn all<'c>(client: &'c Client, index: &str) -> Pages<'c, Held> {
        let asks = json!({ "_source": false, "docvalue_fields": [MARK] });
        Pages::of(client, "list the passages at", index, asks, PAGE, held)
    }
}

fn held(hit: &Json) -> Option<Held> {
    Some(Held { chunk: ChunkId(hit["sort"][0].as_u64()?), mark: hit["fields"][MARK][0].as_i64()? })
}
