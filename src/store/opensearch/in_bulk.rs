//! Many changes with one request, of which each has its own answer.

use std::thread;

use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::unexpected;
use super::retry::{ATTEMPTS, Repeat, is_passing, pause};
use crate::error::Result;

/// A request ends here. Nodes take 100 MB by default; smaller ones spread better.
pub(super) const ENOUGH_BYTES: usize = 4 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Replace,
    Remove,
}

/// A change, of something that the caller knows it by.
#[derive(Debug)]
pub(super) struct Change<T> {
    pub(super) kind: Kind,
    pub(super) of: T,
    lines: String,
}

impl<T> Change<T> {
    /// Of the document at `place`: its id, and what else the request says of it. `document` is one line of JSON.
    pub(super) fn new(kind: Kind, place: &Json, document: Option<&str>, of: T) -> Change<T> {
        let action = match kind {
            Kind::Create => json!({ "create": place }),
            Kind::Replace => json!({ "index": place }),
            Kind::Remove => json!({ "delete": place }),
        };
        let document = document.map(|document| format!("{document}\n")).unwrap_or_default();
        Change { kind, of, lines: format!("{action}\n{document}") }
    }

    pub(super) fn bytes(&self) -> usize {
        self.lines.len()
    }
}

/// Sends changes with one request to `index`, or to the indices that they name. What the cluster refuses for a while is
/// sent again, alone. `settle` gets each change with the status and the answer that it ends with.
///
/// # Errors
/// [`Error::Cluster`](crate::Error::Cluster) if the cluster can't be asked: then any of the changes may have been made;
/// the first error of `settle`.
pub(super) fn in_bulk<T>(
    client: &Client,
    doing: &'static str,
    index: Option<&str>,
    mut changes: Vec<Change<T>>,
    mut settle: impl FnMut(&Change<T>, u16, &Json) -> Result<()>,
) -> Result<()> {
    // Less than the client waits: items whose node has gone are then sent again alone.
    let path = index.map_or_else(String::new, |index| format!("/{index}")) + "/_bulk?timeout=15s";
    for attempt in 1..=ATTEMPTS {
        if changes.is_empty() {
            break;
        }
        let lines: String = changes.iter().map(|change| change.lines.as_str()).collect();
        let body = Body::Lines(&lines);
        let call = Call { doing, method: Method::Post, path: &path, body, repeat: Repeat::Safe };
        let answer = client.ask(&call)?;
        let items = answer["items"].as_array().filter(|items| items.len() == changes.len());
        let items = items.ok_or_else(|| unexpected(doing, client.at(&path), "an item for each change"))?;
        let mut again = Vec::new();
        for (item, change) in items.iter().zip(changes.drain(..)) {
            let item = item.as_object().and_then(|item| item.values().next()).unwrap_or(&Json::Null);
            let status = item["status"].as_u64().unwrap_or(0) as u16;
            if is_passing(status, item) && attempt < ATTEMPTS {
                again.push(change);
            } else {
                settle(&change, status, item)?;
            }
        }
        changes = again;
        if !changes.is_empty() {
            thread::sleep(pause(attempt));
        }
    }
    Ok(())
}
