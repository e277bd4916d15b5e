//! Changes of an index in bulk.

use std::thread;

use serde_json::Value as Json;

use super::chunk::Passage;
use super::client::{Body, Call, Client, Method};
use super::failure::{LATER, unexpected};
use super::retry::{ATTEMPTS, Repeat, is_passing, pause};
use crate::error::{Error, Result};
use crate::ids::ChunkId;

/// A request is sent from here on. Nodes take 100 MB by default; smaller ones spread better.
const ENOUGH_BYTES: usize = 4 << 20;
const ENOUGH_CHANGES: usize = 500;

const DOING: &str = "index passages at";

/// Changes of an index that go with one request.
#[derive(Default)]
pub(crate) struct Bulk {
    changes: Vec<Change>,
    bytes: usize,
}

struct Change {
    kind: Kind,
    chunk: ChunkId,
    /// The passage as one line. Empty for one that is removed.
    line: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create,
    Replace,
    Remove,
}

impl Kind {
    fn action(self) -> &'static str {
        match self {
            Kind::Create => "create",
            Kind::Replace => "index",
            Kind::Remove => "delete",
        }
    }

    /// Whether it has happened: now, or by an attempt whose answer was lost.
    fn has_happened(self, status: u16) -> bool {
        match status {
            200..300 => true,
            409 => self == Kind::Create,
            404 => self == Kind::Remove,
            _ => false,
        }
    }
}

impl Bulk {
    /// Adds a passage, unless one with its id is there: that came with an attempt whose answer was lost.
    pub(crate) fn create(&mut self, passage: Passage<'_>) -> Result<()> {
        self.push(Kind::Create, passage)
    }

    /// Puts a passage in the place of the one with its id.
    pub(crate) fn replace(&mut self, passage: Passage<'_>) -> Result<()> {
        self.push(Kind::Replace, passage)
    }

    /// Removes a passage.
    pub(crate) fn remove(&mut self, chunk: ChunkId) {
        self.changes.push(Change { kind: Kind::Remove, chunk, line: String::new() });
    }

    fn push(&mut self, kind: Kind, passage: Passage<'_>) -> Result<()> {
        let (chunk, line) = (passage.chunk, passage.line()?);
        self.bytes += line.len();
        self.changes.push(Change { kind, chunk, line });
        Ok(())
    }

    /// Whether it should be sent now.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= ENOUGH_BYTES || self.changes.len() >= ENOUGH_CHANGES
    }

    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Sends it. Returns when the primary and all its copies that are there have each change. Changes that the cluster
    /// refuses for a while are sent again, alone.
    ///
    /// # Errors
    /// [`Error::Cluster`] that names the first passage that could not be indexed, and why.
    pub(crate) fn send(mut self, client: &Client, index: &str) -> Result<()> {
        // Less than the client waits: items whose node has gone are then sent again alone.
        let path = format!("/{index}/_bulk?timeout=15s");
        for attempt in 1..=ATTEMPTS {
            if self.changes.is_empty() {
                return Ok(());
            }
            let lines = self.lines();
            let body = Body::Lines(&lines);
            let call = Call { doing: DOING, method: Method::Post, path: &path, body, repeat: Repeat::Safe };
            let answer = client.ask(&call)?;
            let items = answer["items"].as_array().filter(|items| items.len() == self.changes.len());
            let items =
                items.ok_or_else(|| unexpected(DOING, client.at(&path), "an item for each passage"))?;
            let mut refused = Vec::new();
            for (item, change) in items.iter().zip(self.changes.drain(..)) {
                let item = &item[change.kind.action()];
                let status = item["status"].as_u64().unwrap_or(0) as u16;
                if change.kind.has_happened(status) {
                    continue;
                }
                if !is_passing(status, item) || attempt == ATTEMPTS {
                    return Err(failed(client.at(&path), change.chunk, status, item));
                }
                refused.push(change);
            }
            self.changes = refused;
            if !self.changes.is_empty() {
                thread::sleep(pause(attempt));
            }
        }
        Ok(())
    }

    fn lines(&self) -> String {
        let mut lines = String::with_capacity(self.bytes + 48 * self.changes.len());
        for Change { kind, chunk, line } in &self.changes {
            lines.push_str(&format!("{{\"{}\":{{\"_id\":\"{chunk}\"}}}}\n", kind.action()));
            if *kind != Kind::Remove {
                lines.push_str(line);
                lines.push('\n');
            }
        }
        lines
    }
}

fn failed(at: String, chunk: ChunkId, status: u16, item: &Json) -> Error {
    let reason = super::failure::reason(item);
    Error::Cluster {
        doing: DOING,
        at,
        found: format!("passage {chunk}: HTTP {status}, {reason}"),
        remedy: LATER,
    }
}
