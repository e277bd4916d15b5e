//! What a filter is.

use std::ops::{Bound, RangeBounds};

use super::asked::{Asked, value_at};
use crate::error::{Error, Result};
use crate::lexical::value::{FieldValue, Kind};

/// Selects documents by their fields.
///
/// A missing field, or a value of another kind, does not match: so it does match the filter's negation. A field with a
/// list matches if one of its values does. `"author.name"` reaches into nested objects.
///
/// A text that is written as a date (`2024-01`, `2024-01-31`, `2024-01-31T09:30:00Z`) is compared with texts as a text,
/// and with dates as the month, the day or the moment that it names.
///
/// A field that no document has is an error wherever a filter is used, unless the filter is
/// [lenient](Filter::lenient) or the index is empty.
///
/// ```
/// use retune::Filter;
///
/// # fn main() -> retune::Result<()> {
/// let recent = Filter::equals("product", "printer").and(Filter::range("opened", "2024-01-01"..));
/// assert_eq!("product=printer opened>=2024-01-01".parse::<Filter>()?, recent);
/// let filter = !(recent.or(Filter::any_of("tags", ["urgent", "legal"])));
/// # Ok(())
/// # }
/// ```
///
/// # As text
/// Comparisons that all have to hold, as a person types them: `extension=rst date>=2024-01-01`.
///
/// | written | holds if the field |
/// |---|---|
/// | `field=value`, `field!=value` | is exactly this value, or is not |
/// | `path=docs/*` | is a text that begins with `docs/` |
/// | `year>=1990`, `<=`, `>`, `<` | is in that order to the value |
/// | `field=*`, `field!=*` | exists, or does not |
///
/// `or`, `not` and parentheses combine them; `and` may be left out. A value is quoted, `title="Two words"`, where it
/// has spaces, quotes, parentheses or a `*` of its own; `\` stands before a quote within. Not quoted, `1990` means the
/// number or the text, and `true` the truth or the text; quoted, it means the text.
///
/// # As JSON
/// `{"equals": {"field": "lang", "value": "en"}}`, `{"any_of": {"field": "tag", "values": ["a", "b"]}}`,
/// `{"range": {"field": "year", "min": 1990, "max": 1999}}` (`above` and `below` leave the ends out),
/// `{"prefix": {"field": "path", "prefix": "docs/"}}`, `{"exists": {"field": "author"}}`, `{"all": […]}`,
/// `{"any": […]}`, `{"not": …}`, `{"lenient": …}`. Parsing a text takes this form too.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// The field is exactly this value.
    Equals {
        /// The field's name, dotted for nested ones.
        field: String,
        /// The value, no list.
        value: FieldValue,
    },
    /// The field is one of these values. An empty list matches nothing.
    AnyOf {
        /// The field's name, dotted for nested ones.
        field: String,
        /// The values, none of them a list.
        values: Vec<FieldValue>,
    },
    /// The field is a number, a date or a text within these ends, which have to be of one kind. Without any end: the
    /// field is a number.
    Range {
        /// The field's name, dotted for nested ones.
        field: String,
        /// The lower end.
        from: Bound<FieldValue>,
        /// The upper end.
        to: Bound<FieldValue>,
    },
    /// The field is a text that begins so, or a date that is written so.
    Prefix {
        /// The field's name, dotted for nested ones.
        field: String,
        /// The beginning.
        prefix: String,
    },
    /// The field has a value.
    Exists {
        /// The field's name, dotted for nested ones.
        field: String,
    },
    /// All of these hold. An empty list matches everything.
    All(Vec<Filter>),
    /// One of these holds. An empty list matches nothing.
    Any(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// This holds, where fields that no document has are fields like others.
    Lenient(Box<Filter>),
}

impl Filter {
    /// Matches every document.
    pub fn everything() -> Filter {
        Filter::All(Vec::new())
    }

    /// The field is exactly `value`.
    pub fn equals(field: impl Into<String>, value: impl Into<FieldValue>) -> Filter {
        Filter::Equals { field: field.into(), value: value.into() }
    }

    /// The field is one of `values`.
    pub fn any_of<V: Into<FieldValue>>(
        field: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Filter {
        Filter::AnyOf { field: field.into(), values: values.into_iter().map(Into::into).collect() }
    }

    /// The field is within a range of numbers, dates or texts: `1990..=1999`, `"2024-01-01"..`.
    pub fn range<V: Into<FieldValue> + Clone>(
        field: impl Into<String>,
        range: impl RangeBounds<V>,
    ) -> Filter {
        let end = |bound: Bound<&V>| bound.map(|value| value.clone().into());
        Filter::Range { field: field.into(), from: end(range.start_bound()), to: end(range.end_bound()) }
    }

    /// The field is a text that begins with `prefix`.
    pub fn prefix(field: impl Into<String>, prefix: impl Into<String>) -> Filter {
        Filter::Prefix { field: field.into(), prefix: prefix.into() }
    }

    /// The field has a value.
    pub fn exists(field: impl Into<String>) -> Filter {
        Filter::Exists { field: field.into() }
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

    /// This or `other` holds, or both.
    pub fn or(self, other: Filter) -> Filter {
        match self {
            Filter::Any(mut filters) => {
                filters.push(other);
                Filter::Any(filters)
            }
            first => Filter::Any(vec![first, other]),
        }
    }

    /// This filter, where a field that no document has is no error: nothing matches it. For fields that the first
    /// document is yet to bring.
    pub fn lenient(self) -> Filter {
        Filter::Lenient(Box::new(self))
    }

    /// Rejects certain mistakes: an empty name, values that can't be compared.
    pub(crate) fn validate(&self) -> Result<()> {
        match self {
            Filter::All(filters) | Filter::Any(filters) => filters.iter().try_for_each(Filter::validate),
            Filter::Not(filter) | Filter::Lenient(filter) => filter.validate(),
            Filter::Equals { field, value } => named(field).and_then(|()| comparable(value)),
            Filter::AnyOf { field, values } => {
                named(field).and_then(|()| values.iter().try_for_each(comparable))
            }
            Filter::Prefix { field, .. } | Filter::Exists { field } => named(field),
            Filter::Range { field, from, to } => {
                named(field)?;
                let ends = [from, to].map(|end| value_at(end.as_ref()));
                ends.into_iter().flatten().try_for_each(comparable)?;
                match ends.map(|end| end.map(FieldValue::kind)) {
                    [Some(Kind::Bool), _] | [_, Some(Kind::Bool)] => {
                        Err(Error::invalid("the filter's range", "true or false", "numbers, dates or texts"))
                    }
                    [Some(from), Some(to)] if from != to => Err(Error::invalid(
                        "the filter's range",
                        format!("ends of two kinds for {field:?}"),
                        "two numbers, two dates or two texts",
                    )),
                    _ => Ok(()),
                }
            }
        }
    }

    /// The fields that some document must have.
    pub(in crate::lexical) fn required(&self) -> Vec<&str> {
        match self {
            Filter::Lenient(_) => Vec::new(),
            Filter::All(filters) | Filter::Any(filters) => {
                filters.iter().flat_map(Filter::required).collect()
            }
            Filter::Not(filter) => filter.required(),
            Filter::Equals { field, .. }
            | Filter::AnyOf { field, .. }
            | Filter::Range { field, .. }
            | Filter::Prefix { field, .. }
            | Filter::Exists { field } => vec![field],
        }
    }

    /// The field that is looked at, and what one of its values has to be. `None` for combinations.
    pub(in crate::lexical) fn asks(&self) -> Option<(&str, Vec<Asked<'_>>)> {
        let (field, asked) = match self {
            Filter::Equals { field, value } => (field, vec![Asked::Equal(value)]),
            Filter::AnyOf { field, values } => (field, values.iter().map(Asked::Equal).collect()),
            Filter::Range { field, from, to } => (field, vec![Asked::Within(from.as_ref(), to.as_ref())]),
            Filter::Prefix { field, prefix } => (field, vec![Asked::Prefix(prefix)]),
            Filter::Exists { field } => (field, vec![Asked::Anything]),
            Filter::All(_) | Filter::Any(_) | Filter::Not(_) | Filter::Lenient(_) => return None,
        };
        Some((field, asked))
    }
}

/// `!filter` holds where `filter` does not.
impl std::ops::Not for Filter {
    type Output = Filter;

    fn not(self) -> Filter {
        match self {
            Filter::Not(filter) => *filter,
            filter => Filter::Not(Box::new(filter)),
        }
    }
}

fn named(field: &str) -> Result<()> {
    match field.is_empty() {
        true => Err(Error::invalid("the filter's field", "an empty name", "the name of a field")),
        false => Ok(()),
    }
}

fn comparable(value: &FieldValue) -> Result<()> {
    const WHAT: &str = "the filter's value";
    match value {
        FieldValue::List(_) => {
            let expected = "one value: any_of takes several";
            Err(Error::invalid(WHAT, format!("the list {value}"), expected))
        }
        // The ends of a range may lie beyond all numbers.
        FieldValue::Number(number) if number.is_infinite() => Ok(()),
        value => value.validate(WHAT),
    }
}
