//! The lexical index: chunk texts and metadata, BM25 over title and body, filters. The only room that names tantivy.
//!
//! What is stored here is the source of truth: the dense index can be built again from it, and a chunk exists when
//! this index has it. A commit here is the commit point of the whole index folder; its payload says what belongs to it.
//!
//! ```text
//! lexical/
//!   retune-lexical.json   envelope "lexical": language; the version of the layout and of the text analysis
//!   meta.json, *.idx, …   tantivy's
//! ```
//!
//! Scores are BM25 (Robertson & Zaragoza 2009; k1 = 1.2, b = 0.75) with Lucene's idf, which is never negative, plus a share for
//! neighbours in the query that are neighbours in the chunk (`phrase`). The
//! statistics (document frequencies, mean lengths) count deleted chunks until tantivy merges them away, so a score may
//! shift slightly after a merge; order and sums are otherwise a function of the snapshot, the query and the chunk alone.

mod analysis;
mod bm25;
mod directory;
mod documents;
mod failure;
mod filter;
mod index;
mod language;
mod matching;
mod phrase;
mod prepared;
mod rarity;
mod schema;
mod snapshot;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use failure::REMEDY;
pub use filter::{FieldValue, Filter};
pub(crate) use index::LexicalIndex;
pub use language::Language;
pub(crate) use matching::Matching;
pub(crate) use prepared::Prepared;
pub(crate) use schema::ChunkRecord;
pub(crate) use snapshot::LexicalSnapshot;
pub(crate) use writer::LexicalWriter;
