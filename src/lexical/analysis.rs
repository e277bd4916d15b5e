//! Text analysis: splits text into words and turns them into terms, in lower case, without endings and accents.

use std::ops::Range;

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RemoveLongFilter, Stemmer, StopWordFilter, TextAnalyzer, Token,
    TokenStream, Tokenizer,
};

use super::language::Language;

/// Longer words, in bytes, are not indexed: they are encoded data. Hexadecimal digests fit.
const LONGEST_WORD: usize = 160;

/// Further words of a query are ignored.
const MOST_QUERY_WORDS: usize = 32_768;

/// A term of a query.
pub(super) struct QueryWord {
    pub(super) term: String,
    /// Its position among all words of the query, stop words included.
    pub(super) position: usize,
}

/// Turns texts and queries into terms.
#[derive(Clone)]
pub(super) struct Analyzer {
    every_word: TextAnalyzer,
    /// Without stop words, for queries. Texts keep them, for queries that consist of stop words.
    content_words: TextAnalyzer,
}

impl Analyzer {
    pub(super) fn new(language: Language) -> Analyzer {
        let build = |stop_words: bool| {
            let mut chain = TextAnalyzer::builder(Words::default())
                .filter(RemoveLongFilter::limit(LONGEST_WORD))
                .filter(LowerCaser)
                .dynamic();
            if language == Language::English {
                chain = chain.filter_dynamic(AsciiFoldingFilter);
            }
            if let Some(stem) = language.stemmer() {
                if let Some(filter) = StopWordFilter::new(stem).filter(|_| stop_words) {
                    chain = chain.filter_dynamic(filter);
                }
                chain = chain.filter_dynamic(Stemmer::new(stem));
            }
            // Other languages' stemmers need the accents to find the ending. In English, which has them only in loan
            // words, they would hide it: "résumés" should match "resume".
            chain.filter_dynamic(AsciiFoldingFilter).build()
        };
        Analyzer { every_word: build(false), content_words: build(true) }
    }

    /// The analyzer that tantivy indexes with.
    pub(super) fn for_indexing(&self) -> TextAnalyzer {
        self.every_word.clone()
    }

    /// Calls `visit` with every term of `text` and its byte range, in order, until it returns `false`.
    pub(super) fn terms(&self, text: &str, mut visit: impl FnMut(&str, Range<usize>) -> bool) {
        walk(self.every_word.clone(), text, |token| visit(&token.text, token.offset_from..token.offset_to));
    }

    /// The terms of a query in order. The language's stop words are left out unless the query has no others: they cost
    /// time, and on test collections their matches do more harm than good.
    pub(super) fn query_sequence(&self, query: &str) -> Vec<QueryWord> {
        let mut sequence = Vec::new();
        for analyzer in [&self.content_words, &self.every_word] {
            walk(analyzer.clone(), query, |token| {
                sequence.push(QueryWord { term: token.text.clone(), position: token.position });
                sequence.len() < MOST_QUERY_WORDS
            });
            if !sequence.is_empty() {
                break;
            }
        }
        sequence
    }
}

fn walk(mut analyzer: TextAnalyzer, text: &str, mut visit: impl FnMut(&Token) -> bool) {
    let mut stream = analyzer.token_stream(text);
    while stream.advance() && visit(stream.token()) {}
}

/// Splits text into runs of letters and digits.
///
/// Scripts without spaces give overlapping pairs of characters, as in Lucene's CJK analyzer: 検索機能 → 検索, 索機,
/// 機能. Combining accents inside a word are dropped, so that decomposed text, such as macOS file names, gives the same
/// words as composed text.
#[derive(Clone, Default)]
struct Words {
    token: Token,
}

struct WordStream<'a> {
    text: &'a str,
    at: usize,
    /// Whether the character before `at` was the first of a pair.
    in_run: bool,
    token: &'a mut Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { text, at: 0, in_run: false, token: &mut self.token }
    }
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Thai, Lao, Burmese, Khmer, kana, Han.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
        && c.is_alphanumeric()
}

impl WordStream<'_> {
    /// Emits the pair that starts at `from` with `first`, or `first` alone if it has no neighbour of its kind.
    fn pair(&mut self, from: usize, first: char) -> bool {
        let second_at = from + first.len_utf8();
        let second = self.text[second_at..].chars().next().filter(|&c| is_unspaced(c));
        let alone = second.is_none() && !self.in_run;
        self.at = second_at;
        self.in_run = second.is_some();
        if second.is_none() && !alone {
            return false;
        }
        self.emit(from, second_at + second.map_or(0, char::len_utf8));
        true
    }

    fn word(&mut self, from: usize) {
        let rest = &self.text[from..];
        let len = rest
            .find(|c: char| !(is_accent(c) || c.is_alphanumeric()) || is_unspaced(c))
            .unwrap_or(rest.len());
        self.at = from + len;
        self.emit(from, self.at);
    }

    fn emit(&mut self, from: usize, to: usize) {
        self.token.position = self.token.position.wrapping_add(1);
        self.token.offset_from = from;
        self.token.offset_to = to;
        self.token.text.clear();
        self.token.text.extend(self.text[from..to].chars().filter(|&c| !is_accent(c)));
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        while let Some(c) = self.text[self.at..].chars().next() {
            let from = self.at;
            if is_unspaced(c) {
                if self.pair(from, c) {
                    return true;
                }
            } else if c.is_alphanumeric() {
                self.in_run = false;
                self.word(from);
                return true;
            } else {
                self.in_run = false;
                self.at += c.len_utf8();
            }
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(language: Language, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        Analyzer::new(language).terms(text, |term, _| {
            out.push(term.to_owned());
            true
        });
        out
    }

    #[test]
    fn words_are_lowered_stemmed_and_folded() {
        assert_eq!(
            terms(Language::English, "Searches, searching: THE Naïve x_y2 don't"),
            ["search", "search", "the", "naiv", "x", "y2", "don", "t"]
        );
        assert_eq!(terms(Language::None, "Searches naïve"), ["searches", "naive"]);
        assert_eq!(terms(Language::French, "aimée"), ["aim"]);
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(terms(Language::None, &format!("{hex} {}", "x".repeat(161))), [hex]);
    }

    #[test]
    fn decomposed_accents_do_not_split_a_word() {
        assert_eq!(terms(Language::None, "re\u{301}sume\u{301}"), terms(Language::None, "résumé"));
    }

    #[test]
    fn scripts_without_spaces_give_pairs() {
        assert_eq!(terms(Language::English, "検索機能"), ["検索", "索機", "機能"]);
        assert_eq!(terms(Language::English, "字 a字b検索"), ["字", "a", "字", "b", "検索"]);
        assert_eq!(terms(Language::English, "한국어 검색"), ["한국어", "검색"]);
    }

    proptest! {
        #[test]
        fn ranges_are_in_order_and_on_character_boundaries(text in "\\PC{0,60}|[a检索e\u{301} ก้-]{0,30}") {
            let mut last = 0;
            Analyzer::new(Language::English).terms(&text, |_, range| {
                assert!(text.get(range.clone()).is_some_and(|t| !t.is_empty()));
                assert!(range.start >= last);
                last = range.start;
                true
            });
        }
    }
}
