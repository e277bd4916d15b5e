//! Answers.

use std::collections::BTreeMap;
use std::ops::Range;

use super::api::{At, Covered, FoundDocument, SearchAnswer};
use super::document::{day, kind_of, name_of, split_folder};
use crate::engine::Folder;
use crate::lexical::FieldValue;
use crate::search::{Answer, Coverage, Hit, Mode};

/// An answer of an index that follows these folders. `is_logging`: whether it can be written.
pub(super) fn shown(answer: Answer, folders: &[Folder], is_logging: bool) -> SearchAnswer {
    let Coverage { encoded, chunks } = answer.coverage;
    SearchAnswer {
        query_id: answer.logged.then_some(answer.query_id),
        took_ms: answer.took_ms.total,
        mode: answer.mode,
        generation: answer.generation,
        total: answer.total,
        coverage: Covered { covered: encoded, chunks },
        notices: notices(&answer, is_logging),
        hits: answer.hits.into_iter().map(|hit| found(hit, folders)).collect(),
    }
}

fn notices(answer: &Answer, is_logging: bool) -> Vec<String> {
    let mut notices = Vec::new();
    let Coverage { encoded, chunks } = answer.coverage;
    if chunks == 0 {
        notices.push("nothing is indexed yet".to_string());
    } else if encoded < chunks && answer.mode != Mode::Lexical {
        notices.push(format!("{encoded} of {chunks} passages can be found by their meaning so far"));
    }
    if !is_logging {
        notices.push("the index can't be written: nothing is learnt from what you open".to_string());
    }
    notices
}

fn found(hit: Hit, folders: &[Folder]) -> FoundDocument {
    let title = title(&hit.fields, &hit.title, &hit.document);
    let heading = heading(&hit.title, &title);
    FoundDocument {
        rank: hit.rank,
        highlights: in_characters(&hit.passage, &hit.highlights),
        text: hit.passage,
        passage: hit.chunk,
        place: At::from(hit.place),
        date: day(&hit.fields),
        kind: kind_of(&hit.document),
        folder: split_folder(folders, &hit.document).map(str::to_string),
        score: hit.score,
        words: hit.lexical,
        meaning: hit.dense,
        also: hit.also_in,
        document: hit.document,
        title,
        heading,
    }
}

/// A document's title: its own, else the first heading above the passage, else the name of its file.
fn title(fields: &BTreeMap<String, FieldValue>, headings: &str, document: &str) -> String {
    let own = fields.get("title").and_then(FieldValue::as_str).map(str::to_string);
    let first = headings.split(" > ").next().unwrap_or_default().trim();
    own.filter(|title| !title.trim().is_empty())
        .or_else(|| (!first.is_empty()).then(|| first.to_string()))
        .unwrap_or_else(|| name_of(document))
}

/// The headings without the title.
fn heading(headings: &str, title: &str) -> Option<String> {
    let below = match headings.strip_prefix(title) {
        Some(rest) => rest.strip_prefix(" > ").unwrap_or_default(),
        None => headings,
    };
    Some(below.to_string()).filter(|below| !below.is_empty())
}

/// Ranges of bytes as ranges of characters.
fn in_characters(text: &str, ranges: &[Range<usize>]) -> Vec<[usize; 2]> {
    let (mut bytes, mut characters) = (0, 0);
    let mut at = |byte: usize| {
        let byte = byte.min(text.len());
        // Ranges ascend.
        if let Some(between) = text.get(bytes..byte) {
            characters += between.chars().count();
            bytes = byte;
        }
        characters
    };
    ranges.iter().map(|range| [at(range.start), at(range.end)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlights_count_characters() {
        let text = "Größe 😀 of a lamp";
        let ranges: Vec<_> = ["Größe", "lamp"]
            .iter()
            .map(|word| {
                let at = text.find(word).unwrap();
                at..at + word.len()
            })
            .collect();
        assert_eq!(in_characters(text, &ranges), [[0, 5], [13, 17]]);
    }

    #[test]
    fn headings_leave_out_the_title() {
        assert_eq!(heading("Guide > Setup > Linux", "Guide"), Some("Setup > Linux".into()));
        assert_eq!(heading("Guide", "Guide"), None);
        assert_eq!(heading("Setup", "The guide"), Some("Setup".into()));
    }
}
