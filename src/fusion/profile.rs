//! What a query is, as far as fusion goes.

use super::QueryClass;

/// What fusion has to know of a query besides its candidates.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct QueryProfile {
    pub(crate) class: QueryClass,
    /// The BM25 score of an average chunk that has each word of the query, as if no other chunk had any. 0 without words.
    pub(crate) ceiling: f32,
}
