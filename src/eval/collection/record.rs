//! What collections hold, and how JSON lines say it.

use serde::Deserialize;
use serde_json::Value;

use super::super::lines::Lines;
use super::Records;
use crate::error::Result;
use crate::ids::LONGEST_DOCUMENT_ID;

/// A document of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
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
#[serde(try_from = "Fields")]
#[non_exhaustive]
pub struct Query {
    /// Its name in qrels and runs.
    pub id: String,
    /// What was asked.
    pub text: String,
}

/// A record with any of the names that collections have for its fields. Of several BEIR's counts, then the others in their order;
/// what does not count may be anything.
type Fields = serde_json::Map<String, Value>;

const DOCUMENT_IDS: [&str; 5] = ["_id", "id", "doc_id", "docid", "docno"];
const QUERY_IDS: [&str; 4] = ["_id", "id", "query_id", "qid"];
const TEXTS: [&str; 3] = ["text", "contents", "body"];
const QUERIES: [&str; 2] = ["text", "query"];

impl TryFrom<Fields> for Document {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Document, String> {
        let id = id(&fields, &DOCUMENT_IDS)?;
        let title = text(&fields, &["title"])?.unwrap_or_default();
        Ok(Document { id, title, text: text(&fields, &TEXTS)?.unwrap_or_default() })
    }
}

impl TryFrom<Fields> for Query {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Query, String> {
        let text = text(&fields, &QUERIES)?.ok_or_else(|| missing(&QUERIES))?;
        Ok(Query { id: id(&fields, &QUERY_IDS)?, text })
    }
}

/// The first of `names` that a record has, null not counted, with its value.
fn first<'a>(fields: &'a Fields, names: &[&'static str]) -> Option<(&'static str, &'a Value)> {
    let found = names.iter().filter_map(|&name| Some((name, fields.get(name)?)));
    found.into_iter().find(|(_, value)| !value.is_null())
}

fn missing(names: &[&str]) -> String {
    format!("missing field `{}` (or {})", names[0], names[1..].join(", "))
}

fn text(fields: &Fields, names: &[&'static str]) -> Result<Option<String>, String> {
    match first(fields, names) {
        None => Ok(None),
        Some((_, Value::String(text))) => Ok(Some(text.clone())),
        Some((name, _)) => Err(format!("{name} is no text")),
    }
}

/// An id. Some collections number their documents.
fn id(fields: &Fields, names: &[&'static str]) -> Result<String, String> {
    match first(fields, names).ok_or_else(|| missing(names))? {
        (_, Value::String(id)) if is_id(id) => Ok(id.clone()),
        (name, Value::String(id)) => {
            Err(format!("{name} is empty or too long, {} bytes of {LONGEST_DOCUMENT_ID}", id.len()))
        }
        (_, Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        (name, _) => Err(format!("{name} is neither text nor a whole number")),
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
