//! What collections hold, and how JSON lines say it.

use serde::{Deserialize, Deserializer, de::Error as _};

use super::super::lines::Lines;
use super::Records;
use crate::error::Result;
use crate::ids::LONGEST_DOCUMENT_ID;

/// A document of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "DocumentFields")]
#[non_exhaustive]
pub struct Document {
    /// Its name in qrels and runs.
    pub id: String,
    /// Empty where the collection has none.
    pub title: String,
    /// The body.
    pub text: String,
}

/// A query of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "QueryFields")]
#[non_exhaustive]
pub struct Query {
    /// Its name in qrels and runs.
    pub id: String,
    /// What was asked.
    pub text: String,
}

/// The names that collections have for a document's fields. Where a record has several of them, BEIR's counts, then the
/// others in this order.
#[derive(Deserialize)]
struct DocumentFields {
    _id: Option<Name>,
    id: Option<Name>,
    doc_id: Option<Name>,
    docid: Option<Name>,
    docno: Option<Name>,
    title: Option<String>,
    text: Option<String>,
    contents: Option<String>,
    body: Option<String>,
}

/// Those for a query's fields, likewise.
#[derive(Deserialize)]
struct QueryFields {
    _id: Option<Name>,
    id: Option<Name>,
    query_id: Option<Name>,
    qid: Option<Name>,
    text: Option<String>,
    query: Option<String>,
}

impl TryFrom<DocumentFields> for Document {
    type Error = &'static str;

    fn try_from(fields: DocumentFields) -> Result<Document, &'static str> {
        let DocumentFields { _id, id, doc_id, docid, docno, title, text, contents, body } = fields;
        let id = _id.or(id).or(doc_id).or(docid).or(docno).ok_or("missing field `_id`")?;
        let text = text.or(contents).or(body).unwrap_or_default();
        Ok(Document { id: id.0, title: title.unwrap_or_default(), text })
    }
}

impl TryFrom<QueryFields> for Query {
    type Error = &'static str;

    fn try_from(fields: QueryFields) -> Result<Query, &'static str> {
        let QueryFields { _id, id, query_id, qid, text, query } = fields;
        let id = _id.or(id).or(query_id).or(qid).ok_or("missing field `_id`")?;
        Ok(Query { id: id.0, text: text.or(query).ok_or("missing field `text`")? })
    }
}

/// One JSON object a line.
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

/// Whether an engine takes a document of this id.
pub(super) fn is_id(id: &str) -> bool {
    !id.trim().is_empty() && id.len() <= LONGEST_DOCUMENT_ID
}

/// An id. Some collections number their documents.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "_id is neither text nor a whole number")]
        enum Id {
            Text(String),
            Number(i64),
        }
        match Id::deserialize(deserializer)? {
            Id::Text(text) if !is_id(&text) => {
                let bytes = text.len();
                let expected = format!("_id is empty or too long, {bytes} bytes of {LONGEST_DOCUMENT_ID}");
                Err(D::Error::custom(expected))
            }
            Id::Text(text) => Ok(Name(text)),
            Id::Number(number) => Ok(Name(number.to_string())),
        }
    }
}
