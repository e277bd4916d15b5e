//! Finds headings that are underlined with punctuation: reStructuredText, AsciiDoc, plain text.
//!
//! The style of a heading is the character and whether there is an overline too. The style decides the level: styles
//! rank in the order in which they first appear, as in reStructuredText.

use super::front_matter::FrontMatter;
use crate::corpus::contents;
use crate::corpus::format::Format;
use crate::corpus::outline::{Extracted, Fields, Heading, Outline, one_line};

/// Reads plain text or reStructuredText. The text is the file itself.
pub(super) fn extract(text: &str, format: Format) -> Extracted<'_> {
    let headings = headings(text, format);
    let is_rst = format == Format::Rst;
    Extracted {
        title: if is_rst { preamble_title(text) } else { None },
        fields: if is_rst { document_fields(text) } else { Fields::new() },
        contents: contents::in_lines(text, format),
        ..Extracted::whole(text, Outline::new(headings))
    }
}

struct Line<'a> {
    start: usize,
    /// Without the line end and white space before it.
    text: &'a str,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut next = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        lines.push(Line { start: next, text: line.trim_end() });
        next += line.len();
    }
    lines
}

fn headings(text: &str, format: Format) -> Vec<Heading> {
    let lines = lines(text);
    let mut styles: Vec<(char, bool)> = Vec::new();
    let mut headings: Vec<Heading> = Vec::new();
    for index in 1..lines.len() {
        let (title, under) = (&lines[index - 1], &lines[index]);
        let Some(mark) = adornment(under.text, format) else { continue };
        let taken = headings.last().map_or(0, |last| last.end);
        if taken > title.start {
            continue;
        }
        let above = index.checked_sub(2).map(|above| &lines[above]);
        let overline = above.filter(|line| line.text == under.text && line.start >= taken);
        let after_heading = above.is_some_and(|line| line.start < taken);
        let set_apart = after_heading || above.is_none_or(|line| line.text.is_empty()) || overline.is_some();
        if !set_apart || !fits(title.text, under.text.len(), overline.is_some(), format) {
            continue;
        }
        let style = (mark, overline.is_some());
        let rank = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
            styles.push(style);
            styles.len() - 1
        });
        headings.push(Heading {
            start: overline.unwrap_or(title).start,
            end: under.start + under.text.len(),
            level: u8::try_from(rank + 1).unwrap_or(u8::MAX),
            title: one_line(title.text),
        });
    }
    headings
}

/// The character that the line consists of, if it is an underline.
fn adornment(line: &str, format: Format) -> Option<char> {
    let first = line.chars().next()?;
    let usable = match format {
        Format::Rst => first.is_ascii_punctuation(),
        _ => "=-~^+*#".contains(first),
    };
    (usable && line.len() >= 3 && line.bytes().all(|byte| byte == first as u8)).then_some(first)
}

/// Whether a line can be the title over an underline of this length. In reStructuredText the underline may be longer
/// than the title, and shorter from four characters on. Elsewhere it is as long as the title, give or take two.
fn fits(title: &str, underline: usize, overlined: bool, format: Format) -> bool {
    if !title.contains(char::is_alphanumeric) || (!overlined && title.starts_with(char::is_whitespace)) {
        return false;
    }
    let length = title.trim_start().chars().count();
    match format {
        Format::Rst => underline >= length.min(4),
        _ => underline.abs_diff(length) <= 2,
    }
}

/// The `:Author: name` lines below the title.
fn document_fields(text: &str) -> Fields {
    const WITHIN_LINES: usize = 40;
    let mut front = FrontMatter::default();
    let field = |line: &'_ str| {
        line.strip_prefix(':').and_then(|rest| {
            rest.split_once(": ").map(|(name, value)| (name.to_lowercase(), one_line(value)))
        })
    };
    for (name, value) in text.lines().take(WITHIN_LINES).filter_map(field) {
        front.set(&name, vec![value]);
    }
    front.fields
}

/// The `Title:` of a mail-like header, such as those of Python's enhancement proposals.
fn preamble_title(text: &str) -> Option<String> {
    let header = text.lines().take_while(|line| !line.trim().is_empty());
    let mut title = None;
    for line in header {
        let continued = line.starts_with([' ', '\t']);
        let (name, value) = if continued { ("", line) } else { line.split_once(':')? };
        if !continued && (name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')) {
            return None;
        }
        if name == "Title" {
            title = Some(one_line(value));
        }
    }
    title.filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, format: Format) -> Vec<(u8, String)> {
        headings(text, format).into_iter().map(|h| (h.level, h.title)).collect()
    }

    #[test]
    fn styles_rank_in_order_of_appearance() {
        let text = "=====\nGuide\n=====\n\nInstall\n-------\nx\n\nLinux\n~~~~~\n\nUse\n---\n";
        let expected = [(1, "Guide"), (2, "Install"), (3, "Linux"), (2, "Use")];
        assert_eq!(found(text, Format::Rst), expected.map(|(level, title)| (level, title.to_owned())));
        assert_eq!(headings(text, Format::Rst)[0].start, 0);
        assert_eq!(headings(text, Format::Rst)[1].end, text.find("\nx").unwrap());
    }

    #[test]
    fn an_underline_is_not_the_next_overline() {
        let text = "A b\n===\nC d\n===\n";
        assert_eq!(found(text, Format::Rst), [(1, "A b".to_owned()), (1, "C d".to_owned())]);
        assert_eq!(headings(text, Format::Rst)[1].start, 8);
    }

    #[test]
    fn carriage_returns_do_not_matter() {
        assert_eq!(found("A title\r\n=======\r\n\r\nx", Format::Rst), [(1, "A title".to_owned())]);
    }

    #[test]
    fn tables_transitions_rules_and_text_are_not_headings() {
        for text in [
            "a\n\n----\n\nb",
            "===== =====\nA     B\n===== =====\n",
            "one line\nanother line\n------------\n",
            "   indented\n   --------\n",
            "***\n---\n",
            "",
            "---",
        ] {
            assert_eq!(found(text, Format::Rst), [], "{text:?}");
        }
        assert_eq!(found("Name\n--------------\n", Format::Text), []);
        assert_eq!(found("Name\n-----\n", Format::Text), [(1, "Name".to_owned())]);
    }

    #[test]
    fn a_mail_like_header_gives_the_title() {
        let text = "PEP: 8\nTitle: Style Guide\nAuthor: A,\n  B\n\nIntro\n=====\n";
        assert_eq!(preamble_title(text).as_deref(), Some("Style Guide"));
        assert_eq!(preamble_title("Some words.\nTitle: x\n\n"), None);
        assert_eq!(preamble_title(""), None);
    }
}
