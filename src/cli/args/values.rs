//! Parsers of single values, for clap's `value_parser`.

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use retune::Filter;

/// A whole number from 1.
pub(crate) fn one_or_more() -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::<usize>::new().range(1..)
}

/// A number above 0; clap itself has ranges of whole numbers only.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("expected a number above 0".into()),
    }
}

/// Any number.
pub(crate) fn number(text: &str) -> Result<f32, String> {
    text.parse::<f32>()
        .ok()
        .filter(|number| number.is_finite())
        .ok_or_else(|| "expected a number".to_string())
}

/// A weight from 0 to 1.
pub(crate) fn dense_weight(text: &str) -> Result<f32, String> {
    let weight = text.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight));
    weight.ok_or_else(|| "expected a number from 0 to 1".to_string())
}

/// A filter, as a person types it or as JSON.
pub(crate) fn filter(text: &str) -> Result<Filter, String> {
    text.parse::<Filter>().map_err(|error| error.to_string())
}

/// A size in bytes, perhaps with K, M or G for powers of 1024.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim_end_matches(['B', 'b']).trim_end_matches(['i', 'I']);
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[end..].to_ascii_lowercase().as_str() {
        "" => Some(1u64),
        "k" => Some(1 << 10),
        "m" => Some(1 << 20),
        "g" => Some(1 << 30),
        _ => None,
    };
    let bytes = text[..end].parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    bytes.filter(|&bytes| bytes > 0).ok_or_else(|| "expected a size such as 500K, 20M or 1G".into())
}

/// A time: seconds, or a number with s, m or h.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        _ => None,
    };
    let seconds = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    let seconds = seconds.filter(|&seconds| seconds > 0);
    seconds.map(std::time::Duration::from_secs).ok_or_else(|| "expected a time such as 90s, 30m or 2h".into())
}

/// The value that has this name.
pub(super) fn named<T: Copy>(text: &str, all: &[(&str, T)]) -> Result<T, String> {
    let names = || all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = all.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| format!("expected one of {}", names()))
}

/// A value, or none. A type of its own: clap takes an `Option` for an option that may be missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OrNone<T>(pub(super) Option<T>);

/// `none`, or what `some` parses.
pub(super) fn or_none<T>(
    text: &str,
    some: impl FnOnce(&str) -> Result<T, String>,
) -> Result<OrNone<T>, String> {
    match text {
        "none" => Ok(OrNone(None)),
        _ => some(text).map(|value| OrNone(Some(value))).map_err(|error| format!("{error}, or none")),
    }
}
