//! Text analysis: splits text into [words](words) and turns them into terms: in lower case, without endings and
//! accents.
//!
//! Texts are indexed by it: whatever changes its terms needs a new version of the index (`marker`).

mod characters;
mod compound;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, PreTokenizedString, RemoveLongFilter, Stemmer, StopWordFilter,
    TextAnalyzer, Token, TokenStream,
};

use self::words::{MAIN, Side, Words};
use super::language::Language;

/// Longer words, in bytes, are not indexed: they are encoded data. Hexadecimal digests fit.
pub(super) const LONGEST_WORD: usize = 160;

/// Further words of a query are ignored.
const MOST_QUERY_WORDS: usize = 32_768;

/// A term of a query.
pub(super) struct QueryWord {
    pub(super) term: String,
    /// Its position among all words of the query, stop words included.
    pub(super) position: usize,
    /// Whether it is a neighbour of other words, and not a further form of a word that is there beside it.
    pub(super) is_neighbour: bool,
}

/// Turns texts and queries into terms.
#[derive(Clone)]
pub(super) struct Analyzer {
    text: TextAnalyzer,
    query: TextAnalyzer,
    /// Without stop words. Texts keep them, for queries that consist of stop words.
    content_of_query: TextAnalyzer,
    /// Without stemming.
    surface: TextAnalyzer,
    has_stemmer: bool,
    /// What all terms begin with.
    prefix: String,
}

impl Analyzer {
    /// For an index of this language.
    pub(super) fn new(language: Language) -> Analyzer {
        Analyzer::with_prefix(language, String::new())
    }

    /// For texts of this language in an index of another one.
    pub(super) fn beside(language: Language) -> Analyzer {
        // No word has a control character.
        Analyzer::with_prefix(language, format!("\u{1}{language}\u{1}"))
    }

    fn with_prefix(language: Language, prefix: String) -> Analyzer {
        let build = |side: Side, stop_words: bool, stemmer: Option<tantivy::tokenizer::Language>| {
            let mut chain = TextAnalyzer::builder(Words::of(side))
                .filter(RemoveLongFilter::limit(LONGEST_WORD))
                .filter(LowerCaser)
                .dynamic();
            if language == Language::English {
                chain = chain.filter_dynamic(AsciiFoldingFilter);
            }
            if let Some(stem) = stemmer {
                if let Some(filter) = StopWordFilter::new(stem).filter(|_| stop_words) {
                    chain = chain.filter_dynamic(filter);
                }
                chain = chain.filter_dynamic(Stemmer::new(stem));
            }
            // Other languages' stemmers need the accents to find the ending. In English, which has them only in loan
            // words, they would hide it: "résumés" should match "resume".
            chain.filter_dynamic(AsciiFoldingFilter).build()
        };
        let stemmer = language.stemmer();
        Analyzer {
            text: build(Side::Text, false, stemmer),
            query: build(Side::Query, false, stemmer),
            content_of_query: build(Side::Query, true, stemmer),
            surface: build(Side::Text, false, None),
            has_stemmer: stemmer.is_some(),
            prefix,
        }
    }

    /// The analyzer that tantivy indexes with: that of the index's own language.
    pub(super) fn for_indexing(&self) -> TextAnalyzer {
        self.text.clone()
    }

    /// A text with its terms, for tantivy to index as they are.
    pub(super) fn analysed(&self, text: &str) -> PreTokenizedString {
        let mut tokens = Vec::new();
        walk(self.text.clone(), text, |token| {
            tokens.push(Token { text: self.term(&token.text), ..token.clone() });
            true
        });
        PreTokenizedString { text: text.to_owned(), tokens }
    }

    /// Calls `visit` with every term of a text and its position, counted in words.
    #[cfg(feature = "opensearch")]
    pub(super) fn positions(&self, text: &str, mut visit: impl FnMut(String, usize)) {
        walk(self.text.clone(), text, |token| {
            visit(self.term(&token.text), token.position);
            true
        });
    }

    /// The byte ranges of the terms that are wanted, ascending, not overlapping.
    pub(super) fn ranges_of(&self, text: &str, wanted: &dyn Fn(&str) -> bool) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        self.terms(text, |word, range| {
            if wanted(word) {
                match ranges.last_mut() {
                    Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                    _ => ranges.push(range),
                }
            }
            true
        });
        ranges
    }

    /// The term of a word without its ending.
    pub(super) fn term(&self, stem: &str) -> String {
        format!("{}{stem}", self.prefix)
    }

    /// Calls `visit` with every term of `text` and its byte range, ascending by where the ranges begin, until it
    /// returns `false`. Ranges overlap where a word has several forms.
    pub(super) fn terms(&self, text: &str, mut visit: impl FnMut(&str, Range<usize>) -> bool) {
        walk(self.text.clone(), text, |token| {
            visit(&self.term(&token.text), token.offset_from..token.offset_to)
        });
    }

    /// As [`terms`](Analyzer::terms), with a single form of every word: runs of letters and digits, or pairs of
    /// characters.
    pub(super) fn words(&self, text: &str, mut visit: impl FnMut(&str, Range<usize>)) {
        walk(self.text.clone(), text, |token| {
            if token.position_length == MAIN {
                visit(&self.term(&token.text), token.offset_from..token.offset_to);
            }
            true
        });
    }

    /// Whether words are compared by their stems.
    pub(super) fn has_stemmer(&self) -> bool {
        self.has_stemmer
    }

    /// The words of a text as they stand, but for case and accents, each in a single form.
    pub(super) fn surfaces(&self, text: &str) -> Vec<String> {
        let mut words = Vec::new();
        walk(self.surface.clone(), text, |token| {
            if token.position_length == MAIN {
                words.push(token.text.clone());
            }
            true
        });
        words
    }

    /// The terms of a phrase in order, stop words included, each word in a single form.
    pub(super) fn phrase(&self, text: &str) -> Vec<QueryWord> {
        let mut words = Vec::new();
        walk(self.query.clone(), text, |token| {
            let is_neighbour = token.position_length == MAIN;
            if is_neighbour {
                words.push(QueryWord {
                    term: self.term(&token.text),
                    position: token.position,
                    is_neighbour,
                });
            }
            words.len() < MOST_QUERY_WORDS
        });
        words
    }

    /// The terms of a query in order, stop words included. Every language has as many.
    pub(super) fn all_of_query(&self, query: &str) -> Vec<String> {
        let mut terms = Vec::new();
        walk(self.query.clone(), query, |token| {
            terms.push(self.term(&token.text));
            terms.len() < MOST_QUERY_WORDS
        });
        terms
    }

    /// The terms of a query in order. The language's stop words are left out unless the query has no others: they cost
    /// time, and on test collections their matches do more harm than good.
    pub(super) fn query_sequence(&self, query: &str) -> Vec<QueryWord> {
        let mut sequence = Vec::new();
        for analyzer in [&self.content_of_query, &self.query] {
            walk(analyzer.clone(), query, |token| {
                sequence.push(QueryWord {
                    term: self.term(&token.text),
                    position: token.position,
                    is_neighbour: token.position_length == MAIN,
                });
                sequence.len() < MOST_QUERY_WORDS
            });
            if !sequence.is_empty() {
                break;
            }
        }
        sequence
    }
}

/// Whether a text has characters of a script without spaces between words.
pub(super) fn has_unspaced(text: &str) -> bool {
    text.chars().any(characters::is_unspaced)
}

fn walk(mut analyzer: TextAnalyzer, text: &str, mut visit: impl FnMut(&Token) -> bool) {
    let mut stream = analyzer.token_stream(text);
    while stream.advance() && visit(stream.token()) {}
}
