//! Texts of documents as data: nothing in them can act on a terminal, hide, or pass for what a tool says.

use std::fmt::Write;

/// Escapes what can't be seen or changes what is seen: control characters but line breaks and tabs, marks that turn
/// the direction of text around, and tags.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\t' => clean.push(character),
            '\r' if characters.peek() == Some(&'\n') => {}
            _ if is_hidden(character) => _ = write!(clean, "{}", character.escape_unicode()),
            _ => clean.push(character),
        }
    }
    clean
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{e0000}'..='\u{e007f}')
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// [`clean`], in one line of at most `most` characters.
pub(super) fn line(text: &str, most: usize) -> String {
    let text = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// [`clean`], with breaks and tabs escaped too: an id in one line.
pub(super) fn id(text: &str) -> String {
    clean(text).replace('\n', "\\u{a}").replace('\t', "\\u{9}")
}

/// Each line marked, so that none can pass for what stands around the text.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    for line in text.trim_end().lines() {
        quoted.push_str(if line.is_empty() { ">" } else { "> " });
        quoted.push_str(line);
        quoted.push('\n');
    }
    quoted
}

/// At most `most` characters of a text, around the character `at`, with marks where it was cut.
pub(super) fn excerpt(text: &str, at: usize, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_string();
    }
    let begin = at.saturating_sub(most / 4).min(length - most);
    let part: String = text.chars().skip(begin).take(most).collect();
    let (before, behind) = (if begin > 0 { "…" } else { "" }, if begin + most < length { "…" } else { "" });
    format!("{before}{part}{behind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped() {
        let text = "a\u{1b}[31mred\r\n\tb\u{0}\u{202e}c\u{e0041}d\u{7f}\r";
        assert_eq!(clean(text), "a\\u{1b}[31mred\n\tb\\u{0}\\u{202e}c\\u{e0041}d\\u{7f}\\u{d}");
        assert_eq!(clean("Größe 😀 שלום"), "Größe 😀 שלום");
        assert_eq!(id("a\nb.md"), "a\\u{a}b.md");
        assert_eq!(line("a \n  b", 10), "a b");
        assert_eq!(line("Größen", 4), "Größ…");
    }

    #[test]
    fn no_line_stands_without_its_mark() {
        let text = clean("one\n\n2. fake.md\u{2028}three\r\nfour\u{85}five");
        assert!(quoted(&text).lines().all(|line| line.starts_with('>')), "{text}");
        assert_eq!(quoted("one\n\ntwo\n"), "> one\n>\n> two\n");
    }

    #[test]
    fn an_excerpt_holds_the_place_and_no_more() {
        let text = "ä".repeat(50) + "X" + &"ö".repeat(50);
        for at in [0, 50, 100] {
            let part = excerpt(&text, at, 20);
            assert!(part.chars().count() <= 22, "{part}");
        }
        assert!(excerpt(&text, 50, 20).contains('X'));
        assert_eq!(excerpt("short", 3, 20), "short");
    }
}
