//! Fuses two scores into one ranking: the convex combination of normalised scores, and reciprocal rank fusion.
//!
//! Everything here is a pure function of the candidates. The caller scores every candidate on *both* sides (a chunk
//! that only the dense index proposed gets its BM25 score, and vice versa), so no candidate loses half its score merely
//! because one list was cut off before it. Only a chunk without a vector has no cosine.
//!
//! # Normalisation
//! The convex combination divides by the maximum score that a side *could* reach for this query, not by the best score
//! that it did reach:
//! - lexical: `s / (n · idf₁)`, where `n` is the number of words in the query, known to the corpus or not, and `idf₁`
//!   is BM25's idf of a word that only one chunk has. So 1 is the score of a chunk that has each word once, if no other
//!   chunk has any.
//! - dense: the cosine. Unrelated texts score about 0: negative cosines are folded, in order, into the lowest 2 %.
//!
//! Scaling by the best candidate, as min-max scaling and its theoretical variants do (Bruch, Gai and Ingber, "An
//! Analysis of Fusion Functions for Hybrid Retrieval", 2022), gives a side's best guess the same value whether it
//! matched one common word or five rare ones, and makes a cosine of 0.3 worth as much as one of 0.9. Here, a side that
//! finds little contributes little. So the balance adapts to each query, and one weight works for collections whose
//! best weights were 0.4 and 0.9 (docs/benchmarks.md). And the score of a chunk with a vector does not depend on other
//! candidates (for the others see `uncovered`).

mod fit;
mod method;
mod score;
#[cfg(test)]
mod tests;
mod uncovered;

pub(crate) use fit::{Judged, learn_dense_weight};
pub use method::Fusion;
pub(crate) use score::{Candidate, fuse};
