//! Changes of records in bulk, of which each may fail by itself.

use serde_json::{Value as Json, json};

use super::indices::Ubi;
use super::scan::Record;
use crate::error::{Error, Result};
use crate::store::opensearch::client::Client;
use crate::store::opensearch::failure::{LATER, reason};
use crate::store::opensearch::in_bulk::{Change, ENOUGH_BYTES, Kind, in_bulk};

const DOING: &str = "change the feedback at";

/// Changes that go together, with one request or several.
#[derive(Debug, Default)]
pub(crate) struct Batch(Vec<Change<()>>);

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Changes that were made, now or by an attempt whose answer was lost.
    pub(crate) done: u64,
    /// Records that others have changed since they were read.
    pub(crate) changed_since: u64,
    /// Changes that were refused.
    pub(crate) refused: u64,
    /// Why the last of these was.
    pub(crate) why: Option<String>,
    /// Whether there is no index for one of them.
    pub(super) no_index: bool,
}

impl Sent {
    /// An error if a change was refused.
    pub(crate) fn all_taken(&self, client_at: impl FnOnce() -> String) -> Result<()> {
        match &self.why {
            None => Ok(()),
            Some(why) => {
                let found = why.clone();
                Err(Error::Cluster { doing: DOING, at: client_at(), found, remedy: LATER })
            }
        }
    }
}

impl Batch {
    /// Adds a record, one line of JSON, if there is none with this id.
    pub(crate) fn create(&mut self, of: Ubi, id: &str, record: &str) {
        let place = json!({ "_index": of.index(), "_id": id });
        self.0.push(Change::new(Kind::Create, &place, Some(record), ()));
    }

    /// Replaces a record, if it is as it was read.
    pub(crate) fn replace(&mut self, record: &Record, by: &Json) {
        self.0.push(Change::new(Kind::Replace, &as_read(record), Some(&by.to_string()), ()));
    }

    /// Removes a record, if it is as it was read.
    pub(crate) fn remove(&mut self, record: &Record) {
        self.0.push(Change::new(Kind::Remove, &as_read(record), None, ()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sends it.
    ///
    /// # Errors
    /// [`Error::Cluster`] if the cluster can't be asked: then any of the changes may have been made.
    pub(super) fn send(self, client: &Client) -> Result<Sent> {
        let (mut sent, mut part, mut bytes) = (Sent::default(), Vec::new(), 0);
        let mut send = |part| {
            in_bulk(client, DOING, None, part, |change: &Change<()>, status, item| {
                sent.count(change.kind, status, item);
                Ok(())
            })
        };
        for change in self.0 {
            bytes += change.bytes();
            part.push(change);
            if bytes >= ENOUGH_BYTES {
                bytes = 0;
                send(std::mem::take(&mut part))?;
            }
        }
        send(part)?;
        Ok(sent)
    }
}

impl Sent {
    fn count(&mut self, kind: Kind, status: u16, item: &Json) {
        let no_index = item["error"]["type"] == "index_not_found_exception";
        match (status, kind) {
            (200..300, _) | (409, Kind::Create) => self.done += 1,
            // A change whose answer was lost is one of these too: whoever reads again sees that.
            (409, Kind::Replace | Kind::Remove) => self.changed_since += 1,
            (404, Kind::Replace | Kind::Remove) => {}
            _ => {
                self.refused += 1;
                self.no_index |= no_index;
                self.why = Some(format!("HTTP {status}, {}", reason(item)));
            }
        }
    }
}

/// Where a record is, and that it must be as it was read.
fn as_read(record: &Record) -> Json {
    let mut at = json!({
        "_index": record.index, "_id": record.id,
        "if_seq_no": record.number, "if_primary_term": record.term,
    });
    if let Some(routing) = &record.routing {
        at["routing"] = json!(routing);
    }
    at
}
