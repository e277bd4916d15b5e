//! What collections hold, and how JSON lines say it.

use serde::{Deserialize, Deserializer, de::Error as _};

use super::super::lines::Lines;
use super::Records;
use crate::error::Result;
use crate::ids::LONGEST_DOCUMENT_ID;

/// A document of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Document {
    /// Its name in qrels and runs.
    #[serde(
        rename = "_id",
        alias = "id",
        alias = "doc_id",
        alias = "docid",
        alias = "docno",
        deserialize_with = "text_or_number"
    )]
    pub id: String,
    /// Empty where the collection has none.
    #[serde(default, deserialize_with = "text_or_null")]
    pub title: String,
    /// The body.
    #[serde(default, alias = "contents", alias = "body", deserialize_with = "text_or_null")]
    pub text: String,
}

/// A query of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Query {
    /// Its name in qrels and runs.
    #[serde(
        rename = "_id",
        alias = "id",
        alias = "query_id",
        alias = "qid",
        deserialize_with = "text_or_number"
    )]
    pub id: String,
    /// What was asked.
    #[serde(alias = "query")]
    pub text: String,
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

/// Some collections number their documents.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "_id is neither text nor a whole number")]
    enum Id {
        Text(String),
        Number(i64),
    }
    match Id::deserialize(deserializer)? {
        Id::Text(text) if !is_id(&text) => {
            let bytes = text.len();
            Err(D::Error::custom(format!("_id is empty or too long, {bytes} bytes of {LONGEST_DOCUMENT_ID}")))
        }
        Id::Text(text) => Ok(text),
        Id::Number(number) => Ok(number.to_string()),
    }
}

fn text_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}
