//! The passage in its context, laid out for so many columns.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::excerpt::place_of;
use crate::access::api::{FoundDocument, ReadAnswer};
use crate::ids::ChunkId;
use crate::terminal::{acts, escaped, stands};

/// Rows of context that are left above the passage.
const ABOVE: usize = 1;
const TAB: &str = "    ";

/// A stretch of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// Whether it matches the query.
    pub(super) matches: bool,
}

/// A row of the screen.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) pieces: Vec<Piece>,
    /// Whether it belongs to the passage that was found.
    pub(super) marked: bool,
}

/// A part of a document around a passage.
#[derive(Debug)]
pub(super) struct Preview {
    pub(super) answer: ReadAnswer,
    pub(super) passage: ChunkId,
    /// The document, and where in it the excerpt begins.
    pub(super) place: String,
    /// The ranges of characters in the passage that match.
    highlights: Vec<[usize; 2]>,
    rows: Vec<Row>,
    columns: usize,
    room: usize,
    pub(super) top: usize,
}

impl Preview {
    /// Begins at the passage, or so that its first match is seen.
    pub(super) fn new(hit: &FoundDocument, answer: ReadAnswer) -> Preview {
        Preview {
            answer,
            passage: hit.passage,
            place: stands(&hit.document, &place_of(hit)),
            highlights: hit.highlights.clone(),
            rows: Vec::new(),
            columns: 0,
            room: 0,
            top: 0,
        }
    }

    /// Lays it out anew where the room is another.
    pub(super) fn fit(&mut self, columns: u16, room: u16) {
        let (columns, room) = (usize::from(columns), usize::from(room));
        if (columns, room) != (self.columns, self.room) {
            (self.columns, self.room) = (columns, room);
            self.rows = self.lay_out();
            self.top = self.first();
        }
    }

    /// Marks what matches in the same passage, found by another query.
    pub(super) fn mark(&mut self, hit: &FoundDocument) {
        if self.highlights != hit.highlights {
            self.highlights.clone_from(&hit.highlights);
            self.place = stands(&hit.document, &place_of(hit));
            self.columns = 0;
        }
    }

    /// The rows that are shown.
    pub(super) fn shown(&self) -> &[Row] {
        let end = (self.top + self.room).min(self.rows.len());
        &self.rows[self.top.min(end)..end]
    }

    /// Whether something stands above or below what is shown.
    pub(super) fn goes_on(&self) -> (bool, bool) {
        let cut = self.answer.cut;
        (self.top > 0 || cut.before, self.top + self.room < self.rows.len() || cut.after)
    }

    /// Moves by so many rows. Returns whether it has moved.
    pub(super) fn scroll(&mut self, rows: isize) -> bool {
        let before = self.top;
        self.top = self.top.saturating_add_signed(rows).min(self.rows.len().saturating_sub(self.room));
        self.top != before
    }

    /// Moves by pages, of which each repeats a row.
    pub(super) fn turn(&mut self, pages: isize) -> bool {
        self.scroll(pages * self.room.saturating_sub(1).max(1) as isize)
    }

    fn first(&self) -> usize {
        let begins = self.rows.iter().position(|row| row.marked).unwrap_or(0);
        let matches = self.rows.iter().position(|row| row.marked && row.pieces.iter().any(|one| one.matches));
        let top = match matches {
            Some(matches) if matches >= (begins + self.room).saturating_sub(ABOVE) => {
                matches.saturating_sub(2)
            }
            _ => begins.saturating_sub(ABOVE),
        };
        top.min(self.rows.len().saturating_sub(self.room))
    }

    fn lay_out(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for passage in &self.answer.passages {
            let highlights = if passage.marked { &*self.highlights } else { &[] };
            let mut wrap = Wrap { rows: &mut rows, columns: self.columns.max(1), marked: passage.marked };
            wrap.passage(passage.text.trim_end(), highlights);
            rows.push(Row::default());
        }
        rows.pop();
        rows
    }
}

/// Puts text on rows.
struct Wrap<'a> {
    rows: &'a mut Vec<Row>,
    columns: usize,
    marked: bool,
}

impl Wrap<'_> {
    fn passage(&mut self, text: &str, highlights: &[[usize; 2]]) {
        // In characters.
        let mut at = 0;
        for line in text.split('\n') {
            self.line(line.trim_end_matches('\r'), at, highlights);
            at += line.chars().count() + 1;
        }
    }

    /// A line of a file that begins at this character of its passage. It is broken behind white space where that is.
    fn line(&mut self, line: &str, begins: usize, highlights: &[[usize; 2]]) {
        let mut at = begins;
        let mut row = Filling::default();
        for word in line.split_inclusive(char::is_whitespace) {
            let cells: Vec<(String, bool)> = word
                .graphemes(true)
                .map(|one| {
                    let matches = highlights.iter().any(|&[start, end]| (start..end).contains(&at));
                    at += one.chars().count();
                    (shown(one), matches)
                })
                .collect();
            let wide = |cells: &[(String, bool)]| cells.iter().map(|(text, _)| text.width()).sum::<usize>();
            if row.used > 0
                && row.used + wide(&cells).saturating_sub(usize::from(ends_in_space(word))) > self.columns
            {
                self.end(&mut row);
            }
            for (text, matches) in cells {
                if row.used > 0 && row.used + text.width() > self.columns {
                    // White space behind the last word of a row is not shown.
                    if text.trim().is_empty() {
                        continue;
                    }
                    self.end(&mut row);
                }
                row.add(&text, matches);
            }
        }
        self.end(&mut row);
    }

    fn end(&mut self, row: &mut Filling) {
        self.rows.push(Row { pieces: std::mem::take(row).pieces, marked: self.marked });
    }
}

/// A row that is being filled.
#[derive(Default)]
struct Filling {
    pieces: Vec<Piece>,
    used: usize,
}

impl Filling {
    fn add(&mut self, text: &str, matches: bool) {
        self.used += text.width();
        match self.pieces.last_mut() {
            Some(last) if last.matches == matches => last.text.push_str(text),
            _ => self.pieces.push(Piece { text: text.to_string(), matches }),
        }
    }
}

fn ends_in_space(word: &str) -> bool {
    word.ends_with(char::is_whitespace)
}

/// What stands on the screen for what people call a character.
fn shown(grapheme: &str) -> String {
    match grapheme {
        "\t" => TAB.into(),
        _ if grapheme.contains(acts) => escaped(grapheme).into_owned(),
        _ => grapheme.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, columns: usize, highlights: &[[usize; 2]]) -> Vec<String> {
        let mut rows = Vec::new();
        Wrap { rows: &mut rows, columns, marked: true }.passage(text, highlights);
        let piece = |one: &Piece| if one.matches { format!("<{}>", one.text) } else { one.text.clone() };
        rows.iter().map(|row| row.pieces.iter().map(piece).collect()).collect()
    }

    #[test]
    fn lines_are_kept_and_long_ones_broken_between_words() {
        assert_eq!(rows("one two three\n\n  four\r\n", 8, &[]), ["one two ", "three", "", "  four", ""]);
        assert_eq!(rows("abcdefghij kl", 4, &[]), ["abcd", "efgh", "ij ", "kl"]);
        assert_eq!(rows("one two", 3, &[]), ["one", "two"]);
        assert_eq!(rows("水門を開ける", 5, &[]), ["水門", "を開", "ける"]);
        assert_eq!(rows("a\tb", 9, &[]), ["a    b"]);
    }

    #[test]
    fn what_matches_is_marked_over_lines_and_wide_characters() {
        assert_eq!(rows("a 水門 b\nfog horn", 20, &[[2, 4], [7, 15]]), ["a <水門> b", "<fog horn>"]);
        assert_eq!(rows("sluices", 4, &[[2, 5]]), ["sl<ui>", "<c>es"]);
        // A combining mark goes with its letter.
        assert_eq!(rows("e\u{301}te\u{301}", 2, &[[2, 3]]), ["e\u{301}<t>", "e\u{301}"]);
    }

    #[test]
    fn nothing_acts_on_the_terminal() {
        let text = rows("a\x1b[2Jb\u{202e}c\u{9b}\u{7}", 80, &[]).concat();
        assert_eq!(text, "a\\u{1b}[2Jb\\u{202e}c\\u{9b}\\u{7}");
    }
}
