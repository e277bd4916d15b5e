//! How common the words of a text are.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::Term;

use super::bm25::{MOST_QUERY_TERMS, idf};
use super::snapshot::LexicalSnapshot;
use crate::error::Result;

impl LexicalSnapshot {
    /// The words of `text` that would be searched for, by their byte ranges, ascending, each with the number of chunks that
    /// have it, deleted ones included.
    pub(crate) fn frequencies(&self, text: &str) -> Result<Vec<(Range<usize>, u64)>> {
        self.guarded("count words", || {
            let mut words: Vec<(Range<usize>, String)> = Vec::new();
            self.analyzer().terms(text, |term, range| {
                words.push((range, term.to_string()));
                true
            });
            let mut known: HashMap<String, u64> = HashMap::new();
            let mut counted = Vec::with_capacity(words.len());
            for (range, word) in words {
                if let Some(&chunks) = known.get(&word) {
                    counted.push((range, chunks));
                    continue;
                }
                let chunks = self.chunks_with(&word)?;
                known.insert(word, chunks);
                counted.push((range, chunks));
            }
            Ok(counted)
        })
    }

    /// The number of chunks that have each distinct term of a query, deleted ones included, in ascending order. Stop words
    /// count only when there are no others.
    pub(crate) fn query_frequencies(&self, query: &str) -> Result<Vec<u64>> {
        self.guarded("count a query's words", || {
            let terms = self.analyzer().query_terms(query);
            let counts = terms.keys().map(|term| self.chunks_with(term));
            let mut counts = counts.collect::<tantivy::Result<Vec<u64>>>()?;
            counts.sort_unstable();
            Ok(counts)
        })
    }

    /// The BM25 score of a chunk of average length that has each word of a query once for each time that the query
    /// has it, as if no other chunk had any of them; of as many words as a search looks at, titles not counted. 0 for a
    /// query without words.
    pub(crate) fn ceiling(&self, query: &str) -> Result<f32> {
        self.guarded("count a query's words", || {
            let words: u32 = self.analyzer().query_terms(query).values().sum();
            let words = words.min(MOST_QUERY_TERMS as u32);
            Ok(words as f32 * idf(1, self.held().max(1)))
        })
    }

    fn chunks_with(&self, word: &str) -> tantivy::Result<u64> {
        let field = self.fields().text;
        let term = Term::from_field_text(field, word);
        let mut chunks = 0;
        for segment in self.segments() {
            let found = segment.inverted_index(field)?.get_term_info(&term)?;
            chunks += found.map_or(0, |info| u64::from(info.doc_freq));
        }
        Ok(chunks)
    }
}
