//! Documents and queries, and their JSON form.

use serde::Deserialize;
use serde_json::Value;

use super::super::lines::Lines;
use crate::error::Result;
use crate::ids::LONGEST_DOCUMENT_ID;

/// The records of a file, one at a time.
pub(super) type Records<T> = Box<dyn Iterator<Item = Result<T>> + Send>;

/// A document of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "DocumentFields")]
#[non_exhaustive]
pub struct Document {
    /// The id in qrels and runs.
    pub id: String,
    /// The title; empty if the collection has none.
    pub title: String,
    /// The body.
    pub text: String,
}

impl Document {
    /// Bytes of its title and text.
    pub fn bytes(&self) -> u64 {
        (self.title.len() + self.text.len()) as u64
    }
}

/// A query of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "QueryFields")]
#[non_exhaustive]
pub struct Query {
    /// The id in qrels and runs.
    pub id: String,
    /// The query's text.
    pub text: String,
    /// Documents that do not count for it, as if they were not there: BRIGHT's `excluded_ids`. Mostly none.
    pub excluded: Vec<String>,
}

impl Query {
    pub(super) fn new(id: String, text: String) -> Query {
        Query { id, text, excluded: Vec::new() }
    }
}

/// The names that collections use for a document's fields. If a record has several, BEIR's name wins, then the others
/// in this order. The rest are ignored and may have any value.
#[derive(Deserialize)]
struct DocumentFields {
    _id: Option<Value>,
    id: Option<Value>,
    doc_id: Option<Value>,
    docid: Option<Value>,
    docno: Option<Value>,
    title: Option<Value>,
    text: Option<Value>,
    contents: Option<Value>,
    content: Option<Value>,
    body: Option<Value>,
}

/// The names that collections use for a query's fields, with the same rule.
#[derive(Deserialize)]
struct QueryFields {
    _id: Option<Value>,
    id: Option<Value>,
    query_id: Option<Value>,
    qid: Option<Value>,
    text: Option<Value>,
    query: Option<Value>,
    excluded_ids: Option<Value>,
}

/// One of the names of a field, with its value in the record.
type Named = (&'static str, Option<Value>);

impl TryFrom<DocumentFields> for Document {
    type Error = String;

    fn try_from(fields: DocumentFields) -> Result<Document, String> {
        let DocumentFields {
            _id,
            id: plain,
            doc_id,
            docid,
            docno,
            title,
            text: words,
            contents,
            content,
            body,
        } = fields;
        let id = id([("_id", _id), ("id", plain), ("doc_id", doc_id), ("docid", docid), ("docno", docno)])?;
        let title = text([("title", title)])?.unwrap_or_default();
        let body = text([("text", words), ("contents", contents), ("content", content), ("body", body)])?
            .unwrap_or_default();
        Ok(Document { id, title, text: body })
    }
}

impl TryFrom<QueryFields> for Query {
    type Error = String;

    fn try_from(fields: QueryFields) -> Result<Query, String> {
        let QueryFields { _id, id: plain, query_id, qid, text: words, query, excluded_ids } = fields;
        let id = id([("_id", _id), ("id", plain), ("query_id", query_id), ("qid", qid)])?;
        let text = text([("text", words), ("query", query)])?;
        let text = text.ok_or("missing field `text` (or query)")?;
        Ok(Query { excluded: excluded(excluded_ids)?, ..Query::new(id, text) })
    }
}

/// The ids of excluded documents. BRIGHT writes `["N/A"]` where there are none.
fn excluded(ids: Option<Value>) -> Result<Vec<String>, String> {
    let wrong = || "excluded_ids is not a list of ids".to_string();
    let Some(ids) = ids else { return Ok(Vec::new()) };
    let ids = ids.as_array().ok_or_else(wrong)?.iter().map(|id| match id {
        Value::String(id) => Ok(id.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        _ => Err(wrong()),
    });
    Ok(ids.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|id| id != "N/A").collect())
}

/// The first name that has a value. Null counts as none.
fn first(names: impl IntoIterator<Item = Named>) -> Option<(&'static str, Value)> {
    names.into_iter().find_map(|(name, value)| Some((name, value?)))
}

fn text(names: impl IntoIterator<Item = Named>) -> Result<Option<String>, String> {
    match first(names) {
        None => Ok(None),
        Some((_, Value::String(text))) => Ok(Some(text)),
        Some((name, _)) => Err(format!("{name} is not a string")),
    }
}

/// The id, which is a string or an integer.
fn id<const N: usize>(names: [Named; N]) -> Result<String, String> {
    let others: Vec<&str> = names.iter().skip(1).map(|(name, _)| *name).collect();
    match first(names) {
        None => Err(format!("missing field `_id` (or {})", others.join(", "))),
        Some((_, Value::String(id))) if is_id(&id) => Ok(id),
        Some((name, Value::String(_))) => {
            Err(format!("{name} is blank or longer than {LONGEST_DOCUMENT_ID} bytes"))
        }
        Some((_, Value::Number(number))) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        Some((name, _)) => Err(format!("{name} is neither a string nor an integer")),
    }
}

/// Reads one JSON object per line.
pub(super) fn json_lines<T>(mut lines: Lines, expected: &'static str) -> Records<T>
where
    T: serde::de::DeserializeOwned + 'static,
{
    Box::new(std::iter::from_fn(move || {
        let read = lines.next()?;
        let parse = |(number, line): (usize, String)| {
            serde_json::from_str(&line).map_err(|e| lines.wrong(number, e, expected))
        };
        Some(read.and_then(parse)) as Option<Result<T>>
    }))
}

/// Whether an engine accepts a document with this id.
pub(super) fn is_id(id: &str) -> bool {
    !id.trim().is_empty() && id.len() <= LONGEST_DOCUMENT_ID
}
