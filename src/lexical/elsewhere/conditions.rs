//! Filters as conditions on terms.
//!
//! A chunk has one term for each value of its fields, as in our own index, and further ones in place of its columns and
//! of the look at stored fields: numbers in an order that texts have too, and how long texts begin.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};
use crate::lexical::date::Date;
use crate::lexical::facts::{
    DATE, LONGEST_PLAIN_TEXT, TEXT, facts_of, is_rounded, path_key, term_of, visit_values,
};
use crate::lexical::filter::{Asked, Filter, value_at};
use crate::lexical::value::{FieldValue, Kind};

/// The kind of a number in a term that is in order, and of the beginning of a long text.
const ORDERED: char = 'o';
const BEGINNING: char = 'p';

/// What has to hold of a chunk's terms. Terms are compared byte by byte.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// It has this term.
    Is(String),
    /// It has a term that begins so.
    Begins(String),
    /// It has a term within these ends.
    Between(Bound<String>, Bound<String>),
}

/// All terms of a chunk.
pub(super) fn facts_of_chunk(metadata: &Map<String, Json>) -> BTreeSet<String> {
    let mut facts = facts_of(metadata).terms;
    visit_values(metadata, &mut |path, value| {
        let key = path_key(path);
        if let Some(number) = value.as_f64() {
            facts.insert(ordered(&key, number));
        }
        if let FieldValue::Text(text) = &value
            && text.len() > LONGEST_PLAIN_TEXT
        {
            facts.insert(format!("{key}{BEGINNING}{}", beginning(text)));
        }
    });
    facts
}

impl Condition {
    /// What a filter asks. `fields` are all that some document has.
    ///
    /// # Errors
    /// [`Error::Invalid`] as [`matching`](crate::lexical::LexicalSnapshot::matching), and for what only stored values
    /// could decide.
    pub(crate) fn of(filter: &Filter, fields: &BTreeSet<String>) -> Result<Condition> {
        filter.validate()?;
        for field in filter.required() {
            if !fields.is_empty() && !fields.contains(field) {
                return Err(Filter::unknown(field, fields.iter().cloned()));
            }
        }
        Condition::asked(filter)
    }

    fn asked(filter: &Filter) -> Result<Condition> {
        let each = |filters: &[Filter]| filters.iter().map(Condition::asked).collect::<Result<Vec<_>>>();
        Ok(match filter {
            Filter::All(filters) => Condition::All(each(filters)?),
            Filter::Any(filters) => Condition::Any(each(filters)?),
            Filter::Not(filter) => Condition::Not(Box::new(Condition::asked(filter)?)),
            Filter::Lenient(filter) => Condition::asked(filter)?,
            question => {
                let Some((field, asked)) = question.asks() else { return Ok(Condition::Any(Vec::new())) };
                let key = path_key(field);
                let mut any = Vec::new();
                asked.into_iter().try_for_each(|one| add(one, &key, &mut any))?;
                Condition::Any(any)
            }
        })
    }
}

/// Adds the conditions of which one has to hold.
fn add(asked: Asked<'_>, key: &str, any: &mut Vec<Condition>) -> Result<()> {
    match asked {
        Asked::Anything => any.push(Condition::Begins(key.to_string())),
        Asked::Prefix(prefix) => {
            short_enough(prefix)?;
            let kinds = [TEXT, DATE, BEGINNING].map(|kind| Condition::Begins(format!("{key}{kind}{prefix}")));
            any.extend(kinds);
        }
        Asked::Equal(value) => {
            exact(value)?;
            any.push(Condition::Is(term_of(key, value)));
        }
        Asked::Within(from, to) => {
            let kind = value_at(from).or(value_at(to)).map(FieldValue::kind);
            match kind {
                None | Some(Kind::Number) => any.push(numbers(key, from, to)?),
                Some(Kind::Text) => {
                    for end in [from, to].into_iter().filter_map(value_at) {
                        short_enough(end.as_str().unwrap_or_default())?;
                    }
                    let text = |end: Bound<&FieldValue>| {
                        end.map(|value| value.as_str().unwrap_or_default().to_string())
                    };
                    any.extend([TEXT, BEGINNING].map(|kind| between(key, kind, text(from), text(to))));
                }
                Some(_) => {}
            }
        }
    }
    if let Some((first, last)) = asked.dates().filter(|(first, last)| first <= last) {
        let end = |date: Date| match date.is_writable() {
            true => Bound::Included(date.key()),
            false => Bound::Unbounded,
        };
        any.push(between(key, DATE, end(first), end(last)));
    }
    Ok(())
}

fn numbers(key: &str, from: Bound<&FieldValue>, to: Bound<&FieldValue>) -> Result<Condition> {
    let end = |bound: Bound<&FieldValue>| -> Result<Bound<String>> {
        if let Some(value) = value_at(bound) {
            exact(value)?;
        }
        Ok(match bound.map(|value| value.as_f64()) {
            Bound::Included(Some(number)) => Bound::Included(digits(number)),
            Bound::Excluded(Some(number)) => Bound::Excluded(digits(number)),
            _ => Bound::Unbounded,
        })
    };
    Ok(between(key, ORDERED, end(from)?, end(to)?))
}

/// The terms of one kind whose values lie within these ends.
fn between(key: &str, kind: char, from: Bound<String>, to: Bound<String>) -> Condition {
    let term = |value: String| format!("{key}{kind}{value}");
    let from = match from {
        Bound::Unbounded => Bound::Included(term(String::new())),
        bound => bound.map(term),
    };
    let to = match to {
        // Kinds are ASCII letters: behind all terms of this one, before those of the next.
        Bound::Unbounded => Bound::Excluded(format!("{key}{}", (kind as u8 + 1) as char)),
        bound => bound.map(term),
    };
    Condition::Between(from, to)
}

fn ordered(key: &str, number: f64) -> String {
    format!("{key}{ORDERED}{}", digits(number))
}

/// Digits in the order of the numbers.
fn digits(number: f64) -> String {
    let bits = (number + 0.0).to_bits();
    // Of negative numbers all bits are inverted, of others the sign: then their bits are in order.
    let bits = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    format!("{bits:016x}")
}

/// How a long text begins.
fn beginning(text: &str) -> &str {
    let mut end = LONGEST_PLAIN_TEXT.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn exact(value: &FieldValue) -> Result<()> {
    match value.as_f64() {
        Some(number) if is_rounded(number) && number.is_finite() => Err(Error::invalid(
            "the filter's value",
            value,
            "a number below 2^53: larger ones are not told apart in an index on a cluster",
        )),
        _ => Ok(()),
    }
}

fn short_enough(text: &str) -> Result<()> {
    match text.len() <= LONGEST_PLAIN_TEXT - 4 {
        true => Ok(()),
        false => Err(Error::invalid(
            "the filter's value",
            format!("a text of {} bytes", text.len()),
            "252 bytes at most: of longer texts an index on a cluster knows how they begin",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_in_the_order_of_the_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!((a + 0.0).partial_cmp(&(b + 0.0)).unwrap(), digits(a).cmp(&digits(b)));
        }
    }

    #[test]
    fn a_field_that_no_document_has_is_an_error() {
        let fields = BTreeSet::from(["lang".to_string()]);
        let error = Condition::of(&Filter::equals("langu", "en"), &fields).unwrap_err().to_string();
        assert!(error.contains("langu") && error.contains("lang"), "{error}");
        assert!(Condition::of(&Filter::equals("langu", "en").lenient(), &fields).is_ok());
        assert!(Condition::of(&Filter::equals("lang", 1_u64 << 60), &fields).is_err());
    }
}
