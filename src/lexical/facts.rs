//! The indexed form of metadata.
//!
//! Metadata is flattened to paths: `{"a": {"b": 1}}` and `{"a.b": 1}` both give `a.b`. A list gives each of its
//! elements, `null` gives nothing. A path is indexed by its digest, so any name is allowed. Every value becomes one
//! exact term of path and value. Every number also goes into a column for ranges. Numbers are compared as 64-bit
//! floats: `1` equals `1.0`, and integers beyond 2⁵³ are rounded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tantivy::schema::OwnedValue;

use crate::ids::Digest;

/// Longer texts are indexed by their digest.
const LONGEST_PLAIN_TEXT: usize = 256;

/// A metadata value that a filter compares with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// True or false.
    Bool(bool),
    /// A number. Integers and floats are compared as 64-bit floats.
    Number(f64),
    /// A text, compared exactly: case, accents and spaces count.
    Text(String),
}

/// The name a metadata path is indexed under: 128 bits of its SHA-256, in hexadecimal.
pub(super) fn path_key(path: &str) -> String {
    let mut key = Digest::of(path.as_bytes()).to_string();
    key.truncate(32);
    key
}

/// The exact term of a value at a path. Two terms are equal only if path and value are.
pub(super) fn term_of(key: &str, value: &FieldValue) -> String {
    match value {
        FieldValue::Bool(value) => format!("{key}b{value}"),
        FieldValue::Number(value) => format!("{key}n{:016x}", positive_zero(*value).to_bits()),
        FieldValue::Text(text) if text.len() <= LONGEST_PLAIN_TEXT => format!("{key}t{text}"),
        FieldValue::Text(text) => format!("{key}d{}", Digest::of(text.as_bytes())),
    }
}

fn positive_zero(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number }
}

/// Metadata in the form it is indexed in.
#[derive(Default)]
pub(super) struct Facts {
    pub terms: BTreeSet<String>,
    pub numbers: BTreeMap<String, OwnedValue>,
}

/// Flattens metadata.
pub(super) fn facts_of(metadata: &Map<String, Json>) -> Facts {
    let mut facts = Facts::default();
    let mut numbers: BTreeMap<String, Vec<OwnedValue>> = BTreeMap::new();
    let mut open: Vec<(String, &Json)> = metadata.iter().map(|(key, value)| (key.clone(), value)).collect();
    while let Some((path, value)) = open.pop() {
        let value = match value {
            Json::Null => continue,
            Json::Array(elements) => {
                open.extend(elements.iter().map(|element| (path.clone(), element)));
                continue;
            }
            Json::Object(object) => {
                open.extend(object.iter().map(|(key, value)| (format!("{path}.{key}"), value)));
                continue;
            }
            Json::Bool(value) => FieldValue::Bool(*value),
            Json::String(text) => FieldValue::Text(text.clone()),
            Json::Number(number) => match number.as_f64() {
                Some(number) => FieldValue::Number(positive_zero(number)),
                None => continue,
            },
        };
        let key = path_key(&path);
        facts.terms.insert(term_of(&key, &value));
        if let FieldValue::Number(number) = value {
            numbers.entry(key).or_default().push(OwnedValue::F64(number));
        }
    }
    facts.numbers = numbers.into_iter().map(|(key, numbers)| (key, OwnedValue::Array(numbers))).collect();
    facts
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        FieldValue::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        FieldValue::Text(text)
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        FieldValue::Bool(value)
    }
}

macro_rules! from_number {
    ($($number:ty)*) => {$(
        impl From<$number> for FieldValue {
            fn from(number: $number) -> Self {
                FieldValue::Number(number as f64)
            }
        }
    )*};
}

from_number!(f32 f64 i32 i64 u32 u64 usize);
