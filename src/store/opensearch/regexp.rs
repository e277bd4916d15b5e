//! Regular expressions as Lucene has them. They stand for a whole term, and all signs may have a meaning.

/// The longest one that a cluster takes, in characters. It would read a longer one at the risk of its stack.
pub(super) const LONGEST: usize = 1000;

/// Anything. OpenSearch 2.19 fails to filter values by `.*` behind what comes after all that a segment has.
pub(super) const ANYTHING: &str = ".{0,}";

/// What stands for one character as it is.
pub(super) fn literal(c: char) -> String {
    if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() }
}

/// What stands for a text as it is.
pub(super) fn text(text: &str) -> String {
    text.chars().map(literal).collect()
}

/// What stands for one of several.
pub(super) fn any_of(some: impl IntoIterator<Item = String>) -> String {
    format!("({})", some.into_iter().collect::<Vec<_>>().join("|"))
}
