//! A line to import: what it is, and what it says.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::asked::{Asked, Event};
use super::sessions::ReadSession;
use super::ubi::{ReadEvent, ReadQuery};

/// What lines have said, in their order.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) asked: Vec<Asked>,
    pub(super) events: Vec<Event>,
}

/// Why a line can't be used.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) found: String,
    pub(super) expected: &'static str,
}

const JSON: &str = "a JSON object on each line, as `jq -c '.hits.hits[]'` makes of an answer of OpenSearch";
const KINDS: &str = "a query (with user_query), an event (with action_name) or a session (with interactions)";

impl Entries {
    /// Adds what a line says. It may be as OpenSearch returns it, with the object in `_source`, a whole answer of its
    /// `_search`, or a line that tells `_bulk` where the next one goes.
    pub(super) fn add(&mut self, line: &str) -> Result<(), Wrong> {
        let value =
            serde_json::from_str(line).map_err(|error| Wrong { found: error.to_string(), expected: JSON })?;
        self.add_value(value)
    }

    fn add_value(&mut self, mut value: Value) -> Result<(), Wrong> {
        if let Some(source) = value.get_mut("_source") {
            let source = source.take();
            return self.add_kind(source);
        }
        if let Some(Value::Array(hits)) = value.pointer_mut("/hits/hits") {
            return std::mem::take(hits).into_iter().try_for_each(|hit| self.add_value(hit));
        }
        match is_bulk_action(&value) {
            true => Ok(()),
            false => self.add_kind(value),
        }
    }

    /// Adds what an object says.
    pub(super) fn add_kind(&mut self, value: Value) -> Result<(), Wrong> {
        let has = |name: &str| value.get(name).is_some();
        if has("interactions") {
            let (asked, events) = read::<ReadSession>(value, "a session as docs/feedback.md has it")?.parts();
            self.asked.extend(asked);
            self.events.extend(events);
        } else if has("action_name") {
            self.events.push(read::<ReadEvent>(value, "an event of UBI 1.3")?.into());
        } else if has("user_query") {
            self.asked.push(read::<ReadQuery>(value, "a query of UBI 1.3 with its id and time")?.into());
        } else {
            return Err(Wrong { found: value.to_string(), expected: KINDS });
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(value: Value, expected: &'static str) -> Result<T, Wrong> {
    serde_json::from_value(value).map_err(|error| Wrong { found: error.to_string(), expected })
}

/// `{"index":{"_index":"ubi_queries"}}`: what `_bulk` wants before each object.
fn is_bulk_action(value: &Value) -> bool {
    let Some(fields) = value.as_object() else { return false };
    fields.len() == 1
        && ["index", "create"].iter().any(|name| fields.get(*name).is_some_and(Value::is_object))
}
