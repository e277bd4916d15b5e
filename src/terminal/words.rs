//! The words of a passage, without what only its format needs.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::width::width;

/// A piece of a passage that is never broken over two lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Its bytes in the passage.
    pub bytes: Range<usize>,
    /// The columns that it takes.
    pub columns: usize,
    /// Whether a space stands before it.
    pub spaced: bool,
    /// Whether a sentence, a paragraph or an item of a list begins with it.
    pub begins: bool,
}

/// The longest word that is kept whole, in columns. Longer ones, such as URLs, may be broken at every [`PIECE`].
const LONGEST: usize = 60;
const PIECE: usize = 20;

/// The words of a passage. Left out are the headings at its beginning that its title has, and lines of punctuation:
/// underlines, rules, fences, borders of tables.
pub fn words(passage: &str, title: &str) -> Vec<Word> {
    let headings: Vec<&str> = title.split(" > ").collect();
    let (mut words, mut start) = (Vec::new(), 0);
    let mut paragraph = true;
    for line in passage.split_inclusive('\n') {
        let trimmed = line.trim();
        let place = start + (line.len() - line.trim_start().len());
        start += line.len();
        let heading = trimmed.trim_matches('#').trim();
        let is_repeated = words.is_empty() && headings.contains(&heading);
        if trimmed.chars().all(|c| c.is_ascii_punctuation()) || is_repeated {
            paragraph = true;
            continue;
        }
        let is_heading = trimmed.starts_with('#');
        let is_item = trimmed.starts_with(['-', '*', '+', '|']);
        let begins = std::mem::take(&mut paragraph) || is_heading || is_item;
        add_line(passage, place..place + trimmed.len(), begins, &mut words);
        paragraph = is_heading;
    }
    words
}

/// The words of a text that is one line, such as a title.
pub fn words_of_line(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    add_line(text, 0..text.len(), false, &mut words);
    words
}

/// Adds the words of a line.
fn add_line(passage: &str, line: Range<usize>, begins: bool, words: &mut Vec<Word>) {
    let mut begins = begins || words.last().is_some_and(|last| ends_sentence(&passage[last.bytes.clone()]));
    let mut at = line.start;
    for part in passage[line].split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        let bytes = at..at + word.len();
        at += part.len();
        // The mark of a heading says nothing to a reader.
        if word.is_empty() || begins && word.bytes().all(|byte| byte == b'#') {
            continue;
        }
        for (number, piece) in pieces(passage, bytes).into_iter().enumerate() {
            let columns = width(&passage[piece.clone()]);
            let ends = ends_sentence(&passage[piece.clone()]);
            words.push(Word { bytes: piece, columns, spaced: number == 0, begins });
            begins = ends;
        }
    }
}

/// A word, or what it may be broken into: ideographs, of which each is one, and the stretches of overlong words.
fn pieces(passage: &str, word: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let is_overlong = passage[word.clone()].width() > LONGEST;
    let (mut columns, mut after_wide) = (0, false);
    for (at, c) in passage[word.clone()].char_indices() {
        let (at, end) = (word.start + at, word.start + at + c.len_utf8());
        let wide = c.width() == Some(2) && c.is_alphanumeric();
        let apart = wide || after_wide && c.is_alphanumeric() || is_overlong && columns >= PIECE;
        match pieces.last_mut() {
            Some(last) if !apart || c.width() == Some(0) => last.end = end,
            _ => {
                pieces.push(at..end);
                columns = 0;
            }
        }
        columns += c.width().unwrap_or(1);
        after_wide = wide;
    }
    pieces
}

fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches(['"', '\'', ')', ']', '»', '”', '’', '*', '_']);
    word.ends_with(['.', '!', '?', '…', '。', '！', '？'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(passage: &'a str, title: &str) -> Vec<&'a str> {
        words(passage, title).into_iter().map(|word| &passage[word.bytes]).collect()
    }

    #[test]
    fn headings_of_the_title_and_lines_of_punctuation_are_left_out() {
        let passage = "=====\nGuide\n=====\n\n## Install ##\n\nTake it.\n-----\n+--+--+\n| a | b |\n```\n";
        assert_eq!(texts(passage, "Guide > Install"), ["Take", "it.", "|", "a", "|", "b", "|"]);
        // Only at the beginning, and only if the title says it.
        assert_eq!(texts("# Other\n\nInstall\n", "Guide > Install"), ["Other", "Install"]);
        assert_eq!(texts("Guide\n=====\n", "Guide"), [""; 0]);
    }

    #[test]
    fn sentences_paragraphs_and_items_begin() {
        let begun = |passage: &str| -> Vec<String> {
            let words = words(passage, "").into_iter().filter(|word| word.begins);
            words.map(|word| passage[word.bytes].to_string()).collect()
        };
        assert_eq!(
            begun("One two. Three (four.) five\nsix\n\nseven\n- eight"),
            ["One", "Three", "five", "seven", "-"]
        );
        assert_eq!(begun("水門。開ける"), ["水", "開"]);
    }

    #[test]
    fn ideographs_and_overlong_words_may_be_broken() {
        assert_eq!(texts("水門を open", ""), ["水", "門", "を", "open"]);
        let long = "x".repeat(70);
        assert_eq!(texts(&long, "").iter().map(|piece| piece.len()).collect::<Vec<_>>(), [20, 20, 20, 10]);
        assert_eq!(texts("e\u{301}t\u{301}", ""), ["e\u{301}t\u{301}"]);
    }
}
