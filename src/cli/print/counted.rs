//! Numbers with what they count.

/// How many queries and judgements there are.
pub(crate) fn records(queries: usize, judgements: usize) -> String {
    format!("{} and {}", counted(queries, "query", "queries"), counted(judgements, "judgement", "judgements"))
}

/// A number, and `one` or `many` of what it counts.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
