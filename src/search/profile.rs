//! What a query is, by the corpus that it is asked of.

use crate::error::Result;
use crate::fusion::{Fusion, QueryClass, QueryProfile};
use crate::lexical::{LexicalSnapshot, Prepared};

/// The whole profile of a query: a look-up of each of its terms.
pub(crate) fn profile(lexical: &LexicalSnapshot, words: &Prepared<'_>) -> Result<QueryProfile> {
    let class = QueryClass::of(&words.frequencies()?, lexical.chunk_count());
    Ok(QueryProfile { class, ceiling: words.ceiling() })
}

/// What this fusion asks for of a query's profile.
pub(super) fn profile_for(
    fusion: &Fusion,
    lexical: &LexicalSnapshot,
    words: &Prepared<'_>,
) -> Result<QueryProfile> {
    match fusion {
        Fusion::ByClass(_) => profile(lexical, words),
        Fusion::Convex { .. } => Ok(QueryProfile { ceiling: words.ceiling(), ..QueryProfile::default() }),
        Fusion::Rrf { .. } => Ok(QueryProfile::default()),
    }
}
