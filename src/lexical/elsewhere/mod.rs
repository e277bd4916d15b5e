//! The same index in another engine: the terms that it holds, what a query looks for with which weights, and what a
//! filter asks.
//!
//! The other engine scores by Lucene's BM25, so what it is given here makes its scores those of [`bm25`](super::bm25)
//! and [`phrase`](super::phrase).

mod analysis;
mod conditions;
mod facets;
mod similarity;
mod weights;
mod words;

pub(crate) use analysis::{Analysis, IndexedChunk, QueryWords};
pub(crate) use conditions::Condition;
pub(crate) use facets::FacetTerms;
pub(crate) use similarity::Similarity;
pub(crate) use weights::{PairWeight, Statistics, TermWeight, Weights};
pub(crate) use words::{BEFORE_STEM, Positions, WordPrefix};
