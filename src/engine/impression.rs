//! What the log keeps of an answer.

use std::borrow::Cow;

use crate::feedback::{Impression, ShownHit, Standing};
use crate::ids::{GenerationId, QueryId};
use crate::search::{Query, Ranked};

/// Whether the answer is one to be logged: the first page of a query that has a word.
pub(super) fn is_logged(query: &Query, ranked: &Ranked) -> bool {
    query.log && query.page_of.is_none() && query.offset == 0 && !ranked.wordless
}

/// The answer of a generation, and of one on trial, where each of the two then has the hits.
pub(super) fn impression(
    query: &Query,
    query_id: QueryId,
    ranked: &Ranked,
    generation: GenerationId,
    trial: Option<GenerationId>,
    standings: Vec<Standing>,
) -> Impression {
    let mut standings = standings.into_iter();
    let hits = ranked.hits.iter().map(|hit| ShownHit {
        document: hit.document.clone(),
        chunk: Some(hit.chunk),
        lexical: hit.lexical,
        dense: hit.dense,
        score: hit.score,
        standing: standings.next(),
    });
    Impression {
        query_id,
        time_ms: crate::clock::now_ms(),
        generation,
        query: query.text.clone(),
        words: Some(query.words()).filter(|words| *words != query.text).map(Cow::into_owned),
        session: query.session.clone(),
        trial,
        hits: hits.collect(),
    }
}
