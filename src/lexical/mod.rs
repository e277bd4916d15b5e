//! The lexical index: chunk texts and metadata, BM25 over title and body, filters. The only room that names tantivy.
//!
//! This index is the source of truth: a chunk exists if it is here, and the dense index can be rebuilt from it. A
//! commit here commits the whole index folder. Its payload records what belongs to the commit.
//!
//! ```text
//! lexical/
//!   retune-lexical.json   envelope "lexical": the language; versions of the layout and the text analysis
//!   meta.json, *.idx, …   tantivy's files
//! ```
//!
//! Scores are BM25 (Robertson & Zaragoza 2009; k1 = 1.2, b = 0.75) with Lucene's idf, which is never negative, plus a
//! share for neighbours in the query that are neighbours in the chunk (`phrase`). The statistics (document frequencies,
//! mean lengths) include deleted chunks until tantivy merges them away, so a score may change slightly after a merge.
//! Otherwise scores and order depend only on the snapshot, the query and the chunk.

mod analysis;
mod backup;
mod bm25;
mod choice;
mod containing;
mod date;
mod directory;
mod docs;
mod documents;
#[cfg(feature = "opensearch")]
mod elsewhere;
mod facets;
mod facts;
mod failure;
mod fields;
mod filter;
mod idf;
mod index;
mod language;
mod languages;
mod marker;
mod matching;
mod numbering;
mod phrase;
mod prepared;
mod rarity;
mod renewal;
mod schema;
mod snapshot;
mod sought;
mod sums;
mod surface;
mod terms;
mod value;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use containing::{Forms, Part};
pub use date::Date;
#[cfg(feature = "opensearch")]
pub(crate) use elsewhere::{
    Analysis, BEFORE_STEM, Condition, FacetTerms, IndexedChunk, PairWeight, Positions, QueryWords,
    Similarity, Statistics, TermWeight, Weights, WordPrefix,
};
pub use facets::FacetCount;
pub(crate) use facts::{LANGUAGE, RESERVED, fields_of, stored_fields};
#[cfg(feature = "opensearch")]
pub(crate) use facts::{field_names_of, language_of};
pub(crate) use failure::REMEDY;
pub use filter::Filter;
pub(crate) use index::LexicalIndex;
pub use language::Language;
pub(crate) use matching::Matching;
pub(crate) use prepared::Prepared;
pub(crate) use schema::ChunkRecord;
pub(crate) use snapshot::LexicalSnapshot;
#[cfg(feature = "opensearch")]
pub(crate) use surface::{MOST_SCORED, most_frequent};
pub use value::FieldValue;
pub(crate) use writer::LexicalWriter;
