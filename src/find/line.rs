//! The line that is typed, with the keys of readline.

use unicode_segmentation::UnicodeSegmentation;

/// The longest query in bytes, as far as operators are read.
const LONGEST: usize = 4096;

/// A change of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    Insert(String),
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Backspace,
    Delete,
    DeleteWordBefore,
    DeleteWordAfter,
    /// Deletes what stands before the cursor.
    DeleteBefore,
}

/// A line with a cursor in it.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    /// In bytes; between two characters as people count them.
    cursor: usize,
}

impl Line {
    /// A line with the cursor at its end.
    pub(super) fn new(text: &str) -> Line {
        let mut line = Line::default();
        line.insert(text);
        line
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub(super) fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Returns whether the text has changed.
    pub(super) fn edit(&mut self, edit: &Edit) -> bool {
        let length = self.text.len();
        match edit {
            Edit::Insert(text) => self.insert(text),
            Edit::Left => self.cursor = self.left(),
            Edit::Right => self.cursor = self.right(),
            Edit::WordLeft => self.cursor = self.word_left(),
            Edit::WordRight => self.cursor = self.word_right(),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = length,
            Edit::Backspace => self.delete(self.left(), self.cursor),
            Edit::Delete => self.delete(self.cursor, self.right()),
            Edit::DeleteWordBefore => self.delete(self.word_left(), self.cursor),
            Edit::DeleteWordAfter => self.delete(self.cursor, self.word_right()),
            Edit::DeleteBefore => self.delete(0, self.cursor),
        }
        self.text.len() != length
    }

    /// Line breaks and other controls in a text that is pasted are spaces. What makes the line too long is left out.
    fn insert(&mut self, text: &str) {
        let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        let room = LONGEST - self.text.len();
        let mut fits = 0;
        let plain: String = plain
            .take_while(|c| {
                fits += c.len_utf8();
                fits <= room
            })
            .collect();
        self.text.insert_str(self.cursor, &plain);
        self.cursor += plain.len();
    }

    fn delete(&mut self, start: usize, end: usize) {
        self.text.replace_range(start..end, "");
        self.cursor = start;
    }

    fn left(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    fn word_left(&self) -> usize {
        let word = self.before().trim_end();
        word.rfind(char::is_whitespace)
            .map_or(0, |at| at + word[at..].chars().next().map_or(0, char::len_utf8))
    }

    fn word_right(&self) -> usize {
        let after = &self.text[self.cursor..];
        let space = after.len() - after.trim_start().len();
        let word = after[space..].find(char::is_whitespace);
        self.cursor + word.map_or(after.len(), |end| space + end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, edits: &[Edit]) -> (String, usize) {
        let mut line = Line::new(text);
        for edit in edits {
            line.edit(edit);
        }
        (line.text, line.cursor)
    }

    #[test]
    fn keys_edit_as_in_readline() {
        use Edit::*;
        assert_eq!(after("open the gate", &[DeleteWordBefore]), ("open the ".into(), 9));
        assert_eq!(after("open the  ", &[DeleteWordBefore]), ("open ".into(), 5));
        assert_eq!(after("open the gate", &[WordLeft, DeleteBefore]), ("gate".into(), 0));
        assert_eq!(after("open the gate", &[Home, DeleteWordAfter]), (" the gate".into(), 0));
        assert_eq!(after("open the gate", &[Home, WordRight, WordRight, Delete]), ("open thegate".into(), 8));
        assert_eq!(after("ab", &[Left, Insert("x".into()), Right, Right]), ("axb".into(), 3));
        assert_eq!(after("", &[Backspace, Delete, Left, WordLeft, WordRight]), (String::new(), 0));
    }

    #[test]
    fn the_cursor_stands_between_what_people_call_characters() {
        use Edit::*;
        assert_eq!(after("e\u{301}👩\u{200d}🚀", &[Left, Left]), ("e\u{301}👩\u{200d}🚀".into(), 0));
        assert_eq!(after("水門", &[Backspace]), ("水".into(), 3));
        assert_eq!(after("a\u{a0}b", &[WordLeft, Insert("-".into())]), ("a\u{a0}-b".into(), 4));
    }

    #[test]
    fn what_is_pasted_is_one_line_of_bounded_length() {
        assert_eq!(after("", &[Edit::Insert("a\nb\tc\x1b".into())]), ("a b c ".into(), 6));
        assert_eq!(after("", &[Edit::Insert("é".repeat(5000))]).1, LONGEST);
        let mut full = Line::new(&"x".repeat(LONGEST));
        assert!(!full.edit(&Edit::Insert("y".into())));
    }
}
