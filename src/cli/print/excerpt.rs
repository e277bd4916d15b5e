//! The part of a passage that a reader is shown.

use std::ops::Range;

use anstyle::Style;
use retune::Hit;
use retune::terminal::{Excerpted, Word, words, words_of_line};

use super::text::Line;

/// Lines of an excerpt.
const LINES: usize = 3;
/// Stands for what is left out before and after it.
const MORE: &str = "…";

/// A passage in three lines: from the beginning of a sentence, so that most of the words that match are shown.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// Its lines, with the matching words in a style.
    pub(super) lines: Vec<Line>,
    /// Where in the passage it begins, in bytes.
    pub(super) start: usize,
}

impl Excerpt {
    /// Of a hit, for lines of so many columns. It has no lines if the passage is no more than its headings.
    pub(super) fn of(hit: &Hit, columns: usize, matching: Style) -> Excerpt {
        let words = words(&hit.passage, &hit.title);
        // Room for the marks, and for what words leave free at the ends of lines.
        let room = (columns * LINES).saturating_sub(12);
        let excerpted = Excerpted { passage: &hit.passage, highlights: &hit.highlights, words: &words };
        let first = excerpted.best_start(room, columns / 2);
        let shown = &words[first..];
        let mut lines = Wrapped::new(columns);
        if first > 0 {
            lines.add(1, false, |line| line.and(MORE));
        }
        for word in shown {
            if lines.is_full(word) {
                lines.add(2, false, |line| line.and(" ").and(MORE));
                break;
            }
            let spaced = word.spaced || (first > 0 && word.bytes == shown[0].bytes);
            lines.add(word.columns, spaced, |line| styled(line, hit, word.bytes.clone(), matching));
        }
        Excerpt { lines: lines.finish(), start: shown.first().map_or(0, |word| word.bytes.start) }
    }
}

/// A text on lines of so many columns, broken between words.
pub(super) fn wrapped(text: &str, columns: usize, style: Style) -> Vec<Line> {
    let mut lines = Wrapped::new(columns);
    for word in words_of_line(text) {
        lines.add(word.columns, word.spaced, |line| line.and(&text[word.bytes.clone()]));
    }
    lines.finish().into_iter().map(|line| line.all_in(style)).collect()
}

/// Adds the bytes of a passage, those that match in a style.
fn styled(mut line: Line, hit: &Hit, bytes: Range<usize>, matching: Style) -> Line {
    let mut at = bytes.start;
    for range in &hit.highlights {
        let (start, end) = (range.start.clamp(at, bytes.end), range.end.clamp(at, bytes.end));
        if start < end {
            line = line.and(&hit.passage[at..start]).with(matching, &hit.passage[start..end]);
            at = end;
        }
    }
    line.and(&hit.passage[at..bytes.end])
}

/// Lines that grow word by word.
struct Wrapped {
    columns: usize,
    full: Vec<Line>,
    line: Line,
    used: usize,
}

impl Wrapped {
    fn new(columns: usize) -> Wrapped {
        Wrapped { columns, full: Vec::new(), line: Line::default(), used: 0 }
    }

    /// Whether a word would leave no room for the mark of what is left out.
    fn is_full(&self, word: &Word) -> bool {
        let needed = self.used + word.columns + usize::from(word.spaced) + 2;
        self.full.len() + 1 == LINES && needed > self.columns
    }

    /// Adds a word of so many columns, on a new line if it does not fit.
    fn add(&mut self, columns: usize, spaced: bool, text: impl FnOnce(Line) -> Line) {
        let gap = usize::from(spaced && self.used > 0);
        let mut line = std::mem::take(&mut self.line);
        if self.used > 0 && self.used + gap + columns > self.columns {
            self.full.push(line);
            (line, self.used) = (Line::default(), 0);
        } else if gap > 0 {
            line = line.and(" ");
            self.used += 1;
        }
        self.line = text(line);
        self.used += columns;
    }

    fn finish(mut self) -> Vec<Line> {
        if self.used > 0 {
            self.full.push(self.line);
        }
        self.full
    }
}
