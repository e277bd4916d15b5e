//! The values of a document's fields.

mod convert;
mod json;

use std::cmp::Ordering;
use std::fmt;

use super::date::Date;
use crate::error::{Error, Result};

/// The value of a field: what a document can be filtered and counted by.
///
/// In JSON it is what it looks like; a date is a text like `"2024-01-31T09:30:00Z"`.
///
/// ```
/// use retune::FieldValue;
///
/// assert_eq!(FieldValue::from("en").as_str(), Some("en"));
/// assert_eq!(FieldValue::from(17).as_f64(), Some(17.0));
/// assert_eq!(FieldValue::from(vec!["billing", "urgent"]).values().len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FieldValue {
    /// True or false.
    Bool(bool),
    /// A whole number from `i64::MIN` to `u64::MAX`, exact. It equals the [`Number`](FieldValue::Number) of its size.
    Integer(i128),
    /// Any other finite number.
    Number(f64),
    /// A moment.
    Date(Date),
    /// A text. Filters compare it exactly: case, accents and spaces count.
    Text(String),
    /// Several values of one kind: all texts, all numbers, all dates or all true and false. A filter holds if it holds
    /// for one of them.
    List(Vec<FieldValue>),
}

/// What can be compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Number,
    Date,
    Text,
    List,
}

impl FieldValue {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            FieldValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one. Whole numbers beyond 2⁵³ are rounded.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            FieldValue::Integer(number) => Some(*number as f64),
            FieldValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The number, if it is a whole one in this range.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            FieldValue::Integer(number) => (*number).try_into().ok(),
            _ => None,
        }
    }

    /// Whether it is true, if it is a [`Bool`](FieldValue::Bool).
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            FieldValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The moment, if it is one.
    pub fn as_date(&self) -> Option<Date> {
        match self {
            FieldValue::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// The values of a list; of anything else the value itself.
    pub fn values(&self) -> &[FieldValue] {
        match self {
            FieldValue::List(values) => values,
            value => std::slice::from_ref(value),
        }
    }

    /// This value and another one as one list.
    pub(crate) fn followed_by(self, other: FieldValue) -> FieldValue {
        let all = |value| match value {
            FieldValue::List(values) => values,
            value => vec![value],
        };
        let mut values = all(self);
        values.extend(all(other));
        FieldValue::List(values)
    }

    /// Refuses what can't be stored or compared.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `what`, for numbers that are not finite or too large, for dates beyond the year 9999,
    /// and for lists of lists or of several kinds.
    pub(crate) fn validate(&self, what: &'static str) -> Result<()> {
        let refuse = |found: &dyn fmt::Display, expected| Err(Error::invalid(what, found, expected));
        match self {
            FieldValue::Number(number) if !number.is_finite() => refuse(number, "a finite number"),
            FieldValue::Integer(number) if !(i64::MIN.into()..=u64::MAX.into()).contains(number) => {
                refuse(number, "a whole number of 64 bits")
            }
            FieldValue::Date(date) if !date.is_writable() => refuse(date, "a date from year 0 to 9999"),
            FieldValue::List(values) => {
                let kind = values.first().map(FieldValue::kind);
                match values.iter().find(|value| Some(value.kind()) != kind || value.kind() == Kind::List) {
                    Some(_) => refuse(self, "a list of values of one kind, none of them a list"),
                    None => values.iter().try_for_each(|value| value.validate(what)),
                }
            }
            _ => Ok(()),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            FieldValue::Bool(_) => Kind::Bool,
            FieldValue::Integer(_) | FieldValue::Number(_) => Kind::Number,
            FieldValue::Date(_) => Kind::Date,
            FieldValue::Text(_) => Kind::Text,
            FieldValue::List(_) => Kind::List,
        }
    }

    /// The order of two values of one kind; `None` for others, for lists and for NaN.
    pub(super) fn compare(&self, other: &FieldValue) -> Option<Ordering> {
        use FieldValue::{Bool, Date, Integer, Number, Text};
        match (self, other) {
            (Bool(a), Bool(b)) => Some(a.cmp(b)),
            (Text(a), Text(b)) => Some(a.cmp(b)),
            (Date(a), Date(b)) => Some(a.cmp(b)),
            (Integer(a), Integer(b)) => Some(a.cmp(b)),
            (Number(a), Number(b)) => a.partial_cmp(b),
            (Integer(a), Number(b)) => compare_mixed(*a, *b),
            (Number(a), Integer(b)) => compare_mixed(*b, *a).map(Ordering::reverse),
            _ => None,
        }
    }
}

/// Exact: where rounding to a float makes both equal, the float is a whole number of few bits.
fn compare_mixed(whole: i128, float: f64) -> Option<Ordering> {
    let rounded = (whole as f64).partial_cmp(&float)?;
    Some(rounded.then_with(|| whole.cmp(&(float as i128))))
}

/// As a person reads it.
impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldValue::Bool(value) => value.fmt(f),
            FieldValue::Integer(number) => number.fmt(f),
            FieldValue::Number(number) => number.fmt(f),
            FieldValue::Date(date) => date.fmt(f),
            FieldValue::Text(text) => f.write_str(text),
            FieldValue::List(values) => values.iter().enumerate().try_for_each(|(at, value)| {
                f.write_str(if at == 0 { "" } else { ", " })?;
                value.fmt(f)
            }),
        }
    }
}
