//! Options that can be turned off by `none`.

/// What was asked for, or nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OrNone<T>(pub(super) Option<T>);

/// For `value_parser`: `none`, or what `some` makes of the text.
pub(super) fn or_none<T>(
    text: &str,
    some: impl FnOnce(&str) -> Result<T, String>,
) -> Result<OrNone<T>, String> {
    match text {
        "none" => Ok(OrNone(None)),
        _ => some(text).map(|value| OrNone(Some(value))).map_err(|error| format!("{error}, or none")),
    }
}
