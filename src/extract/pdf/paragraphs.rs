//! Lines to paragraphs.

use std::collections::HashSet;

use super::headings::Headings;
use super::lines::Line;
use crate::extract::text::{ExtractedText, Heading, Marker};
use crate::place::Place;

/// The text of all pages, with its structure.
pub(super) struct Paragraphs<'a> {
    extracted: ExtractedText,
    /// All words with a hyphen inside, and all words, in lower case: they tell how a divided word is written.
    words: HashSet<String>,
    /// Of the last line, if the next one may go on with it.
    last: Option<&'a Line>,
    /// The right edge of the block that is open.
    edge: f64,
}

/// How a line goes on with the one before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// In the same sentence.
    Space,
    /// In the same block: a list, a listing, a verse.
    Break,
    /// It does not.
    Paragraph,
}

impl<'a> Paragraphs<'a> {
    pub(super) fn of(pages: &'a [Vec<Line>], headings: &Headings) -> Paragraphs<'a> {
        let words = pages.iter().flatten().flat_map(|line| line.text.split_whitespace()).map(bare).collect();
        let mut all = Paragraphs { extracted: ExtractedText::default(), words, last: None, edge: 0.0 };
        let mut heading: Option<u8> = None;
        for (page, lines) in pages.iter().enumerate() {
            let mut is_first = true;
            for (at, line) in lines.iter().enumerate() {
                let level = headings.get(&(page, at)).copied();
                let joint = all.joint(line, is_first);
                // A heading of two lines is one.
                let goes_on = level.is_some() && level == heading && joint != Joint::Paragraph;
                if is_first || level != heading || joint == Joint::Paragraph {
                    all.edge = right_edge(&lines[at..]);
                }
                all.append(line, if level == heading || goes_on { joint } else { Joint::Paragraph });
                if is_first {
                    all.mark(page, line);
                    is_first = false;
                }
                if let Some(level) = level {
                    all.head(level, line, goes_on);
                }
                heading = level;
            }
        }
        all
    }

    pub(super) fn into_text(self) -> ExtractedText {
        self.extracted
    }

    fn joint(&self, line: &Line, is_first: bool) -> Joint {
        let Some(last) = self.last else { return Joint::Paragraph };
        let size = last.size.max(line.size);
        let down = last.y - line.y;
        // From the bottom of a page to the top of the next a sentence goes on if it has not ended.
        if is_first || down < -size * 0.5 {
            let ended =
                last.text.ends_with(['.', '!', '?', ':', '”', '"']) || last.right < self.edge - size * 2.0;
            let same = (last.size - line.size).abs() < 0.3 && line.text.starts_with(char::is_lowercase);
            return if same && !ended { Joint::Space } else { Joint::Paragraph };
        }
        if last.turned != line.turned || down > size * 1.75 || (last.size - line.size).abs() > size * 0.2 {
            return Joint::Paragraph;
        }
        if down < size * 0.3 {
            // Beside the last one: cells, or the number of an item.
            return Joint::Space;
        }
        if is_item(&line.text) {
            return Joint::Break;
        }
        let is_lower = line.text.starts_with(char::is_lowercase);
        let is_cut = last.text.ends_with(['-', '\u{2010}', '\u{ad}']) && is_lower;
        // The first line of a paragraph is indented; so is the second of an item, behind its bullet.
        let indented = line.left - last.left;
        let is_first_line =
            indented > size * 0.8 && indented < size * 4.0 && !is_lower && !is_item(&last.text);
        if is_first_line && last.right > self.edge - size * 4.0 {
            return Joint::Paragraph;
        }
        let is_full = is_cut || last.right > self.edge - size * 6.0;
        if is_full && !has_leader(&last.text) { Joint::Space } else { Joint::Break }
    }

    fn append(&mut self, line: &'a Line, joint: Joint) {
        self.last = Some(line);
        let text = &mut self.extracted.text;
        if text.is_empty() {
            text.push_str(&line.text);
            self.extracted.blocks.push(0);
            return;
        }
        match joint {
            Joint::Paragraph => {
                text.push_str("\n\n");
                self.extracted.blocks.push(text.len());
            }
            Joint::Break => text.push('\n'),
            Joint::Space if text.ends_with('\u{ad}') => drop(text.pop()),
            Joint::Space if text.ends_with(['-', '\u{2010}']) => {
                if self.is_divided(&line.text) {
                    self.extracted.text.pop();
                }
            }
            Joint::Space => text.push(' '),
        }
        self.extracted.text.push_str(&line.text);
    }

    /// Whether the hyphen at the end of the text only divides a word that goes on with `next`.
    fn is_divided(&self, next: &str) -> bool {
        let text = &self.extracted.text;
        let first = text.rsplit(char::is_whitespace).next().unwrap_or_default();
        let first = &first[..first.char_indices().next_back().map_or(0, |(at, _)| at)];
        let rest = next.split_whitespace().next().unwrap_or_default();
        if !first.ends_with(char::is_alphabetic) || !rest.starts_with(char::is_lowercase) {
            return false;
        }
        let whole = self.words.contains(&bare(&format!("{first}{rest}")));
        whole || !self.words.contains(&bare(&format!("{first}-{rest}")))
    }

    fn mark(&mut self, page: usize, line: &Line) {
        let place = Place { page: u32::try_from(page + 1).ok(), ..Place::default() };
        let start = self.extracted.text.len() - line.text.len();
        self.extracted.markers.push(Marker { start, place });
    }

    fn head(&mut self, level: u8, line: &Line, goes_on: bool) {
        let end = self.extracted.text.len();
        match self.extracted.headings.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.end = end;
                last.title = self.extracted.text[last.start..end].replace('\n', " ");
            }
            None => {
                let start = end - line.text.len();
                self.extracted.headings.push(Heading { start, end, level, title: line.text.clone() });
            }
        }
    }
}

/// The right edge of the lines that stand close below each other.
fn right_edge(lines: &[Line]) -> f64 {
    let mut edge = lines.first().map_or(0.0, |line| line.right);
    for pair in lines.windows(2) {
        let down = pair[0].y - pair[1].y;
        if down > pair[0].size * 1.75 || down < -pair[0].size * 0.5 {
            break;
        }
        edge = edge.max(pair[1].right);
    }
    edge
}

/// Whether a line begins with a bullet.
fn is_item(line: &str) -> bool {
    let mut characters = line.chars();
    characters.next().is_some_and(|c| "•◦‣▪–-*".contains(c)) && characters.next() == Some(' ')
}

/// Whether a line leads to a page, as in a table of contents.
fn has_leader(line: &str) -> bool {
    line.contains("....") || line.contains(". . . ")
}

/// A word without what stands around it.
fn bare(word: &str) -> String {
    word.trim_matches(|one: char| !one.is_alphanumeric()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_go_on_behind_their_bullets_and_divided_words_are_joined() {
        let line = |text: &str, left: f64, y: f64| Line {
            text: text.into(),
            left,
            right: 300.0,
            y,
            size: 10.0,
            turned: 0,
        };
        let page = vec![
            line("• without violating any licenses, im-", 50.0, 700.0),
            line("port restrictions, or any law of the", 62.0, 688.0),
            line("Admiralty.", 62.0, 676.0),
            line("• The lamp is trimmed at dusk by", 50.0, 664.0),
        ];
        let text = Paragraphs::of(&[page], &Headings::new()).into_text().text;
        let first = "• without violating any licenses, import restrictions, or any law of the Admiralty.";
        assert_eq!(text, format!("{first}\n• The lamp is trimmed at dusk by"));
    }
}
