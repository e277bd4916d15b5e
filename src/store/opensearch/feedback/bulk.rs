//! Changes of records in bulk, of which each may fail by itself.

use std::thread;

use serde_json::{Value as Json, json};

use super::indices::Ubi;
use super::scan::Record;
use crate::error::{Error, Result};
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::{LATER, reason, unexpected};
use crate::store::opensearch::retry::{ATTEMPTS, Repeat, is_passing, pause};

const DOING: &str = "change the feedback at";
/// A request ends here. Nodes take 100 MB by default.
const ENOUGH_BYTES: usize = 4 << 20;

/// Changes that go together, with one request or several.
#[derive(Debug, Default)]
pub(crate) struct Batch(Vec<Change>);

#[derive(Debug)]
struct Change {
    kind: Kind,
    /// The lines of the request.
    lines: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create,
    Replace,
    Remove,
}

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
        let action = json!({ "create": { "_index": of.index(), "_id": id } });
        self.0.push(Change { kind: Kind::Create, lines: format!("{action}\n{record}\n") });
    }

    /// Replaces a record, if it is as it was read.
    pub(crate) fn replace(&mut self, record: &Record, by: &Json) {
        let action = json!({ "index": as_read(record) });
        self.0.push(Change { kind: Kind::Replace, lines: format!("{action}\n{by}\n") });
    }

    /// Removes a record, if it is as it was read.
    pub(crate) fn remove(&mut self, record: &Record) {
        let action = json!({ "delete": as_read(record) });
        self.0.push(Change { kind: Kind::Remove, lines: format!("{action}\n") });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sends it. What the cluster refuses for a while is sent again, alone.
    ///
    /// # Errors
    /// [`Error::Cluster`] if the cluster can't be asked: then any of the changes may have been made.
    pub(super) fn send(self, client: &Client) -> Result<Sent> {
        let (mut sent, mut part) = (Sent::default(), Batch::default());
        let mut bytes = 0;
        for change in self.0 {
            bytes += change.lines.len();
            part.0.push(change);
            if bytes >= ENOUGH_BYTES {
                bytes = 0;
                std::mem::take(&mut part).send_part(client, &mut sent)?;
            }
        }
        part.send_part(client, &mut sent).map(|()| sent)
    }

    /// Sends it with one request.
    fn send_part(mut self, client: &Client, sent: &mut Sent) -> Result<()> {
        // Less than the client waits: items whose node has gone are then sent again alone.
        let path = "/_bulk?timeout=15s";
        for attempt in 1..=ATTEMPTS {
            if self.is_empty() {
                break;
            }
            let lines: String = self.0.iter().map(|change| change.lines.as_str()).collect();
            let body = Body::Lines(&lines);
            let call = Call { doing: DOING, method: Method::Post, path, body, repeat: Repeat::Safe };
            let answer = client.ask(&call)?;
            let items = answer["items"].as_array().filter(|items| items.len() == self.0.len());
            let items = items.ok_or_else(|| unexpected(DOING, client.at(path), "an item for each record"))?;
            let mut again = Vec::new();
            for (item, change) in items.iter().zip(self.0.drain(..)) {
                let item = item.as_object().and_then(|item| item.values().next()).unwrap_or(&Json::Null);
                let status = item["status"].as_u64().unwrap_or(0) as u16;
                if is_passing(status, item) && attempt < ATTEMPTS {
                    again.push(change);
                } else {
                    sent.count(change.kind, status, item);
                }
            }
            self.0 = again;
            if !self.is_empty() {
                thread::sleep(pause(attempt));
            }
        }
        Ok(())
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
