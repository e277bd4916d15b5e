//! The line of a passage that a result shows, and where that stands in the file.

use std::ops::Range;

use crate::access::api::FoundDocument;
use crate::place::Place;
use crate::terminal::{Excerpted, Word, words};

/// Columns of the line that decides where a document is opened, whatever the screen has.
const COLUMNS: usize = 74;

/// A passage, from the word on from where most of the words that match are seen.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// The words of the passage, without its headings.
    pub(super) words: Vec<Word>,
    /// The ranges of bytes that match.
    pub(super) highlights: Vec<Range<usize>>,
    /// The word to begin with.
    pub(super) first: usize,
}

impl Excerpt {
    /// For a line of so many columns.
    pub(super) fn of(hit: &FoundDocument, columns: usize) -> Excerpt {
        let headings = match &hit.heading {
            Some(heading) => format!("{} > {heading}", hit.title),
            None => hit.title.clone(),
        };
        let words = words(&hit.text, &headings);
        let highlights = in_bytes(&hit.text, &hit.highlights);
        let excerpted = Excerpted { passage: &hit.text, highlights: &highlights, words: &words };
        let first = excerpted.best_start(columns, columns / 3);
        Excerpt { first, words, highlights }
    }
}

/// Where in its file a result's excerpt begins. Of pages, sheets and the like, and of what is no text in its file, it
/// is where the passage begins.
pub(super) fn place_of(hit: &FoundDocument) -> Place {
    let mut place = hit.place.place.clone();
    let is_extracted = ["html", "htm", "xhtml", "ipynb"].contains(&hit.kind.as_str());
    if let (Some(line), Some(column), false) = (&mut place.line, &mut place.column, is_extracted) {
        let excerpt = Excerpt::of(hit, COLUMNS);
        let start = excerpt.words.get(excerpt.first).map_or(0, |word| word.bytes.start);
        let before = &hit.text[..start];
        let last = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32;
        let breaks = before.matches('\n').count() as u32;
        *line += breaks;
        *column = if breaks == 0 { *column + last } else { 1 + last };
    }
    place
}

/// Ranges of characters as ranges of bytes.
fn in_bytes(text: &str, ranges: &[[usize; 2]]) -> Vec<Range<usize>> {
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let at = |character: usize| ends[character.min(ends.len() - 1)];
    ranges.iter().map(|&[start, end]| at(start)..at(end)).collect()
}
