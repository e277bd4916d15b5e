//! Words as they stand, but for case and accents: what an exact phrase compares, and what has the beginning that a
//! prefix asks for. The index has stems.

use std::collections::{BTreeMap, BTreeSet};

use super::analysis::{Analyzer, LONGEST_WORD, has_unspaced};
use super::languages::Analyzers;

/// Terms that begin like a prefix and count in scores: those of the most chunks.
pub(crate) const MOST_SCORED: usize = 8;
/// A stem has as many characters at least.
const SHORTEST_STEM: usize = 3;

/// The terms of one language that words with the same beginning have.
#[derive(Debug, PartialEq)]
pub(crate) struct PrefixTerms {
    /// What their terms begin with, but for the shorter ones.
    pub(crate) beginning: String,
    /// The shorter stems that some of them may have.
    pub(crate) shorter: BTreeSet<String>,
}

impl Analyzers {
    /// The words of a phrase as they stand, which are the same in all languages. `None` where their terms say enough:
    /// without stems, and in scripts without spaces, where other words around a phrase change how it is divided.
    pub(super) fn exact_words(&self, phrase: &str) -> Option<Vec<String>> {
        if !self.have_stemmer() || has_unspaced(phrase) {
            return None;
        }
        Some(self.own().surfaces(phrase)).filter(|words| !words.is_empty())
    }

    /// A prefix as words are compared with it. `None` if no word begins so.
    pub(super) fn beginning(&self, prefix: &str) -> Option<String> {
        let prefix = self.own().surfaces(prefix).concat();
        // A word may grow when it is compared.
        (1..=2 * LONGEST_WORD).contains(&prefix.len()).then_some(prefix)
    }
}

impl PrefixTerms {
    /// Of the words that begin like `prefix`, as they stand.
    pub(super) fn of(analyzer: &Analyzer, prefix: &str) -> PrefixTerms {
        let beginning = analyzer.term(prefix);
        let mut shorter = BTreeSet::new();
        // Words of scripts without spaces are two characters long.
        if analyzer.has_stemmer() && !has_unspaced(prefix) {
            // A word without its end, with an `i` for a `y` too, and the stem of the prefix itself.
            let cuts = prefix.char_indices().skip(SHORTEST_STEM);
            shorter.extend(cuts.map(|(at, _)| analyzer.term(&prefix[..at])));
            shorter.extend(prefix.strip_suffix('y').map(|rest| analyzer.term(&format!("{rest}i"))));
            shorter.extend(analyzer.phrase(prefix).into_iter().map(|word| word.term));
            shorter.retain(|stem| !stem.starts_with(&beginning));
        }
        PrefixTerms { beginning, shorter }
    }
}

/// The terms that a prefix is searched for with, of those that have so many chunks each.
pub(crate) fn most_frequent(terms: BTreeMap<String, u64>) -> Vec<String> {
    let mut terms: Vec<(String, u64)> = terms.into_iter().collect();
    terms.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    terms.truncate(MOST_SCORED);
    terms.into_iter().map(|(term, _)| term).collect()
}
