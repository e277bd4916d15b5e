//! The guard: what the engine does well and must not unlearn.

use std::collections::BTreeMap;

use super::options::GateOptions;
use crate::error::Result;
use crate::ids::Digest;
use crate::learn::examples::JudgedQuery;
use crate::lexical::LexicalSnapshot;

/// Words that a title needs to say what its document is about.
const TITLE_WORDS: usize = 3;

/// The application's golden queries, and titles that must find their documents. Which titles is a matter of their
/// documents' hashes: they stay the same while the documents do.
pub(in crate::learn) fn guard_queries(
    lexical: &LexicalSnapshot,
    options: &GateOptions,
) -> Result<Vec<JudgedQuery>> {
    let golden = options.golden.iter().map(|golden| JudgedQuery {
        text: golden.text.clone(),
        relevant: golden.relevant.iter().map(|document| (document.clone(), 1)).collect(),
    });
    let mut queries: Vec<JudgedQuery> = golden.collect();
    let mut documents: Vec<(Digest, String)> = lexical
        .documents()?
        .into_keys()
        .map(|document| (Digest::of(document.as_bytes()), document))
        .collect();
    documents.sort_unstable_by_key(|(digest, _)| digest.0);
    // Documents with one title are all right answers to it, as far as they were drawn.
    let mut titles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, document) in documents {
        if titles.len() == options.guard_queries {
            break;
        }
        let Some(first) = lexical.chunks_of(&document)?.into_iter().next() else { continue };
        if first.title.split_whitespace().count() >= TITLE_WORDS {
            titles.entry(first.title).or_default().push(document);
        }
    }
    queries.extend(titles.into_iter().map(|(text, documents)| JudgedQuery {
        text,
        relevant: documents.into_iter().map(|document| (document, 1)).collect(),
    }));
    Ok(queries)
}
