//! Passages that go to an index in bulk.

use serde_json::json;

use super::chunk::Passage;
use super::client::Client;
use super::failure::{LATER, reason};
use super::in_bulk::{Change, ENOUGH_BYTES, Kind, in_bulk};
use crate::error::{Error, Result};
use crate::ids::ChunkId;

const ENOUGH_CHANGES: usize = 500;

/// Changes of an index that go with one request.
#[derive(Default)]
pub(crate) struct Bulk {
    changes: Vec<Change<ChunkId>>,
    bytes: usize,
    to_alias: bool,
}

impl Bulk {
    /// One that goes to an alias, and is refused where there is none: else a cluster makes an index of that name.
    pub(crate) fn to_alias() -> Bulk {
        Bulk { to_alias: true, ..Bulk::default() }
    }

    /// Adds a passage, unless one with its id is there: that came with an attempt whose answer was lost.
    pub(crate) fn create(&mut self, passage: Passage<'_>) -> Result<()> {
        let chunk = passage.chunk;
        self.push(Kind::Create, chunk, Some(&passage.line()?));
        Ok(())
    }

    /// Puts a passage in the place of the one with its id.
    pub(crate) fn replace(&mut self, passage: Passage<'_>) -> Result<()> {
        let chunk = passage.chunk;
        self.push(Kind::Replace, chunk, Some(&passage.line()?));
        Ok(())
    }

    /// Removes a passage.
    pub(crate) fn remove(&mut self, chunk: ChunkId) {
        self.push(Kind::Remove, chunk, None);
    }

    fn push(&mut self, kind: Kind, chunk: ChunkId, line: Option<&str>) {
        let mut place = json!({ "_id": chunk.to_string() });
        if self.to_alias {
            place["require_alias"] = json!(true);
        }
        let change = Change::new(kind, &place, line, chunk);
        self.bytes += change.bytes();
        self.changes.push(change);
    }

    /// Whether it should be sent now.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= ENOUGH_BYTES || self.changes.len() >= ENOUGH_CHANGES
    }

    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Sends it. Returns when the primary and all its copies that are there have each change.
    ///
    /// # Errors
    /// [`Error::Cluster`] that names the first passage that could not be indexed, and why.
    pub(crate) fn send(self, client: &Client, index: &str) -> Result<()> {
        const DOING: &str = "index passages at";
        in_bulk(client, DOING, Some(index), self.changes, |change, status, item| {
            if has_happened(change.kind, status) {
                return Ok(());
            }
            Err(Error::Cluster {
                doing: DOING,
                at: client.at(&format!("/{index}")),
                found: format!("passage {}: HTTP {status}, {}", change.of, reason(item)),
                remedy: LATER,
            })
        })
    }
}

/// Whether a change was made: now, or by an attempt whose answer was lost.
fn has_happened(kind: Kind, status: u16) -> bool {
    match status {
        200..300 => true,
        409 => kind == Kind::Create,
        404 => kind == Kind::Remove,
        _ => false,
    }
}
