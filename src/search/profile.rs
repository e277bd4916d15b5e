//! What a query is, by the corpus that it is asked of.

use crate::error::Result;
use crate::fusion::{QueryClass, QueryProfile};
use crate::lexical::LexicalSnapshot;

/// The profile of a query: a look-up of each of its terms.
pub(crate) fn profile(lexical: &LexicalSnapshot, text: &str) -> Result<QueryProfile> {
    let class = QueryClass::of(&lexical.query_frequencies(text)?, lexical.chunk_count());
    Ok(QueryProfile { class, ceiling: lexical.ceiling(text)? })
}
