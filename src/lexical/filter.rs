//! Filters over metadata, and the form metadata is indexed in.
//!
//! Metadata is flattened to paths (`{"a": {"b": 1}}` and `{"a.b": 1}` both give `a.b`; a list gives each of its
//! elements; `null` gives nothing). A path is indexed by its digest, so that no name is too long or too odd. Every
//! value gives one exact term, path and value together, and every number an entry in a column for ranges. Numbers are
//! compared as 64-bit floats: `1` equals `1.0`, integers beyond 2⁵³ are rounded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tantivy::schema::{IndexRecordOption, OwnedValue};
use tantivy::{BitSet, SegmentReader, Term};

use super::schema::{Fields, NUMBERS};
use crate::error::{Error, Result};
use crate::ids::Digest;

/// Longer texts are indexed by their digest.
const LONGEST_PLAIN_TEXT: usize = 256;

/// A metadata value that a filter compares with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// True or false.
    Bool(bool),
    /// A number; integers and floats are compared alike, as 64-bit floats.
    Number(f64),
    /// A text, compared exactly: case, accents and spaces count.
    Text(String),
}

/// Which chunks may be found, by the metadata of their documents.
///
/// A field names a metadata key; `"author.name"` looks into nested objects. A field that holds a list matches when
/// one of its elements does. A field that a document lacks, or that holds a value of another type, matches nothing.
///
/// As JSON: `{"equals": {"field": "lang", "value": "en"}}`, `{"range": {"field": "year", "min": 1990, "max": null}}`,
/// `{"any_of": {"field": "tag", "values": ["a", "b"]}}`, `{"all": […]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Filter {
    /// The field is exactly this value.
    Equals {
        /// The metadata key, dotted for nested ones.
        field: String,
        /// The value.
        value: FieldValue,
    },
    /// The field is a number from `min` to `max`, both inclusive; an end that is `None` is open.
    Range {
        /// The metadata key, dotted for nested ones.
        field: String,
        /// The least value, or none.
        #[serde(default)]
        min: Option<f64>,
        /// The greatest value, or none.
        #[serde(default)]
        max: Option<f64>,
    },
    /// The field is one of these values; none of none.
    AnyOf {
        /// The metadata key, dotted for nested ones.
        field: String,
        /// The values.
        values: Vec<FieldValue>,
    },
    /// All of these hold; with none given, everything matches.
    All(Vec<Filter>),
}

impl Filter {
    /// The field is exactly `value`.
    pub fn equals(field: impl Into<String>, value: impl Into<FieldValue>) -> Filter {
        Filter::Equals { field: field.into(), value: value.into() }
    }

    /// The field is a number from `min` to `max`, both inclusive; `None` is an open end.
    pub fn range(field: impl Into<String>, min: Option<f64>, max: Option<f64>) -> Filter {
        Filter::Range { field: field.into(), min, max }
    }

    /// The field is one of `values`.
    pub fn any_of<V: Into<FieldValue>>(
        field: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Filter {
        Filter::AnyOf { field: field.into(), values: values.into_iter().map(Into::into).collect() }
    }

    /// Both this and `other` hold.
    pub fn and(self, other: Filter) -> Filter {
        match self {
            Filter::All(mut filters) => {
                filters.push(other);
                Filter::All(filters)
            }
            first => Filter::All(vec![first, other]),
        }
    }

    /// Refuses what can only be a mistake: an empty field name, or a number that is none.
    pub(crate) fn validate(&self) -> Result<()> {
        let named = |field: &String| match field.is_empty() {
            true => {
                Err(Error::invalid("the filter's field", "an empty name", "the name of a metadata field"))
            }
            false => Ok(()),
        };
        let real = |number: f64| match number.is_nan() {
            true => Err(Error::invalid("the filter's number", "NaN", "a number")),
            false => Ok(()),
        };
        let value = |value: &FieldValue| match value {
            FieldValue::Number(number) => real(*number),
            _ => Ok(()),
        };
        match self {
            Filter::Equals { field, value: wanted } => named(field).and_then(|()| value(wanted)),
            Filter::Range { field, min, max } => {
                named(field)?;
                min.iter().chain(max).try_for_each(|&end| real(end))
            }
            Filter::AnyOf { field, values } => named(field).and_then(|()| values.iter().try_for_each(value)),
            Filter::All(filters) => filters.iter().try_for_each(Filter::validate),
        }
    }

    /// The numbers within one segment of the chunks that match, deleted ones included.
    pub(super) fn docs(&self, fields: &Fields, segment: &SegmentReader) -> tantivy::Result<BitSet> {
        let mut docs = BitSet::with_max_value(segment.max_doc());
        match self {
            Filter::Equals { field, value } => add_equal(&mut docs, fields, segment, field, value)?,
            Filter::AnyOf { field, values } => {
                values.iter().try_for_each(|value| add_equal(&mut docs, fields, segment, field, value))?;
            }
            Filter::Range { field, min, max } => {
                let min = min.unwrap_or(f64::NEG_INFINITY);
                let max = max.unwrap_or(f64::INFINITY);
                let name = format!("{NUMBERS}.{}", path_key(field));
                if let Some(column) = segment.fast_fields().column_opt::<f64>(&name)? {
                    for doc in 0..segment.max_doc() {
                        if column.values_for_doc(doc).any(|number| (min..=max).contains(&number)) {
                            docs.insert(doc);
                        }
                    }
                }
            }
            Filter::All(filters) => {
                docs = BitSet::with_max_value_and_full(segment.max_doc());
                for filter in filters {
                    docs.intersect_update(&(&filter.docs(fields, segment)?).into());
                }
            }
        }
        Ok(docs)
    }
}

fn add_equal(
    docs: &mut BitSet,
    fields: &Fields,
    segment: &SegmentReader,
    field: &str,
    value: &FieldValue,
) -> tantivy::Result<()> {
    let term = Term::from_field_text(fields.facts, &term_of(&path_key(field), value));
    let index = segment.inverted_index(fields.facts)?;
    if let Some(mut postings) = index.read_block_postings(&term, IndexRecordOption::Basic)? {
        while postings.block_len() > 0 {
            for &doc in postings.docs() {
                docs.insert(doc);
            }
            postings.advance();
        }
    }
    Ok(())
}

/// The name a metadata path is indexed under: 128 bits of its SHA-256, in hexadecimal.
fn path_key(path: &str) -> String {
    let mut key = Digest::of(path.as_bytes()).to_string();
    key.truncate(32);
    key
}

/// The exact term of a value at a path: two are equal when, and only when, path and value are.
fn term_of(key: &str, value: &FieldValue) -> String {
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

/// Every value of `metadata` under its path.
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
