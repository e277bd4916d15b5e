//! Filters over metadata.

use serde::{Deserialize, Serialize};
use tantivy::schema::IndexRecordOption;
use tantivy::{BitSet, SegmentReader, Term};

use super::facts::{FieldValue, path_key, term_of};
use super::schema::{Fields, NUMBERS};
use crate::error::{Error, Result};

/// Selects chunks by the metadata of their documents.
///
/// A field is a metadata key; `"author.name"` reaches into nested objects. A field with a list matches if one of its
/// elements does. A missing field, or a value of another type, does not match.
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
    /// The field is a number from `min` to `max`, both inclusive. `None` means no limit.
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
    /// The field is one of these values. An empty list matches nothing.
    AnyOf {
        /// The metadata key, dotted for nested ones.
        field: String,
        /// The values.
        values: Vec<FieldValue>,
    },
    /// All of these hold. An empty list matches everything.
    All(Vec<Filter>),
}

impl Filter {
    /// The field is exactly `value`.
    pub fn equals(field: impl Into<String>, value: impl Into<FieldValue>) -> Filter {
        Filter::Equals { field: field.into(), value: value.into() }
    }

    /// The field is a number from `min` to `max`, both inclusive. `None` means no limit.
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

    /// Rejects certain mistakes: an empty field name, or NaN.
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

    /// The matching chunks of one segment by their numbers in it, deleted ones included.
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
