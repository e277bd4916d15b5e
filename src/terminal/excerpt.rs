//! Where in a passage an excerpt begins.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use super::words::Word;

/// A passage of which a part is shown.
#[derive(Debug, Clone, Copy)]
pub struct Excerpted<'a> {
    /// The passage.
    pub passage: &'a str,
    /// The ranges of bytes in it that match the query, in order.
    pub highlights: &'a [Range<usize>],
    /// The words of it that may be shown.
    pub words: &'a [Word],
}

impl Excerpted<'_> {
    /// The word to begin with: the beginning of the sentence from where `room` columns show the most different words
    /// that match; of several, that of the sentence in which the first of them stands. In a long sentence it is a word
    /// that comes `before` columns before the first that matches.
    pub fn best_start(&self, room: usize, before: usize) -> usize {
        let words = self.words;
        let matches: Vec<usize> = (0..words.len()).filter(|&at| self.is_match(&words[at])).collect();
        let Some(&first_match) = matches.first() else { return 0 };
        let end_from = |start: usize| start + count_within(words[start..].iter(), room);
        let starts = || (0..words.len()).filter(|&start| words[start].begins);
        let found = starts().map(|start| {
            let end = end_from(start);
            let shown = matches.iter().copied().filter(|at| (start..end).contains(at));
            let texts: HashSet<String> =
                shown.clone().map(|at| self.passage[words[at].bytes.clone()].to_lowercase()).collect();
            (texts.len(), Reverse(shown.min()), start)
        });
        match found.max() {
            // With room to spare behind the passage's end, sentences before it are shown too.
            Some((1.., _, start)) if end_from(start) == words.len() => {
                starts().find(|&earlier| end_from(earlier) == words.len()).unwrap_or(start)
            }
            Some((1.., _, start)) => start,
            _ => first_match - count_within(words[..first_match].iter().rev(), before),
        }
    }

    /// Whether something of a word matches the query.
    fn is_match(&self, word: &Word) -> bool {
        let next = self.highlights.partition_point(|range| range.end <= word.bytes.start);
        self.highlights.get(next).is_some_and(|range| range.start < word.bytes.end)
    }
}

/// How many words fit into so many columns.
fn count_within<'a>(words: impl Iterator<Item = &'a Word>, columns: usize) -> usize {
    let mut used = 0;
    let fit = words.take_while(|word| {
        used += word.columns + usize::from(word.spaced);
        used <= columns
    });
    fit.count()
}
