//! What kind a query is of, by the corpus that it is asked of.

use crate::error::Result;
use crate::fusion::QueryClass;
use crate::lexical::LexicalSnapshot;

/// The class of a query: a look-up of each of its terms.
pub(crate) fn classify(lexical: &LexicalSnapshot, text: &str) -> Result<QueryClass> {
    Ok(QueryClass::of(&lexical.query_frequencies(text)?, lexical.chunk_count()))
}
