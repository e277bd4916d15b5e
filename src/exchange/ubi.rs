//! User Behavior Insights 1.3: the lines of `ubi_queries` and `ubi_events`.
//!
//! The schemas are `query.request.schema.json` and `event.schema.json` of <https://github.com/o19s/ubi>.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::actions::action_of;
use super::asked::{Asked, Event, shown};
use super::ids::{Id, query_id, session};
use super::times::Time;
use crate::feedback::{Impression, Judgement, ShownHit, Verdict};
use crate::ids::ChunkId;

/// The application of lines that are exported.
pub(super) const APPLICATION: &str = "retune";
/// Names in `query_attributes`.
const SESSION: &str = "session_id";
const WORDS: &str = "words";
pub(super) const OWN: &str = "retune";

/// A line of `ubi_queries`, to write.
#[derive(Serialize)]
struct QueryLine<'a> {
    application: &'a str,
    query_id: String,
    query_response_id: String,
    user_query: &'a str,
    query_attributes: QueryAttributes<'a>,
    query_response_hit_ids: Vec<&'a str>,
    timestamp: Time,
}

/// What the schema leaves to others.
#[derive(Serialize)]
struct QueryAttributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retune: Option<&'a Own>,
}

/// A line of `ubi_events`, to write.
#[derive(Serialize)]
struct EventLine<'a> {
    application: &'a str,
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

/// What the log has of an answer and the schema has no place for. The lists are as long as that of the documents.
#[derive(Serialize, Deserialize)]
pub(super) struct Own {
    chunks: Vec<Option<ChunkId>>,
    lexical: Vec<Option<f32>>,
    dense: Vec<Option<f32>>,
    /// Null where the score is not known.
    scores: Vec<Option<f32>>,
}

impl Own {
    #[cfg(feature = "opensearch")]
    pub(super) fn of(one: &Impression) -> Own {
        Own {
            chunks: one.hits.iter().map(|hit| hit.chunk).collect(),
            lexical: one.hits.iter().map(|hit| hit.lexical).collect(),
            dense: one.hits.iter().map(|hit| hit.dense).collect(),
            scores: one.hits.iter().map(|hit| Some(hit.score)).collect(),
        }
    }

    /// What it says of each document. As much as nothing if others have changed one of the lists.
    fn add_to(&self, hits: &mut [ShownHit]) {
        let lengths = [self.chunks.len(), self.lexical.len(), self.dense.len(), self.scores.len()];
        if lengths.iter().any(|length| *length != hits.len()) {
            return;
        }
        for (at, hit) in hits.iter_mut().enumerate() {
            (hit.chunk, hit.lexical, hit.dense) = (self.chunks[at], self.lexical[at], self.dense[at]);
            hit.score = self.scores[at].unwrap_or(f32::NAN);
        }
    }
}

/// The line of an answered query of this application, with `own` if it is for this program.
pub(super) fn query_line(
    one: &Impression,
    application: &str,
    own: Option<&Own>,
) -> serde_json::Result<String> {
    serde_json::to_string(&QueryLine {
        application,
        query_id: one.query_id.to_string(),
        query_response_id: one.query_id.to_string(),
        user_query: &one.query,
        query_attributes: QueryAttributes {
            session_id: one.session.as_deref(),
            words: one.words.as_deref(),
            retune: own,
        },
        query_response_hit_ids: one.hits.iter().map(|hit| hit.document.as_str()).collect(),
        timestamp: Time(one.time_ms),
    })
}

/// The line of a judgement of an answer.
pub(super) fn event_line(
    one: &Judgement,
    answer: &Impression,
    application: &str,
) -> serde_json::Result<String> {
    let place = answer.hits.iter().position(|hit| hit.document == one.document);
    serde_json::to_string(&EventLine {
        application,
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
        let hits = read.query_response_hit_ids.or(read.query_response_object_ids).unwrap_or_default();
        let mut hits: Vec<ShownHit> = hits.into_iter().map(|id| shown(id.0)).collect();
        let own = read.query_attributes.as_ref().and_then(|attributes| attributes.get(OWN));
        if let Some(own) = own.and_then(|own| Own::deserialize(own).ok()) {
            own.add_to(&mut hits);
        }
        Asked {
            query_id: query_id(&read.query_id.0),
            time_ms: read.timestamp.0,
            words: text(WORDS),
            session: read.session_id.or_else(|| text(SESSION)).as_deref().and_then(session),
            query: read.user_query,
            hits,
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
