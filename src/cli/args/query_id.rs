//! Query ids, or their beginnings.

/// The query that was answered last.
pub(crate) const LAST: &str = "last";

/// The first digits of a query's id.
pub(crate) fn query_id(text: &str) -> Result<String, String> {
    match (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(text.into()),
        false => Err("expected 1 to 16 hexadecimal digits, as search prints them".into()),
    }
}

/// The same, or [`LAST`].
pub(crate) fn query_id_or_last(text: &str) -> Result<String, String> {
    if text == LAST {
        Ok(text.into())
    } else {
        query_id(text).map_err(|error| format!("{error}, or \"{LAST}\""))
    }
}
