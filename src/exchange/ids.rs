//! Ids of other engines.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::ids::{Digest, LONGEST_DOCUMENT_ID, QueryId};

/// The longest session id, in characters.
const LONGEST_SESSION: usize = 64;

/// An id: text, or a whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id(pub(super) String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        let id = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            other => {
                return Err(D::Error::custom(format!("the id {other}: an id is text or a whole number")));
            }
        };
        match id.len() {
            0 => Err(D::Error::custom("an empty id")),
            length if length > LONGEST_DOCUMENT_ID => {
                let most = LONGEST_DOCUMENT_ID;
                Err(D::Error::custom(format!("an id of {length} bytes: {most} are the most")))
            }
            _ => Ok(Id(id)),
        }
    }
}

/// One of this program's own ids stays as it is. Another one always gives the same.
pub(super) fn query_id(id: &str) -> QueryId {
    id.parse().unwrap_or_else(|_| {
        let [a, b, c, d, e, f, g, h, ..] = Digest::of(id.as_bytes()).0;
        QueryId(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    })
}

/// A session's id as the log can have it: the digest of one that is too long.
pub(super) fn session(id: &str) -> Option<String> {
    let fits = id.chars().count() <= LONGEST_SESSION && !id.chars().any(char::is_control);
    match id.is_empty() {
        true => None,
        false if fits => Some(id.to_string()),
        false => Some(Digest::of(id.as_bytes()).to_string()),
    }
}
