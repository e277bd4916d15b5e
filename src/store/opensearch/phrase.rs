//! Words in this order, as clauses.

use serde_json::{Value as Json, json};

use super::clauses::{all_of, any_of, everything};
use super::mapping::{TEXT_TERMS, WORDS};
use super::terms::text_of_phrase;
use crate::lexical::Analysis;

/// The chunks with these words in any form.
pub(super) fn in_any_form(words: &str, field: &str, analysis: &Analysis) -> Json {
    in_any_language(words, field, analysis).map_or_else(everything, any_of)
}

/// The chunks with these words as they stand, in title or passage.
pub(super) fn exact(words: &str, analysis: &Analysis) -> Json {
    let Some(in_any_form) = in_any_language(words, TEXT_TERMS, analysis).map(any_of) else {
        return everything();
    };
    let Some(exact) = analysis.exact_phrases(words) else { return in_any_form };
    let exact = exact.iter().map(|words| {
        let words = words.iter().enumerate().map(|(at, word)| (at, word.as_str()));
        json!({ "match_phrase": { WORDS: text_of_phrase(words) } })
    });
    all_of(vec![in_any_form, any_of(exact.collect())])
}

/// A clause for each language. `None` if the text has no word in one of them.
fn in_any_language(words: &str, field: &str, analysis: &Analysis) -> Option<Vec<Json>> {
    let mut any = Vec::new();
    for words in analysis.phrases(words) {
        if words.is_empty() {
            return None;
        }
        let text = text_of_phrase(words.iter().map(|(position, term)| (*position, term.as_str())));
        any.push(json!({ "match_phrase": { field: text } }));
    }
    Some(any)
}
