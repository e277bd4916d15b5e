//! Filters as JSON.

use std::ops::Bound;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::tree::Filter;
use crate::lexical::value::FieldValue;

/// A filter as it is written.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Equals {
        field: String,
        value: FieldValue,
    },
    AnyOf {
        field: String,
        values: Vec<FieldValue>,
    },
    Range {
        field: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<FieldValue>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<FieldValue>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<FieldValue>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<FieldValue>,
    },
    Prefix {
        field: String,
        prefix: String,
    },
    Exists {
        field: String,
    },
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Lenient(Box<Filter>),
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written::of(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Filter, D::Error> {
        Written::deserialize(deserializer)?.read().map_err(D::Error::custom)
    }
}

impl Written {
    fn of(filter: Filter) -> Written {
        match filter {
            Filter::Equals { field, value } => Written::Equals { field, value },
            Filter::AnyOf { field, values } => Written::AnyOf { field, values },
            Filter::Range { field, from, to } => {
                let ends = |bound| match bound {
                    Bound::Included(value) => (Some(value), None),
                    Bound::Excluded(value) => (None, Some(value)),
                    Bound::Unbounded => (None, None),
                };
                let ((min, above), (max, below)) = (ends(from), ends(to));
                Written::Range { field, min, above, max, below }
            }
            Filter::Prefix { field, prefix } => Written::Prefix { field, prefix },
            Filter::Exists { field } => Written::Exists { field },
            Filter::All(filters) => Written::All(filters),
            Filter::Any(filters) => Written::Any(filters),
            Filter::Not(filter) => Written::Not(filter),
            Filter::Lenient(filter) => Written::Lenient(filter),
        }
    }

    fn read(self) -> Result<Filter, &'static str> {
        let bound = |included, excluded| match (included, excluded) {
            (Some(value), None) => Ok(Bound::Included(value)),
            (None, Some(value)) => Ok(Bound::Excluded(value)),
            (None, None) => Ok(Bound::Unbounded),
            (Some(_), Some(_)) => Err("a range has `min` or `above`, and `max` or `below`, not both"),
        };
        Ok(match self {
            Written::Equals { field, value } => Filter::Equals { field, value },
            Written::AnyOf { field, values } => Filter::AnyOf { field, values },
            Written::Range { field, min, above, max, below } => {
                Filter::Range { field, from: bound(min, above)?, to: bound(max, below)? }
            }
            Written::Prefix { field, prefix } => Filter::Prefix { field, prefix },
            Written::Exists { field } => Filter::Exists { field },
            Written::All(filters) => Filter::All(filters),
            Written::Any(filters) => Filter::Any(filters),
            Written::Not(filter) => Filter::Not(filter),
            Written::Lenient(filter) => Filter::Lenient(filter),
        })
    }
}
