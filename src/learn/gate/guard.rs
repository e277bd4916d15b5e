//! The guard: what the engine does well and must not unlearn.

use std::collections::BTreeMap;

use super::options::GateOptions;
use crate::error::Result;
use crate::ids::Digest;
use crate::learn::examples::JudgedQuery;
use crate::lexical::LexicalSnapshot;

/// Words that a title needs to say what its document is about.
const TITLE_WORDS: usize = 3;

/// Queries, or their figures: those that the application calls golden, and titles that must find their documents.
#[derive(Debug, Clone, Default)]
pub(in crate::learn) struct Guarded<T> {
    pub(in crate::learn) golden: Vec<T>,
    pub(in crate::learn) titles: Vec<T>,
}

impl<T> Guarded<T> {
    /// The golden ones first.
    pub(in crate::learn) fn iter(&self) -> impl Iterator<Item = &T> {
        self.golden.iter().chain(&self.titles)
    }

    /// What each is turned into, given its place in that order.
    pub(in crate::learn) fn map<U>(&self, of: impl Fn(usize, &T) -> U) -> Guarded<U> {
        let first = self.golden.len();
        let titles = self.titles.iter().enumerate().map(|(place, one)| of(first + place, one));
        Guarded {
            golden: self.golden.iter().enumerate().map(|(place, one)| of(place, one)).collect(),
            titles: titles.collect(),
        }
    }
}

/// The guard of a round. Which titles is a matter of their documents' hashes: they stay the same while the documents do.
pub(in crate::learn) fn guard_queries(
    lexical: &LexicalSnapshot,
    options: &GateOptions,
) -> Result<Guarded<JudgedQuery>> {
    Ok(Guarded { golden: golden(lexical, options)?, titles: titles(lexical, options)? })
}

/// The golden queries, with their answers that are in the index. Without any the old and the new would answer alike, and the mean
/// would hide what others lose: such a query is left out, with a word in the log.
fn golden(lexical: &LexicalSnapshot, options: &GateOptions) -> Result<Vec<JudgedQuery>> {
    let mut queries = Vec::with_capacity(options.golden.len());
    for golden in &options.golden {
        let mut relevant = BTreeMap::new();
        for document in &golden.relevant {
            if !lexical.chunks_of(document)?.is_empty() {
                relevant.insert(document.clone(), 1);
            }
        }
        match relevant.is_empty() {
            true => tracing::warn!(query = golden.text, "a golden query has no answer in the index"),
            false => queries.push(JudgedQuery { text: golden.text.clone(), relevant }),
        }
    }
    Ok(queries)
}

fn titles(lexical: &LexicalSnapshot, options: &GateOptions) -> Result<Vec<JudgedQuery>> {
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
    let judged = titles.into_iter().map(|(text, documents)| JudgedQuery {
        text,
        relevant: documents.into_iter().map(|document| (document, 1)).collect(),
    });
    Ok(judged.collect())
}
