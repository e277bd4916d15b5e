//! The weight of a word.

use tantivy::query::Bm25Weight;

/// The BM25 score of a term that `chunks` of `total` chunks contain, once in a chunk of average length.
pub(super) fn idf(chunks: u64, total: u64) -> f32 {
    // The index stores a length of one word exactly: up to forty words the code is the length.
    let (length, once) = (1, 1);
    Bm25Weight::for_one_term_without_explain(chunks, total, length as f32).score(length, once)
}
