//! Two scores become one ranking: the convex combination of normalised scores, and reciprocal rank fusion.
//!
//! Everything here is a pure function of the candidates. The caller scores every candidate on *both* sides (a chunk
//! that only the dense index proposed gets its BM25 score, and the other way round), so no candidate loses half its
//! score merely because one list was cut before it. Only a chunk that has no vector yet has no cosine.
//!
//! # Normalisation
//! The convex combination divides by what a side *could* score for this query, never by what it did score:
//! - lexical: `s / (n · idf₁)`, where `n` is the number of words of the query, known to the corpus or not, and `idf₁`
//!   what BM25 gives a word that one chunk alone has. So 1 is a chunk that has each word once, no other chunk having
//!   any.
//! - dense: the cosine. Unrelated texts score about 0: the negative cosines are folded, in order, into the lowest 2 %.
//!
//! Scaling by the best candidate, as min-max scaling does and its theoretical variants (Bruch, Gai and Ingber, "An
//! Analysis of Fusion Functions for Hybrid Retrieval", 2022), makes a side's best guess worth the same whether it
//! matched one common word or five rare ones, and a cosine of 0.3 worth as much as one of 0.9. Here a side that has
//! found little says little, which decides by itself, query by query, how far to trust either: one weight then does for
//! collections whose best weights were 0.4 and 0.9 (docs/benchmarks.md). And a chunk's score depends on no other
//! candidate, as long as it has a vector (`uncovered`).

mod fit;
mod method;
mod score;
#[cfg(test)]
mod tests;
mod uncovered;

pub(crate) use fit::{Judged, learn_dense_weight};
pub use method::Fusion;
pub(crate) use score::{Candidate, fuse};
