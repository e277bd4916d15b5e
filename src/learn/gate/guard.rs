//! The guard: queries that the engine answers well and must not unlearn.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ids::Digest;
use crate::learn::golden::GoldenQuery;
use crate::learn::topic::Topic;
use crate::lexical::LexicalSnapshot;

/// The number of titles, each of which must find its document.
const TITLES: usize = 100;

/// The words that a title needs to say what its document is about. Where too few have three, two are enough.
const TITLE_WORDS: [usize; 2] = [3, 2];

/// Golden queries of the application, and titles that must find their documents. Or the scores of both.
#[derive(Debug, Clone, Default)]
pub(in crate::learn) struct Guarded<T> {
    pub(super) golden: Vec<T>,
    pub(super) titles: Vec<T>,
}

impl<T> Guarded<T> {
    /// Golden queries first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.golden.iter().chain(&self.titles)
    }

    /// Maps each, given its index in this order.
    pub(super) fn map<U>(&self, of: impl Fn(usize, &T) -> U) -> Guarded<U> {
        let first = self.golden.len();
        let titles = self.titles.iter().enumerate().map(|(place, one)| of(first + place, one));
        Guarded {
            golden: self.golden.iter().enumerate().map(|(place, one)| of(place, one)).collect(),
            titles: titles.collect(),
        }
    }
}

/// The guard of a round. Titles are chosen by their documents' hashes, so they stay the same while the documents do.
pub(super) fn guard(lexical: &LexicalSnapshot, golden_queries: &[GoldenQuery]) -> Result<Guarded<Topic>> {
    Ok(Guarded { golden: golden(lexical, golden_queries)?, titles: titles(lexical)? })
}

/// The golden queries with those of their answers that are in the index. A query without any is dropped with a warning:
/// both sides would score 0 on it, and the mean would hide losses of the others.
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
    // If several documents have the same title, all that were drawn are correct answers to it.
    let mut titles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut short: Vec<(String, String)> = Vec::new();
    for (_, document) in documents {
        if titles.len() == TITLES {
            break;
        }
        let Some(first) = lexical.chunks_of(&document)?.into_iter().next() else { continue };
        match first.title.split_whitespace().count() {
            words if words >= TITLE_WORDS[0] => titles.entry(first.title).or_default().push(document),
            words if words >= TITLE_WORDS[1] && short.len() < TITLES => short.push((first.title, document)),
            _ => {}
        }
    }
    for (title, document) in short {
        if titles.len() < TITLES || titles.contains_key(&title) {
            titles.entry(title).or_default().push(document);
        }
    }
    Ok(titles.into_iter().map(|(title, documents)| Topic::new(&title, documents)).collect())
}
