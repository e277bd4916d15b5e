//! What comes from outside, made harmless: texts, titles, names of files, arguments, messages of the system.

use std::borrow::Cow;

/// Whether a terminal acts on a character instead of showing it: controls (C0, DEL and C1), line separators, and what
/// turns the direction of the text around it.
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// The text with every character escaped that a terminal acts on: ESC becomes `\u{1b}`, a line feed `\n`.
pub fn escaped(text: &str) -> Cow<'_, str> {
    replaced(text, |c| c.escape_default().to_string())
}

/// The same for JSON. All of these characters stand in its strings, so the value stays what it is.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    replaced(json, |c| format!("\\u{:04x}", u32::from(c)))
}

fn replaced(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    match text.contains(acts) {
        false => Cow::Borrowed(text),
        true => {
            let one = |c: char| if acts(c) { escape(c) } else { c.to_string() };
            Cow::Owned(text.chars().map(one).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_shown_instead() {
        for (text, shown) in [
            ("plain, ünïcode, 漢字, עברית, 👩‍🚀", "plain, ünïcode, 漢字, עברית, 👩‍🚀"),
            ("\x1b[31mred", "\\u{1b}[31mred"),
            ("a\nb\rc\td\x07\0\x7f", "a\\nb\\rc\\td\\u{7}\\u{0}\\u{7f}"),
            ("\u{9b}2J\u{85}", "\\u{9b}2J\\u{85}"),
            ("a\u{202e}txt.exe\u{2069}", "a\\u{202e}txt.exe\\u{2069}"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let value = "\u{9b}2J \x1b[31m \u{202e}\u{7f}\n";
        let json = serde_json::to_string(value).unwrap();
        let safe = escaped_json(&json);
        assert!(!safe.contains(acts), "{safe:?}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), value);
    }
}
