//! Words as they stand, each with its stem in one term: what exact phrases and prefixes look for.

use crate::lexical::analysis::{Analyzer, has_unspaced};
use crate::lexical::languages::Analyzers;
use crate::lexical::schema::ChunkRecord;
use crate::lexical::surface::PrefixTerms;

/// The terms at each position of a text: several where a word has several forms, none where one is too long.
pub(crate) type Positions = Vec<Vec<String>>;

/// Between a word as it stands and its stem. No word has a control character.
pub(crate) const BEFORE_STEM: char = '\u{4}';

/// A prefix as words are compared with it, and the terms that they have, in each language.
pub(crate) struct WordPrefix {
    pub(crate) word: String,
    pub(crate) terms: Vec<PrefixTerms>,
}

impl WordPrefix {
    /// `None` if no word begins so.
    pub(super) fn of(prefix: &str, analyzers: &Analyzers) -> Option<WordPrefix> {
        let word = analyzers.beginning(prefix)?;
        let terms = analyzers.all().map(|analyzer| PrefixTerms::of(analyzer, &word)).collect();
        Some(WordPrefix { word, terms })
    }
}

/// The words of a chunk at their positions, the title's first. A phrase goes from none into the other.
pub(super) fn words_of_chunk(analyzer: &Analyzer, chunk: &ChunkRecord) -> Positions {
    let of = |text: &str| analyzer.surfaces(text).into_iter().map(|word| words_of(analyzer, &word));
    let between = std::iter::once(Vec::new());
    of(&chunk.title).chain(between).chain(of(&chunk.body)).collect()
}

/// A phrase's words as they stand, in a chunk of the analyzer's language.
pub(super) fn words_of_phrase(analyzer: &Analyzer, words: &[String]) -> Vec<String> {
    words.iter().filter_map(|word| words_of(analyzer, word).into_iter().next()).collect()
}

/// A word with each of its stems. None in scripts without spaces: no exact phrase and no stem is looked for there.
fn words_of(analyzer: &Analyzer, word: &str) -> Vec<String> {
    if has_unspaced(word) {
        return Vec::new();
    }
    let mut stems: Vec<String> = analyzer.phrase(word).into_iter().map(|stem| stem.term).collect();
    if stems.is_empty() {
        stems.push(String::new());
    }
    stems.into_iter().map(|stem| format!("{word}{BEFORE_STEM}{stem}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::language::Language;

    #[test]
    fn words_stand_beside_their_stems_and_no_phrase_goes_over_the_title() {
        let analyzers = Analyzers::new(Language::English, [Language::German]);
        let words = |analyzer: &Analyzer, title: &str, body: &str| {
            let words = words_of_chunk(analyzer, &ChunkRecord::sample(1, title, body));
            words.iter().map(|forms| forms.join("|").replace(BEFORE_STEM, "/")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            words(analyzers.own(), "Opened Gates", "KX-4401"),
            "opened/open gates/gate  kx/kx 4401/4401"
        );
        assert_eq!(words(analyzers.own(), "", "gate 水門"), " gate/gate ");
        let german = analyzers.all().nth(1).unwrap();
        assert_eq!(words(german, "", "Tore"), " tore/\u{1}german\u{1}tor");
        let phrase = analyzers.exact_words("opened GATES").unwrap();
        assert_eq!(words_of_phrase(analyzers.own(), &phrase), ["opened\u{4}open", "gates\u{4}gate"]);
        assert!(analyzers.exact_words("gate 水門").is_none() && analyzers.exact_words("?!").is_none());
    }
}
