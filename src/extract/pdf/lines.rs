//! Glyphs to lines.

use super::glyphs::Glyph;

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) text: String,
    /// Where it begins and ends, in points.
    pub(super) left: f64,
    pub(super) right: f64,
    /// The baseline, in points from the bottom of the page.
    pub(super) y: f64,
    /// The size of most of its glyphs, in points.
    pub(super) size: f64,
    pub(super) turned: i8,
}

/// Lines in the order in which their first glyphs are drawn.
pub(super) fn lines_of(glyphs: Vec<Glyph>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Open> = None;
    for glyph in glyphs {
        match &mut open {
            Some(line) if line.takes(&glyph) => line.add(&glyph),
            _ => {
                lines.extend(open.take().and_then(Open::close));
                open = Some(Open::with(&glyph));
            }
        }
    }
    lines.extend(open.and_then(Open::close));
    lines
}

struct Open {
    line: Line,
    /// Glyphs of the line's size, and of others.
    counted: isize,
}

/// A gap of so much of the size is a space.
const SPACE: f64 = 0.13;

impl Open {
    fn with(glyph: &Glyph) -> Open {
        let Glyph { x, y, size, turned, .. } = *glyph;
        let mut open =
            Open { line: Line { text: String::new(), left: x, right: x, y, size, turned }, counted: 0 };
        open.add(glyph);
        open
    }

    /// Whether a glyph goes on with the line. Raised and lowered signs do, what stands to the left does not.
    fn takes(&self, glyph: &Glyph) -> bool {
        let line = &self.line;
        let larger = line.size.max(glyph.size);
        glyph.turned == line.turned
            && (glyph.y - line.y).abs() < larger * 0.6
            && glyph.x > line.right - larger * 0.9
            && glyph.x + glyph.width > line.left
    }

    fn add(&mut self, glyph: &Glyph) {
        let line = &mut self.line;
        let gap = glyph.x - line.right;
        let is_blank = glyph.text.chars().all(char::is_whitespace);
        if (is_blank || gap > line.size.min(glyph.size) * SPACE) && !line.text.ends_with(' ') {
            line.text.push(' ');
        }
        if !is_blank {
            glyph.text.chars().for_each(|one| push(&mut line.text, one));
        }
        line.right = line.right.max(glyph.x + glyph.width);
        // The size that most glyphs have, found in one pass.
        let same = (glyph.size - line.size).abs() < 0.3;
        self.counted += if same { 1 } else { -1 };
        if self.counted < 0 {
            (line.size, line.y, self.counted) = (glyph.size, glyph.y, 1);
        }
    }

    fn close(self) -> Option<Line> {
        let text = self.line.text.trim();
        (!text.is_empty()).then(|| Line { text: text.to_owned(), ..self.line })
    }
}

/// Ligatures become their letters; control characters and those for private use are nobody's words.
fn push(text: &mut String, one: char) {
    match one {
        '\u{fb00}' => text.push_str("ff"),
        '\u{fb01}' => text.push_str("fi"),
        '\u{fb02}' => text.push_str("fl"),
        '\u{fb03}' => text.push_str("ffi"),
        '\u{fb04}' => text.push_str("ffl"),
        '\u{fb05}' | '\u{fb06}' => text.push_str("st"),
        '\u{e000}'..='\u{f8ff}' | '\u{fffd}' | '\u{feff}' => {}
        one if one.is_control() => {}
        one => text.push(one),
    }
}
