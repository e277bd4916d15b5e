//! What a query is, by the corpus that it is asked of.

use crate::error::Result;
use crate::fusion::{Fusion, QueryClass, QueryProfile};
use crate::lexical::LexicalSnapshot;

/// The whole profile of a query: a look-up of each of its terms.
pub(crate) fn profile(lexical: &LexicalSnapshot, text: &str) -> Result<QueryProfile> {
    let class = QueryClass::of(&lexical.query_frequencies(text)?, lexical.chunk_count());
    Ok(QueryProfile { class, ceiling: lexical.ceiling(text)? })
}

/// What this fusion asks for of a query's profile.
pub(super) fn profile_for(fusion: &Fusion, lexical: &LexicalSnapshot, text: &str) -> Result<QueryProfile> {
    match fusion {
        Fusion::ByClass(_) => profile(lexical, text),
        Fusion::Convex { .. } => {
            Ok(QueryProfile { ceiling: lexical.ceiling(text)?, ..QueryProfile::default() })
        }
        Fusion::Rrf { .. } => Ok(QueryProfile::default()),
    }
}
