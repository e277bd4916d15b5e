//! What a filter asks of one value.

use std::ops::Bound;

use crate::lexical::date::Date;
use crate::lexical::value::FieldValue;

/// What one value of a field has to be.
#[derive(Debug, Clone, Copy)]
pub(in crate::lexical) enum Asked<'a> {
    Equal(&'a FieldValue),
    Within(Bound<&'a FieldValue>, Bound<&'a FieldValue>),
    Prefix(&'a str),
    Anything,
}

impl Asked<'_> {
    /// Whether a value, no list, is what is asked for.
    pub(super) fn holds(self, found: &FieldValue) -> bool {
        match (self, found) {
            (Asked::Anything, _) => true,
            (Asked::Prefix(prefix), FieldValue::Text(text)) => text.starts_with(prefix),
            (Asked::Prefix(prefix), FieldValue::Date(date)) => date.key().starts_with(prefix),
            (Asked::Prefix(_), _) => false,
            (asked, FieldValue::Date(date)) => {
                asked.dates().is_some_and(|(first, last)| (first..=last).contains(date))
            }
            (Asked::Equal(value), found) => value.compare(found).is_some_and(|order| order.is_eq()),
            (Asked::Within(Bound::Unbounded, Bound::Unbounded), found) => found.as_f64().is_some(),
            (Asked::Within(from, to), found) => {
                let from = match from {
                    Bound::Included(from) => from.compare(found).is_some_and(|order| order.is_le()),
                    Bound::Excluded(from) => from.compare(found).is_some_and(|order| order.is_lt()),
                    Bound::Unbounded => true,
                };
                let to = match to {
                    Bound::Included(to) => to.compare(found).is_some_and(|order| order.is_ge()),
                    Bound::Excluded(to) => to.compare(found).is_some_and(|order| order.is_gt()),
                    Bound::Unbounded => true,
                };
                from && to
            }
        }
    }

    /// The first and the last of the dates that are asked for, if dates are.
    pub(in crate::lexical) fn dates(self) -> Option<(Date, Date)> {
        let (beginning, end) = (Date::from_unix_ms(i64::MIN), Date::from_unix_ms(i64::MAX));
        let next_to = |date: Date, ms| Date::from_unix_ms(date.unix_ms().saturating_add(ms));
        match self {
            Asked::Equal(value) => span_of(value),
            Asked::Within(Bound::Unbounded, Bound::Unbounded) => None,
            Asked::Within(from, to) => {
                let first = match from {
                    Bound::Included(value) => span_of(value)?.0,
                    Bound::Excluded(value) => next_to(span_of(value)?.1, 1),
                    Bound::Unbounded => beginning,
                };
                let last = match to {
                    Bound::Included(value) => span_of(value)?.1,
                    Bound::Excluded(value) => next_to(span_of(value)?.0, -1),
                    Bound::Unbounded => end,
                };
                Some((first, last))
            }
            Asked::Prefix(_) | Asked::Anything => None,
        }
    }
}

/// The first and the last moment that a value stands for.
fn span_of(value: &FieldValue) -> Option<(Date, Date)> {
    match value {
        FieldValue::Date(date) => Some((*date, *date)),
        FieldValue::Text(text) => Date::span(text),
        _ => None,
    }
}

/// The value that a range ends at.
pub(in crate::lexical) fn value_at(bound: Bound<&FieldValue>) -> Option<&FieldValue> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
        Bound::Unbounded => None,
    }
}
