//! Maps offsets in extracted text to byte offsets in the file.

use std::ops::Range;

/// A stretch of extracted text and the file's bytes it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    text: Range<usize>,
    file: Range<usize>,
    /// Whether text offset and file offset differ by a constant. Otherwise (a character reference, a normalised line
    /// end) the piece represents its bytes as a whole.
    linear: bool,
}

/// The position in the file of each part of an extracted text. Parts that no piece covers, such as the line break that
/// replaces a tag, come from no byte of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Positions {
    /// Ascending by both ranges, without overlap. Empty if the text is the file from `shift` on.
    pieces: Vec<Piece>,
    shift: usize,
}

impl Positions {
    /// For a text that is the file without its first `shift` bytes.
    pub(super) fn shifted(shift: usize) -> Self {
        Positions { pieces: Vec::new(), shift }
    }

    /// Moves all positions by the length of a byte order mark that was removed before the text was read.
    pub(super) fn shift_by(&mut self, bytes: usize) {
        self.shift += bytes;
    }

    /// Records that the last `text_len` bytes of the text, which now ends at `text_end`, came from `file`.
    pub(super) fn record(&mut self, text_end: usize, text_len: usize, file: Range<usize>, linear: bool) {
        let text = text_end - text_len..text_end;
        if let Some(last) = self.pieces.last_mut()
            && linear
            && last.linear
            && last.file.end == file.start
            && last.text.end == text.start
        {
            last.text.end = text.end;
            last.file.end = file.end;
            return;
        }
        self.pieces.push(Piece { text, file, linear });
    }

    /// The end of the last piece in the file, if the text ends with that piece.
    #[cfg(feature = "formats")]
    pub(super) fn file_end_at(&self, text_end: usize) -> Option<usize> {
        self.pieces.last().filter(|last| last.text.end == text_end).map(|last| last.file.end)
    }

    /// The range in the file from which `text` came. Its ends are character boundaries if those of `text` are.
    pub(super) fn in_file(&self, text: Range<usize>) -> Range<u64> {
        let range = if self.pieces.is_empty() { text } else { self.across(text) };
        (range.start + self.shift) as u64..(range.end + self.shift) as u64
    }

    fn across(&self, text: Range<usize>) -> Range<usize> {
        let first = self.pieces.partition_point(|piece| piece.text.end <= text.start);
        let after = self.pieces.partition_point(|piece| piece.text.start < text.end);
        if first >= after {
            // Only separators: the result is the empty range at their position.
            let at = self
                .pieces
                .get(first)
                .map_or_else(|| self.pieces.last().map_or(0, |last| last.file.end), |next| next.file.start);
            return at..at;
        }
        let (head, tail) = (&self.pieces[first], &self.pieces[after - 1]);
        let into_head = text.start.saturating_sub(head.text.start);
        let start = if head.linear { head.file.start + into_head } else { head.file.start };
        let short_of_tail = tail.text.end.saturating_sub(text.end);
        let end = if tail.linear { tail.file.end - short_of_tail } else { tail.file.end };
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_moves_both_ends() {
        assert_eq!(Positions::shifted(3).in_file(0..5), 3..8);
    }

    #[test]
    fn pieces_map_linear_parts_exactly_and_others_whole() {
        // File: `<p>ab&amp;cd</p>`, text: `ab&cd`.
        let mut positions = Positions::shifted(0);
        positions.record(1, 1, 3..4, true);
        positions.record(2, 1, 4..5, true);
        positions.record(3, 1, 5..10, false);
        positions.record(5, 2, 10..12, true);
        assert_eq!(positions.pieces.len(), 3, "neighbours join");
        assert_eq!(positions.in_file(0..5), 3..12);
        assert_eq!(positions.in_file(1..3), 4..10);
        assert_eq!(positions.in_file(2..4), 5..11);
        assert_eq!(positions.in_file(3..3), 10..10);
    }

    #[test]
    fn separators_between_pieces_came_from_nowhere() {
        let mut positions = Positions::shifted(0);
        positions.record(2, 2, 10..12, true);
        positions.record(5, 2, 20..22, true);
        assert_eq!(positions.in_file(2..4), 20..21);
        assert_eq!(positions.in_file(0..3), 10..12);
        assert_eq!(positions.in_file(2..3), 20..20);
    }
}
