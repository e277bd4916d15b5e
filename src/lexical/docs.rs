//! Sets of the chunks of one segment, by their numbers in it.

use tantivy::{BitSet, DocId};

/// The members, ascending.
pub(super) fn members(docs: &BitSet) -> impl Iterator<Item = DocId> + '_ {
    (0..docs.max_value().div_ceil(64)).flat_map(move |bucket| {
        let mut here = docs.tinyset(bucket);
        std::iter::from_fn(move || here.pop_lowest().map(|low| bucket * 64 + low))
    })
}

/// Adds all members of `others` to `docs`.
pub(super) fn add(docs: &mut BitSet, others: &BitSet) {
    for doc in members(others) {
        docs.insert(doc);
    }
}
