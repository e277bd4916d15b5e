//! How common the words of a text are.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::Term;

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
            let field = self.fields().text;
            let readers = self.segments().iter().map(|segment| segment.inverted_index(field));
            let readers = readers.collect::<tantivy::Result<Vec<_>>>()?;
            let mut known: HashMap<String, u64> = HashMap::new();
            let mut counted = Vec::with_capacity(words.len());
            for (range, word) in words {
                if let Some(&chunks) = known.get(&word) {
                    counted.push((range, chunks));
                    continue;
                }
                let term = Term::from_field_text(field, &word);
                let found = readers.iter().map(|reader| reader.get_term_info(&term));
                let found = found.collect::<std::io::Result<Vec<_>>>()?;
                let chunks = found.iter().flatten().map(|info| u64::from(info.doc_freq)).sum();
                known.insert(word, chunks);
                counted.push((range, chunks));
            }
            Ok(counted)
        })
    }
}
