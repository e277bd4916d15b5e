//! Metadata: how the fields of a document are stored, and the form they are indexed in.
//!
//! They are stored as one JSON object. Names that begin with `retune.` are ours and not indexed: `retune.dates` lists
//! the fields whose texts are dates.
//!
//! They are indexed by path: `{"a": {"b": 1}}` and `{"a.b": 1}` both give `a.b`. A list gives each of its elements,
//! `null` gives nothing. A path is indexed by its digest, so any name is allowed. Every value becomes one exact term of
//! path, kind and value. Every number also goes into a column for ranges. Numbers are indexed as 64-bit floats; where
//! that rounds, and where a text is indexed by its digest, the stored value decides.
//!
//! One more term stands for the chunk's own text, so that the same text is found wherever it stands, and one for its
//! language, if that is not the index's own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use tantivy::schema::OwnedValue;

use super::date::Date;
use super::language::Language;
use super::value::FieldValue;
use crate::ids::Digest;

/// Names of fields that are not the application's.
pub(crate) const RESERVED: &str = "retune.";
const DATES: &str = "retune.dates";
/// The metadata that names the language of a document, if it is not the index's own.
pub(crate) const LANGUAGE: &str = "retune.language";

/// What the term of a language begins with. No other does.
pub(super) const LANGUAGE_FACT: &str = "~";

/// Longer texts are indexed by their digest.
pub(super) const LONGEST_PLAIN_TEXT: usize = 256;
/// From here on a float stands for several whole numbers.
const ROUNDED: f64 = 9_007_199_254_740_992.0;
/// Length of a path's name in a term.
pub(super) const KEY: usize = 32;

/// The kind of a value in a term, behind the path.
pub(super) const BOOL: char = 'b';
pub(super) const NUMBER: char = 'n';
pub(super) const DATE: char = 'm';
pub(super) const TEXT: char = 't';
pub(super) const LONG_TEXT: char = 'd';

/// The name a metadata path is indexed under: 128 bits of its SHA-256, in hexadecimal.
pub(super) fn path_key(path: &str) -> String {
    let mut key = Digest::of(path.as_bytes()).to_string();
    key.truncate(KEY);
    key
}

/// The exact term of a value at a path; of a list, of its first value. Two terms are equal only if path and value are,
/// but for numbers that are [rounded](is_rounded).
pub(super) fn term_of(key: &str, value: &FieldValue) -> String {
    let number = |number: f64| format!("{key}{NUMBER}{:016x}", (number + 0.0).to_bits());
    match value {
        FieldValue::Bool(value) => format!("{key}{BOOL}{value}"),
        FieldValue::Integer(whole) => number(*whole as f64),
        FieldValue::Number(float) => number(*float),
        FieldValue::Date(date) => format!("{key}{DATE}{}", date.key()),
        FieldValue::Text(text) if text.len() <= LONGEST_PLAIN_TEXT => format!("{key}{TEXT}{text}"),
        FieldValue::Text(text) => format!("{key}{LONG_TEXT}{}", Digest::of(text.as_bytes())),
        FieldValue::List(values) => values.first().map_or_else(String::new, |first| term_of(key, first)),
    }
}

/// The value of a term behind its path. `None` where only the stored value says it.
pub(super) fn value_of(term: &[u8]) -> Option<FieldValue> {
    let term = std::str::from_utf8(term.get(KEY..)?).ok()?;
    let kind = term.chars().next()?;
    let value = &term[kind.len_utf8()..];
    match kind {
        BOOL => Some((value == "true").into()),
        DATE => value.parse().ok().map(FieldValue::Date),
        TEXT => Some(value.into()),
        NUMBER => {
            let number = f64::from_bits(u64::from_str_radix(value, 16).ok()?);
            match number {
                _ if is_rounded(number) => None,
                whole if whole.fract() == 0.0 => Some(FieldValue::Integer(whole as i128)),
                _ => Some(number.into()),
            }
        }
        _ => None,
    }
}

/// The term of a chunk in a language that is not the index's own.
pub(super) fn language_term(language: Language) -> String {
    format!("{LANGUAGE_FACT}{language}")
}

/// The language that the metadata of a chunk names.
pub(crate) fn language_of(metadata: &Map<String, Json>) -> Option<Language> {
    metadata.get(LANGUAGE)?.as_str()?.parse().ok()
}

/// The term of a chunk's text, by 128 bits of its digest. No path's key begins like it.
pub(super) fn text_term(digest: &Digest) -> String {
    let mut term = format!("={digest}");
    term.truncate(1 + KEY);
    term
}

/// Whether several numbers have this one's term.
pub(super) fn is_rounded(number: f64) -> bool {
    number.abs() >= ROUNDED
}

/// Calls `visit` with every value of a field and its path: the elements of lists, the members of objects.
pub(super) fn visit_values(metadata: &Map<String, Json>, visit: &mut dyn FnMut(&str, FieldValue)) {
    let dates = dates_of(metadata);
    let fields = metadata.iter().filter(|(name, _)| !name.starts_with(RESERVED));
    let mut open: Vec<(String, bool, &Json)> =
        fields.map(|(name, value)| (name.clone(), dates.contains(name.as_str()), value)).collect();
    while let Some((path, date, value)) = open.pop() {
        match value {
            Json::Array(elements) => {
                open.extend(elements.iter().map(|element| (path.clone(), date, element)));
            }
            Json::Object(object) => {
                open.extend(object.iter().map(|(name, value)| (format!("{path}.{name}"), false, value)));
            }
            scalar => {
                if let Some(value) = scalar_of(scalar, date) {
                    visit(&path, value);
                }
            }
        }
    }
}

/// The names of all fields, dotted for nested ones.
pub(crate) fn field_names_of(metadata: &Map<String, Json>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    visit_values(metadata, &mut |path, _| {
        names.insert(path.to_string());
    });
    names
}

/// The fields as they are stored.
pub(crate) fn stored_fields(fields: &BTreeMap<String, FieldValue>) -> Map<String, Json> {
    let mut metadata: Map<String, Json> = fields
        .iter()
        .map(|(name, value)| (name.clone(), serde_json::to_value(value).unwrap_or_default()))
        .collect();
    let is_date = |value: &FieldValue| matches!(value.values(), [FieldValue::Date(_), ..]);
    let dates = fields.iter().filter(|(_, value)| is_date(value)).map(|(name, _)| name.as_str());
    let dates: Vec<Json> = dates.map(Json::from).collect();
    if !dates.is_empty() {
        metadata.insert(DATES.into(), dates.into());
    }
    metadata
}

/// The application's fields of stored metadata.
pub(crate) fn fields_of(metadata: &Map<String, Json>) -> BTreeMap<String, FieldValue> {
    let dates = dates_of(metadata);
    let mut fields = BTreeMap::new();
    for (name, value) in metadata.iter().filter(|(name, _)| !name.starts_with(RESERVED)) {
        let date = dates.contains(name.as_str());
        let value = match value {
            Json::Array(elements) => {
                FieldValue::List(elements.iter().filter_map(|element| scalar_of(element, date)).collect())
            }
            scalar => match scalar_of(scalar, date) {
                Some(value) => value,
                None => continue,
            },
        };
        fields.insert(name.clone(), value);
    }
    fields
}

fn dates_of(metadata: &Map<String, Json>) -> BTreeSet<&str> {
    let names = metadata.get(DATES).and_then(Json::as_array);
    names.into_iter().flatten().filter_map(Json::as_str).collect()
}

fn scalar_of(value: &Json, date: bool) -> Option<FieldValue> {
    match value {
        Json::Bool(value) => Some((*value).into()),
        Json::String(text) => match text.parse::<Date>() {
            Ok(moment) if date => Some(moment.into()),
            _ => Some(text.as_str().into()),
        },
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Some(whole.into()),
            (_, Some(whole)) => Some(whole.into()),
            _ => number.as_f64().map(FieldValue::Number),
        },
        _ => None,
    }
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
    visit_values(metadata, &mut |path, value| {
        let key = path_key(path);
        facts.terms.insert(term_of(&key, &value));
        if let Some(number) = value.as_f64() {
            numbers.entry(key).or_default().push(OwnedValue::F64(number + 0.0));
        }
    });
    facts.numbers = numbers.into_iter().map(|(key, numbers)| (key, OwnedValue::Array(numbers))).collect();
    facts
}
