//! Single records of `ubi_queries` and `ubi_events`, as a cluster keeps them: beside what the schema has, all that the
//! log has of an answer.

use serde::Deserialize;
use serde_json::Value;

use super::actions::{ImportOptions, KNOWN};
use super::asked::Event;
use super::entry::Entries;
use super::gather::{Imported, Known, impression, put_together};
use super::ids::{Id, query_id};
use super::ubi::{OWN, Own, ReadEvent, ReadQuery, event_line, query_line};
use crate::feedback::{Headings, Impression, Judgement};
use crate::ids::QueryId;

/// The record of an answered query of an application.
pub(crate) fn query_record(one: &Impression, application: &str) -> serde_json::Result<String> {
    query_line(one, application, Some(&Own::of(one)))
}

/// The record of a judgement of an answer.
pub(crate) fn event_record(
    one: &Judgement,
    answer: &Impression,
    application: &str,
) -> serde_json::Result<String> {
    event_line(one, answer, application)
}

/// The answered query of a record, without its generation. `None` if it can't be read.
pub(crate) fn read_answer(record: &Value) -> Option<Impression> {
    ReadQuery::deserialize(record).ok().map(|read| impression(read.into(), None))
}

/// The judgement that an event is. `None` if it says nothing of a document, or can't be read.
pub(crate) fn read_judgement(record: &Value) -> Option<Judgement> {
    let event = Event::from(ReadEvent::deserialize(record).ok()?);
    let verdict = ImportOptions::default().verdict(&event.action)?;
    Some(Judgement { query_id: event.query_id?, time_ms: event.time_ms, document: event.document?, verdict })
}

/// The actions that say something of a document.
pub(crate) fn judging_actions() -> Vec<&'static str> {
    KNOWN.iter().map(|(name, _)| *name).collect()
}

/// The query that a record is of, as the log names it.
pub(crate) fn query_id_of(record: &Value) -> Option<QueryId> {
    Id::deserialize(record.get("query_id")?).ok().map(|id| query_id(&id.0))
}

/// The document that an event is of.
pub(crate) fn document_of(event: &Value) -> Option<String> {
    Id::deserialize(event.pointer("/event_attributes/object/object_id")?).ok().map(|id| id.0)
}

/// Removes a document from those that an answer has shown. Returns whether it was there.
pub(crate) fn without_document(query: &mut Value, document: &str) -> bool {
    let is = |id: &Value| Id::deserialize(id).is_ok_and(|id| id.0 == document);
    let mut found = false;
    for name in ["query_response_hit_ids", "query_response_object_ids"] {
        let Some(ids) = query.get_mut(name).and_then(Value::as_array_mut) else { continue };
        let length = ids.len();
        let kept: Vec<bool> = ids.iter().map(|id| !is(id)).collect();
        retain(ids, &kept);
        if ids.len() == length {
            continue;
        }
        found = true;
        let own = query.get_mut("query_attributes").and_then(|attributes| attributes.get_mut(OWN));
        let lists = own.and_then(Value::as_object_mut).into_iter().flatten();
        for list in lists.filter_map(|(_, list)| list.as_array_mut()).filter(|list| list.len() == length) {
            retain(list, &kept);
        }
    }
    found
}

/// Keeps what has `true` at its place.
fn retain(list: &mut Vec<Value>, kept: &[bool]) {
    let mut places = kept.iter();
    list.retain(|_| places.next().copied().unwrap_or(true));
}

/// An import of records, a part at a time: first queries, then events.
pub(crate) struct Importer<'o> {
    options: &'o ImportOptions,
    known: Known,
}

impl<'o> Importer<'o> {
    /// Into this log.
    pub(crate) fn new(log: Headings, options: &'o ImportOptions) -> Importer<'o> {
        Importer { options, known: Known::of(log) }
    }

    /// What of these records is new to the log and to the parts before.
    pub(crate) fn add(&mut self, records: impl IntoIterator<Item = Value>) -> Imported {
        let mut entries = Entries::default();
        let unreadable = records.into_iter().filter_map(|record| entries.add_kind(record).err()).count();
        let mut imported = put_together(entries, self.options, &mut self.known);
        imported.report.unreadable = unreadable;
        imported
    }
}
