//! Adversarial negatives: the positive, with its key terms replaced.
//!
//! Numbers, names and rare words of an answer are replaced by those of another passage, of the same kind. The result
//! reads like the answer but is about something else: it is near in every dimension except the one that counts.

use std::collections::HashMap;
use std::ops::Range;

use super::judged::JudgedQuery;
use super::proposal::Proposal;
use crate::dense::DenseView;
use crate::error::Result;
use crate::lexical::{ChunkRecord, LexicalSnapshot};

/// Maximum number of rare words to replace; numbers and names are all replaced.
const RARE_WORDS: usize = 3;
/// A word is rare if at most one passage in this many has it.
const RARE_SHARE: u64 = 100;
/// Number of the query's neighbours whose terms are tried.
const DONORS: usize = 20;

/// The kind of a key term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number,
    Name,
    Rare,
}

/// Makes up to `most` texts from the nearest positive. The terms come from passages that users passed over, then from
/// the query's neighbours.
pub(super) fn propose(
    lexical: &LexicalSnapshot,
    dense: &DenseView,
    query: &JudgedQuery,
    most: usize,
) -> Result<Vec<Proposal>> {
    let Some(positive) = query.positives.first() else { return Ok(Vec::new()) };
    // The key terms of a text by byte range, ascending.
    let keys = |text: &str| Ok(keys(text, &lexical.frequencies(text)?, lexical.chunk_count()));
    let text = positive.encoder_text();
    let terms = keys(&text)?;
    let mut made = Vec::new();
    for donor in donors(lexical, dense, query)? {
        if made.len() == most {
            break;
        }
        let from = donor.encoder_text();
        let text = exchange(&text, &terms, &from, &keys(&from)?);
        made.extend(text.map(|text| Proposal { text, chunk: None }));
    }
    Ok(made)
}

fn donors(lexical: &LexicalSnapshot, dense: &DenseView, query: &JudgedQuery) -> Result<Vec<ChunkRecord>> {
    let mut donors: Vec<ChunkRecord> = query.passed_over.iter().map(|one| one.passage.clone()).collect();
    for (chunk, _) in dense.search(&query.vector, DONORS, None)? {
        donors.extend(lexical.get(chunk)?);
    }
    donors.retain(|donor| !query.is_answered_by(donor));
    Ok(donors)
}

/// Numbers have a digit; names are capitalised inside a sentence; rare words are the few that the fewest passages have.
fn keys(text: &str, words: &[(Range<usize>, u64)], chunks: u64) -> Vec<(Range<usize>, Key)> {
    let mut keys: Vec<(Range<usize>, Key)> = Vec::new();
    let mut rare: Vec<(u64, Range<usize>)> = Vec::new();
    for (range, frequency) in words {
        let word = &text[range.clone()];
        let before = text[..range.start].trim_end().chars().next_back();
        let begins = before.is_none_or(|c| matches!(c, '.' | '!' | '?' | ':' | '\n'));
        if word.chars().any(|c| c.is_ascii_digit()) {
            keys.push((range.clone(), Key::Number));
        } else if !begins && word.chars().next().is_some_and(char::is_uppercase) {
            keys.push((range.clone(), Key::Name));
        } else if *frequency <= (chunks / RARE_SHARE).max(1) {
            rare.push((*frequency, range.clone()));
        }
    }
    rare.sort_by_key(|(frequency, range)| (*frequency, range.start));
    keys.extend(rare.into_iter().take(RARE_WORDS).map(|(_, range)| (range, Key::Rare)));
    keys.sort_by_key(|(range, _)| range.start);
    keys
}

/// Replaces the key terms of `text` by the donor's of the same kind. A term is replaced by the same one throughout.
/// `None` if nothing changes.
fn exchange(
    text: &str,
    keys: &[(Range<usize>, Key)],
    donor: &str,
    donor_keys: &[(Range<usize>, Key)],
) -> Option<String> {
    let mut supply: HashMap<u8, Vec<&str>> = HashMap::new();
    for (range, key) in donor_keys {
        let term = &donor[range.clone()];
        let terms = supply.entry(*key as u8).or_default();
        if !text.contains(term) && !terms.contains(&term) {
            terms.push(term);
        }
    }
    supply.values_mut().for_each(|terms| terms.reverse());
    let mut replaced: HashMap<&str, &str> = HashMap::new();
    let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
    for (range, key) in keys {
        let term = &text[range.clone()];
        let Some(new) = replaced.get(term).copied().or_else(|| supply.get_mut(&(*key as u8))?.pop()) else {
            continue;
        };
        replaced.insert(term, new);
        out.push_str(&text[copied..range.start]);
        out.push_str(new);
        copied = range.end;
    }
    out.push_str(&text[copied..]);
    (!replaced.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Word frequencies from a table; all other words are in every passage.
    fn keys_of(text: &str, rare: &[&str]) -> Vec<(Range<usize>, Key)> {
        let mut words = Vec::new();
        let mut start = 0;
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            if !word.is_empty() {
                let frequency = if rare.contains(&word) { 1 } else { 500 };
                words.push((start..start + word.len(), frequency));
            }
            start = start + word.len() + text[start + word.len()..].chars().next().map_or(0, char::len_utf8);
        }
        keys(text, &words, 1000)
    }

    #[test]
    fn numbers_names_and_rare_words_are_keys_and_a_sentences_first_word_is_none() {
        let text = "The toll at Marple is 12 pounds. Barges pay the wharfinger.";
        let found: Vec<(&str, Key)> = keys_of(text, &["wharfinger", "toll"])
            .into_iter()
            .map(|(range, key)| (&text[range], key))
            .collect();
        let expected =
            [("toll", Key::Rare), ("Marple", Key::Name), ("12", Key::Number), ("wharfinger", Key::Rare)];
        assert_eq!(found, expected);
    }

    #[test]
    fn terms_are_exchanged_for_those_of_their_kind() {
        let (text, donor) = ("Open at Marple from 9 to 17, at Marple only.", "Closed in Stoke after 21.");
        let made = exchange(text, &keys_of(text, &[]), donor, &keys_of(donor, &[])).unwrap();
        assert_eq!(made, "Open at Stoke from 21 to 17, at Stoke only.");
    }

    #[test]
    fn a_donor_with_nothing_new_makes_nothing() {
        let text = "Open at Marple from 9.";
        assert_eq!(exchange(text, &keys_of(text, &[]), text, &keys_of(text, &[])), None);
        let plain = "nothing in particular";
        assert_eq!(exchange(text, &keys_of(text, &[]), plain, &keys_of(plain, &[])), None);
    }
}
