//! Counts tokens fast enough for a splitter that asks often.

use std::cell::RefCell;
use std::collections::HashMap;

use text_splitter::ChunkSizer;

use super::TokenCounter;

/// A text counts as at least one token for this many bytes. This bounds the length of chunks that have few tokens:
/// white space has none, and an unknown word is one token whatever its length.
pub(super) const MOST_BYTES_PER_TOKEN: usize = 16;

const LONGEST_CACHED_WORD: usize = 48;
const MOST_CACHED_WORDS: usize = 1 << 16;

/// Counts tokens word by word and caches the count of each word.
///
/// The splitter asks for the size of every candidate, about a dozen times the text that ends up in a chunk. The sum
/// over words is exact for tokenisers that split at white space first, as MPNet's does, and close for others.
/// Finished chunks are checked with [`exact`](Self::exact).
pub(super) struct Sizer<'a> {
    counter: TokenCounter<'a>,
    words: RefCell<HashMap<Box<str>, usize>>,
}

/// A [`Sizer`] for the splitter. It stops counting above the limit.
pub(super) struct LimitedSizer<'a, 'b> {
    pub(super) sizer: &'b Sizer<'a>,
    pub(super) limit: usize,
    /// Whether to count the whole text instead of its words.
    pub(super) exact: bool,
}

impl<'a> Sizer<'a> {
    pub(super) fn new(counter: TokenCounter<'a>) -> Self {
        Sizer { counter, words: RefCell::new(HashMap::new()) }
    }

    /// The tokens of a text, counted as a whole.
    pub(super) fn exact(&self, text: &str) -> usize {
        (self.counter)(text).max(least(text))
    }

    /// The sum of the tokens of its words, or any number above `limit` if it has more.
    pub(super) fn size(&self, text: &str, limit: usize) -> usize {
        let mut size = least(text);
        if size > limit {
            return size;
        }
        let mut tokens = 0;
        for word in text.split_whitespace() {
            tokens += self.word(word);
            size = size.max(tokens);
            if size > limit {
                break;
            }
        }
        size
    }

    fn word(&self, word: &str) -> usize {
        if word.len() <= LONGEST_CACHED_WORD {
            return self.cached(word);
        }
        let mut tokens = 0;
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let end = if stands_alone(first) { Some(first.len_utf8()) } else { rest.find(stands_alone) };
            let (part, others) = rest.split_at(end.unwrap_or(rest.len()));
            tokens +=
                if part.len() <= LONGEST_CACHED_WORD { self.cached(part) } else { (self.counter)(part) };
            rest = others;
        }
        tokens
    }

    fn cached(&self, word: &str) -> usize {
        if let Some(tokens) = self.words.borrow().get(word) {
            return *tokens;
        }
        let tokens = (self.counter)(word);
        let mut words = self.words.borrow_mut();
        if words.len() >= MOST_CACHED_WORDS {
            words.clear();
        }
        words.insert(word.into(), tokens);
        tokens
    }
}

/// Whether BERT's tokenisers split a word at this character: punctuation and ideographs.
fn stands_alone(c: char) -> bool {
    !c.is_alphanumeric()
        || matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

fn least(text: &str) -> usize {
    text.len().div_ceil(MOST_BYTES_PER_TOKEN)
}

impl ChunkSizer for LimitedSizer<'_, '_> {
    fn size(&self, text: &str) -> usize {
        match least(text) {
            least if least > self.limit => least,
            _ if self.exact => self.sizer.exact(text),
            _ => self.sizer.size(text, self.limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn words_are_counted_once() {
        let calls = Cell::new(0);
        let counter = |text: &str| {
            calls.set(calls.get() + 1);
            text.len()
        };
        let sizer = Sizer::new(&counter);
        assert_eq!(sizer.size("ab abc  ab\nab", 99), 9);
        assert_eq!(calls.get(), 2);
    }

    #[test]
    fn long_words_are_counted_in_parts() {
        let sizer = Sizer::new(&|text: &str| {
            assert!(text.len() <= 48, "{text}");
            1
        });
        assert_eq!(sizer.size(&"abc+漢字".repeat(20), 99), 80);
        assert_eq!(sizer.size(&"abc+漢字".repeat(20), 20), 80, "a word is counted whole");
        assert_eq!(sizer.size(&"a ".repeat(20), 10), 11, "not further than needed");
    }

    #[test]
    fn bytes_bound_the_size_from_below() {
        let sizer = Sizer::new(&|_: &str| 1);
        assert_eq!(sizer.size(&"x".repeat(1600), 200), 100);
        assert_eq!(sizer.exact(&" ".repeat(33)), 3);
    }
}
