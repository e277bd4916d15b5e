//! Which terms of a query are searched for, and in which order they are added up.

/// A query with more distinct terms in each language keeps those with the highest weight.
pub(super) const MOST_QUERY_TERMS: usize = 256;

/// What the choice looks at, of a term that the index knows.
pub(super) struct Facts<'a> {
    pub(super) text: &'a str,
    /// Whether it is looked for in title and body together, not in the title.
    pub(super) in_whole: bool,
    pub(super) boost: f32,
    /// The chunks that contain it.
    pub(super) chunks: u64,
    /// The chunks that contain its word in any language.
    pub(super) of_all: u64,
}

/// Keeps the terms of a very long query with the highest weight, [`MOST_QUERY_TERMS`] for each of so many languages.
/// Puts the rarest first. `total` is the number of chunks.
pub(super) fn choose<'a, T>(
    known: &mut Vec<T>,
    languages: usize,
    total: u64,
    facts: impl Fn(&T) -> Facts<'a>,
) {
    let most = MOST_QUERY_TERMS * languages.max(1);
    if known.len() > most {
        // This ranks terms as BM25's idf does: both fall with the number of chunks.
        let gain = |one: &Facts<'_>| one.boost * (1.0 + total as f32 / one.of_all as f32).ln();
        known.sort_by(|a, b| {
            let (a, b) = (facts(a), facts(b));
            gain(&b).total_cmp(&gain(&a)).then_with(|| (a.in_whole, a.text).cmp(&(b.in_whole, b.text)))
        });
        known.truncate(most);
    }
    known.sort_by(|a, b| {
        let (a, b) = (facts(a), facts(b));
        (a.chunks, a.in_whole, a.text).cmp(&(b.chunks, b.in_whole, b.text))
    });
}
