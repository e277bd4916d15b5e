//! Chunks in bulk.

use std::thread;

use serde_json::Value as Json;

use super::client::{Body, Call, Client, Method};
use super::failure::{LATER, unexpected};
use super::retry::{ATTEMPTS, Repeat, is_passing, pause};
use crate::error::{Error, Result};
use crate::ids::ChunkId;

/// A request is sent from here on. Nodes take 100 MB by default; smaller ones spread better.
const ENOUGH_BYTES: usize = 4 << 20;
const ENOUGH_CHUNKS: usize = 500;

const DOING: &str = "index passages at";

/// Chunks that go to an index with one request.
#[derive(Default)]
pub(crate) struct Bulk {
    chunks: Vec<(ChunkId, String)>,
    bytes: usize,
}

impl Bulk {
    /// Adds the document of a chunk.
    pub(crate) fn push(&mut self, chunk: ChunkId, document: String) {
        self.bytes += document.len();
        self.chunks.push((chunk, document));
    }

    /// Whether it should be sent now.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= ENOUGH_BYTES || self.chunks.len() >= ENOUGH_CHUNKS
    }

    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Sends it. Returns when the primary and all its copies that are there have each chunk. Chunks that the cluster
    /// refuses for a while are sent again, alone.
    ///
    /// Every chunk is created, never replaced: one that is there already came with an attempt whose answer was lost.
    ///
    /// # Errors
    /// [`Error::Cluster`] that names the first chunk that could not be indexed, and why.
    pub(crate) fn send(mut self, client: &Client, index: &str) -> Result<()> {
        // Less than the client waits: items whose node has gone are then sent again alone.
        let path = format!("/{index}/_bulk?timeout=15s");
        for attempt in 1..=ATTEMPTS {
            if self.chunks.is_empty() {
                return Ok(());
            }
            let lines = self.lines();
            let body = Body::Lines(&lines);
            let call = Call { doing: DOING, method: Method::Post, path: &path, body, repeat: Repeat::Safe };
            let answer = client.ask(&call)?;
            let items = answer["items"].as_array().filter(|items| items.len() == self.chunks.len());
            let items =
                items.ok_or_else(|| unexpected(DOING, client.at(&path), "an item for each passage"))?;
            let mut refused = Vec::new();
            for (item, chunk) in items.iter().zip(self.chunks.drain(..)) {
                match item["create"]["status"].as_u64().unwrap_or(0) as u16 {
                    200..300 | 409 => {}
                    status if is_passing(status, &item["create"]) && attempt < ATTEMPTS => {
                        refused.push(chunk)
                    }
                    status => return Err(failed(client.at(&path), chunk.0, status, item)),
                }
            }
            self.chunks = refused;
            if !self.chunks.is_empty() {
                thread::sleep(pause(attempt));
            }
        }
        Ok(())
    }

    fn lines(&self) -> String {
        let mut lines = String::with_capacity(self.bytes + 48 * self.chunks.len());
        for (chunk, document) in &self.chunks {
            lines.push_str(&format!("{{\"create\":{{\"_id\":\"{chunk}\"}}}}\n{document}\n"));
        }
        lines
    }
}

fn failed(at: String, chunk: ChunkId, status: u16, item: &Json) -> Error {
    let reason = super::failure::reason(&item["create"]);
    Error::Cluster {
        doing: DOING,
        at,
        found: format!("passage {chunk}: HTTP {status}, {reason}"),
        remedy: LATER,
    }
}
