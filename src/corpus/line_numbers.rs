//! Lines and columns of offsets in a text.

use crate::place::Place;

/// Finds lines and columns. One pass over the text serves all offsets if they ascend.
pub(super) struct LineNumbers<'t> {
    text: &'t str,
    /// The offset that was asked for last, and where it is.
    at: usize,
    line: u32,
    column: u32,
}

impl<'t> LineNumbers<'t> {
    pub(super) fn of(text: &'t str) -> LineNumbers<'t> {
        let mut lines = LineNumbers { text, at: 0, line: 1, column: 1 };
        lines.restart();
        lines
    }

    /// The place of the character at an offset in bytes, or of the last one before it.
    pub(super) fn find(&mut self, offset: u64) -> Place {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        if offset < self.at {
            self.restart();
        }
        let (from, to) = (self.at, self.text.floor_char_boundary(offset).max(self.at));
        let passed = &self.text[from..to];
        let mut last = passed;
        if let Some((before, behind)) = passed.rsplit_once('\n') {
            let breaks = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
            self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
            self.column = 1;
            last = behind;
        }
        self.column = self.column.saturating_add(u32::try_from(last.chars().count()).unwrap_or(u32::MAX));
        self.at = to;
        Place { line: Some(self.line), column: Some(self.column), ..Place::default() }
    }

    /// To the first character. Editors don't show a byte order mark.
    fn restart(&mut self) {
        self.at = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        (self.line, self.column) = (1, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_any_order_of_questions() {
        let text = "\u{feff}é first\r\nsecond\n\n漢字 fourth";
        let mut lines = LineNumbers::of(text);
        let mut place = |of: &str| {
            let place = lines.find(text.find(of).unwrap() as u64);
            (place.line.unwrap(), place.column.unwrap())
        };
        assert_eq!(place("first"), (1, 3));
        assert_eq!(place("second"), (2, 1));
        assert_eq!(place("fourth"), (4, 4));
        assert_eq!(place("é"), (1, 1));
        assert_eq!(place("字"), (4, 2));
        let end = lines.find(u64::MAX);
        assert_eq!((end.line, end.column), (Some(4), Some(10)));
        assert_eq!(LineNumbers::of("").find(7).line, Some(1));
    }
}
