//! Document frequencies of the words of a text.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::Term;

use super::snapshot::LexicalSnapshot;
use crate::error::Result;

impl LexicalSnapshot {
    /// The words of `text` by their byte ranges, ascending, each with the number of chunks that contain it, in whatever
    /// language, deleted ones included.
    pub(crate) fn frequencies(&self, text: &str) -> Result<Vec<(Range<usize>, u64)>> {
        self.guarded("count words", || {
            let mut known: HashMap<String, u64> = HashMap::new();
            let mut counted: Vec<(Range<usize>, u64)> = Vec::new();
            // Every language divides a text into the same words.
            for analyzer in self.analyzers().all() {
                let mut words: Vec<(Range<usize>, String)> = Vec::new();
                analyzer.words(text, |term, range| words.push((range, term.to_string())));
                for (at, (range, word)) in words.into_iter().enumerate() {
                    let chunks = match known.get(&word) {
                        Some(&chunks) => chunks,
                        None => self.chunks_with(&word)?,
                    };
                    known.insert(word, chunks);
                    match counted.get_mut(at) {
                        Some((_, all)) => *all += chunks,
                        None => counted.push((range, chunks)),
                    }
                }
            }
            Ok(counted)
        })
    }

    /// The number of chunks that contain a term, deleted ones included.
    pub(super) fn chunks_with(&self, word: &str) -> tantivy::Result<u64> {
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
