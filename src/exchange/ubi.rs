//! User Behavior Insights 1.3: the lines of `ubi_queries` and `ubi_events`.
//!
//! The schemas are `query.request.schema.json` and `event.schema.json` of <https://github.com/o19s/ubi>.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::actions::action_of;
use super::asked::{Asked, Event};
use super::ids::{Id, query_id, session};
use super::times::Time;
use crate::feedback::{Impression, Judgement, Verdict};

const APPLICATION: &str = "retune";
/// Names in `query_attributes`, where the schema leaves room for others.
const SESSION: &str = "session_id";
const WORDS: &str = "words";

/// A line of `ubi_queries`, to write.
#[derive(Serialize)]
struct QueryLine<'a> {
    application: &'static str,
    query_id: String,
    query_response_id: String,
    user_query: &'a str,
    query_attributes: Map<String, Value>,
    query_response_hit_ids: Vec<&'a str>,
    timestamp: Time,
}

/// A line of `ubi_events`, to write.
#[derive(Serialize)]
struct EventLine<'a> {
    application: &'static str,
    action_name: &'static str,
    message_type: &'static str,
    query_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    timestamp: Time,
    event_attributes: Attributes<'a>,
}

#[derive(Serialize)]
struct Attributes<'a> {
    object: Object<'a>,
    /// Only of a document that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
}

#[derive(Serialize)]
struct Object<'a> {
    object_id: &'a str,
}

#[derive(Serialize)]
struct Position {
    ordinal: usize,
}

/// The line of an answered query.
pub(super) fn query_line(one: &Impression) -> serde_json::Result<String> {
    let attribute =
        |name: &str, value: &Option<String>| Some((name.to_string(), Value::from(value.clone()?)));
    let attributes = [attribute(SESSION, &one.session), attribute(WORDS, &one.words)];
    serde_json::to_string(&QueryLine {
        application: APPLICATION,
        query_id: one.query_id.to_string(),
        query_response_id: one.query_id.to_string(),
        user_query: &one.query,
        query_attributes: attributes.into_iter().flatten().collect(),
        query_response_hit_ids: one.hits.iter().map(|hit| hit.document.as_str()).collect(),
        timestamp: Time(one.time_ms),
    })
}

/// The line of a judgement of an answer.
pub(super) fn event_line(one: &Judgement, answer: &Impression) -> serde_json::Result<String> {
    let place = answer.hits.iter().position(|hit| hit.document == one.document);
    serde_json::to_string(&EventLine {
        application: APPLICATION,
        action_name: action_of(one.verdict),
        message_type: match one.verdict {
            Verdict::Opened => "CLICK",
            Verdict::Chosen => "CONVERSION",
            Verdict::Relevant | Verdict::NotRelevant => "JUDGEMENT",
            Verdict::Withdrawn => "WITHDRAWAL",
        },
        query_id: one.query_id.to_string(),
        session_id: answer.session.as_deref(),
        timestamp: Time(one.time_ms),
        event_attributes: Attributes {
            object: Object { object_id: &one.document },
            position: place.map(|place| Position { ordinal: place + 1 }),
        },
    })
}

/// A line of `ubi_queries`, as far as it is read.
#[derive(Deserialize)]
pub(super) struct ReadQuery {
    query_id: Id,
    user_query: String,
    timestamp: Time,
    query_attributes: Option<Map<String, Value>>,
    query_response_hit_ids: Option<Vec<Id>>,
    /// What versions before 1.1 call them.
    query_response_object_ids: Option<Vec<Id>>,
    session_id: Option<String>,
}

/// A line of `ubi_events`, as far as it is read.
#[derive(Deserialize)]
pub(super) struct ReadEvent {
    action_name: String,
    query_id: Option<Id>,
    session_id: Option<String>,
    timestamp: Time,
    event_attributes: Option<ReadAttributes>,
}

#[derive(Deserialize)]
struct ReadAttributes {
    object: Option<ReadObject>,
    position: Option<ReadPosition>,
}

#[derive(Deserialize)]
struct ReadObject {
    object_id: Option<Id>,
}

#[derive(Deserialize)]
struct ReadPosition {
    ordinal: Option<f64>,
}

impl From<ReadQuery> for Asked {
    fn from(read: ReadQuery) -> Asked {
        let text = |name: &str| Some(read.query_attributes.as_ref()?.get(name)?.as_str()?.to_string());
        let hits = read.query_response_hit_ids.or(read.query_response_object_ids);
        Asked {
            query_id: query_id(&read.query_id.0),
            time_ms: read.timestamp.0,
            words: text(WORDS),
            session: read.session_id.or_else(|| text(SESSION)).as_deref().and_then(session),
            query: read.user_query,
            hits: hits.unwrap_or_default().into_iter().map(|id| id.0).collect(),
        }
    }
}

impl From<ReadEvent> for Event {
    fn from(read: ReadEvent) -> Event {
        let (object, position) =
            read.event_attributes.map_or((None, None), |attributes| (attributes.object, attributes.position));
        Event {
            query_id: read.query_id.map(|id| query_id(&id.0)),
            time_ms: read.timestamp.0,
            action: read.action_name,
            document: object.and_then(|object| object.object_id).map(|id| id.0),
            ordinal: position.and_then(|position| position.ordinal),
            session: read.session_id.as_deref().and_then(session),
        }
    }
}
