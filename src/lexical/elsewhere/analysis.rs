//! The terms of chunks and of queries.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::conditions::facts_of_chunk;
use super::weights::{Statistics, Weights};
use super::words::{Positions, WordPrefix, words_of_chunk, words_of_phrase};
use crate::lexical::analysis::Analyzer;
use crate::lexical::choice::MOST_QUERY_TERMS;
use crate::lexical::idf::idf;
use crate::lexical::language::Language;
use crate::lexical::languages::Analyzers;
use crate::lexical::schema::ChunkRecord;
use crate::lexical::sought::Sought;

/// The text analysis of an index, without the index.
#[derive(Clone)]
pub(crate) struct Analysis(Analyzers);

/// What is indexed of a chunk.
#[derive(Debug)]
pub(crate) struct IndexedChunk {
    pub(crate) title: Positions,
    /// Of title and passage together.
    pub(crate) text: Positions,
    /// The words of both as they stand, each with its [stem](super::words).
    pub(crate) words: Positions,
    /// One term for each value of its fields: see [`Condition`](super::Condition).
    pub(crate) facts: BTreeSet<String>,
}

impl Analysis {
    /// That of an index of the language `own`, where some chunks have one of the `others` instead.
    pub(crate) fn new(own: Language, others: impl IntoIterator<Item = Language>) -> Analysis {
        Analysis(Analyzers::new(own, others))
    }

    /// What is indexed of a chunk.
    pub(crate) fn of_chunk(&self, chunk: &ChunkRecord) -> IndexedChunk {
        let analyzer = self.0.of_chunk(&chunk.metadata);
        IndexedChunk {
            title: positions(analyzer, &chunk.title),
            text: positions(analyzer, &chunk.searched_text()),
            words: words_of_chunk(analyzer, chunk),
            facts: facts_of_chunk(&chunk.metadata),
        }
    }

    /// The terms of a phrase and their positions, stop words included, in each language.
    pub(crate) fn phrases(&self, text: &str) -> Vec<Vec<(usize, String)>> {
        let of = |analyzer: &Analyzer| {
            analyzer.phrase(text).into_iter().map(|word| (word.position, word.term)).collect()
        };
        self.0.all().map(of).collect()
    }

    /// The words of a phrase as they stand, in each language. `None` where their terms say enough.
    pub(crate) fn exact_phrases(&self, text: &str) -> Option<Vec<Vec<String>>> {
        let words = self.0.exact_words(text)?;
        Some(self.0.all().map(|analyzer| words_of_phrase(analyzer, &words)).collect())
    }

    /// What words that begin so have. `None` if no word does.
    pub(crate) fn prefix(&self, prefix: &str) -> Option<WordPrefix> {
        WordPrefix::of(prefix, &self.0)
    }

    /// The words of a query, and terms of the index that stand for one of them.
    pub(crate) fn of_query(&self, query: &str, further: &[String]) -> QueryWords {
        let mut sought = Sought::of(query, &self.0);
        sought.add(further);
        QueryWords { sought, analyzers: self.0.clone() }
    }
}

fn positions(analyzer: &Analyzer, text: &str) -> Positions {
    let mut positions = Positions::new();
    analyzer.positions(text, |term, position| {
        if positions.len() <= position {
            positions.resize(position + 1, Vec::new());
        }
        positions[position].push(term);
    });
    positions
}

/// The words of a query in all languages of an index.
pub(crate) struct QueryWords {
    sought: Sought,
    analyzers: Analyzers,
}

impl QueryWords {
    /// Whether there is a word at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.sought.counts.is_empty()
    }

    /// The terms whose numbers of chunks the weights depend on.
    pub(crate) fn terms(&self) -> BTreeSet<&str> {
        let own = self.sought.counts.keys();
        own.flat_map(|term| self.sought.others(term).chain([term.as_str()])).collect()
    }

    /// What to look for, and the weight of each.
    pub(crate) fn weights(&self, statistics: &Statistics<'_>) -> Weights {
        Weights::of(&self.sought, statistics)
    }

    /// The score that a chunk could reach in an index of so many: as [`Prepared::ceiling`](super::super::Prepared).
    pub(crate) fn ceiling(&self, chunks: u64) -> f32 {
        self.sought.words().min(MOST_QUERY_TERMS as u32) as f32 * idf(1, chunks.max(1))
    }

    /// The byte ranges of the words in the passage of a chunk, ascending, not overlapping.
    pub(crate) fn highlight(&self, chunk: &ChunkRecord) -> Vec<Range<usize>> {
        let counts: &HashMap<String, u32> = &self.sought.counts;
        self.analyzers.of_chunk(&chunk.metadata).ranges_of(&chunk.body, &|term| counts.contains_key(term))
    }
}
