//! The guard: what the engine does well and must not unlearn.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ids::Digest;
use crate::learn::golden::GoldenQuery;
use crate::learn::topic::Topic;
use crate::lexical::LexicalSnapshot;

/// Titles of documents, each of which must find its document.
const TITLES: usize = 100;

/// Words that a title needs to say what its document is about.
const TITLE_WORDS: usize = 3;

/// Queries, or their figures: those that the application calls golden, and titles that must find their documents.
#[derive(Debug, Clone, Default)]
pub(in crate::learn) struct Guarded<T> {
    pub(super) golden: Vec<T>,
    pub(super) titles: Vec<T>,
}

impl<T> Guarded<T> {
    /// The golden ones first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.golden.iter().chain(&self.titles)
    }

    /// What each is turned into, given its place in that order.
    pub(super) fn map<U>(&self, of: impl Fn(usize, &T) -> U) -> Guarded<U> {
        let first = self.golden.len();
        let titles = self.titles.iter().enumerate().map(|(place, one)| of(first + place, one));
        Guarded {
            golden: self.golden.iter().enumerate().map(|(place, one)| of(place, one)).collect(),
            titles: titles.collect(),
        }
    }
}

/// The guard of a round. Which titles it has follows from their documents' hashes: they stay while the documents do.
pub(super) fn guard(lexical: &LexicalSnapshot, golden_queries: &[GoldenQuery]) -> Result<Guarded<Topic>> {
    Ok(Guarded { golden: golden(lexical, golden_queries)?, titles: titles(lexical)? })
}

/// The golden queries, with their answers that are in the index. One without any is left out, with a word in the log:
/// old and new would answer it alike, and the mean would hide what others lose.
fn golden(lexical: &LexicalSnapshot, queries: &[GoldenQuery]) -> Result<Vec<Topic>> {
    let mut topics = Vec::with_capacity(queries.len());
    for query in queries {
        let mut answers = Vec::new();
        for document in &query.relevant {
            if !lexical.chunks_of(document)?.is_empty() {
                answers.push(document.clone());
            }
        }
        match answers.is_empty() {
            true => tracing::warn!(query = query.text, "a golden query has no answer in the index"),
            false => topics.push(Topic::new(&query.text, answers)),
        }
    }
    Ok(topics)
}

fn titles(lexical: &LexicalSnapshot) -> Result<Vec<Topic>> {
    let mut documents: Vec<(Digest, String)> = lexical
        .documents()?
        .into_keys()
        .map(|document| (Digest::of(document.as_bytes()), document))
        .collect();
    documents.sort_unstable_by_key(|(digest, _)| digest.0);
    // Documents with one title are all right answers to it, as far as they were drawn.
    let mut titles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, document) in documents {
        if titles.len() == TITLES {
            break;
        }
        let Some(first) = lexical.chunks_of(&document)?.into_iter().next() else { continue };
        if first.title.split_whitespace().count() >= TITLE_WORDS {
            titles.entry(first.title).or_default().push(document);
        }
    }
    Ok(titles.into_iter().map(|(title, documents)| Topic::new(&title, documents)).collect())
}
