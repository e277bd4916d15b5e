//! Whether decoded bytes read as text that somebody wrote.

/// Whether nearly all of a text are characters that people write. Control characters say that it is none: at most one
/// in 64 is let through, where a run of the same one (a hole in a log) counts once.
pub(super) fn has_few_controls(text: &str) -> bool {
    const LEAST_CHARS_EACH: usize = 64;
    let (mut characters, mut controls, mut last) = (0, 0, ' ');
    for c in text.chars() {
        let is_control = is_control(c);
        if !is_control || c != last {
            characters += 1;
            controls += usize::from(is_control);
        }
        last = c;
    }
    controls * LEAST_CHARS_EACH <= characters
}

/// Whether a text was decoded with the right encoding: most of it are letters, digits and spaces, and letters stand
/// beside letters of their own script. A wrong encoding, and no text at all, mix scripts, signs and letter cases.
pub(super) fn reads_as_text(text: &str) -> bool {
    const LOOKED_AT: usize = 64 << 10;
    let (mut characters, mut odd, mut last) = (0, 0, Class::Space);
    for c in text.chars().take(LOOKED_AT) {
        let class = Class::of(c);
        characters += 1;
        odd += match (last, class) {
            (_, Class::Control) => 2,
            (_, Class::Sign) => 1,
            (Class::Lower(_), Class::Upper(_)) => 1,
            (Class::Lower(before) | Class::Upper(before), Class::Lower(after) | Class::Upper(after)) => {
                usize::from(before != after)
            }
            _ => 0,
        };
        last = class;
    }
    odd * 8 <= characters
}

fn is_control(c: char) -> bool {
    c.is_control() && !"\t\n\r\u{8}\u{b}\u{c}\u{1a}\u{1b}\u{85}".contains(c)
}

#[derive(Clone, Copy, PartialEq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Other(u8),
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Space,
    /// Digits and the signs that prose, code and tables use.
    Common,
    Lower(Script),
    Upper(Script),
    /// Rare in texts: `¤`, `¬`, box drawing.
    Sign,
    Control,
}

impl Class {
    fn of(c: char) -> Class {
        match c {
            _ if c == char::REPLACEMENT_CHARACTER || is_control(c) => Class::Control,
            '\u{e000}'..='\u{f8ff}' | '\u{ff61}'..='\u{ff9f}' | '²' | '³' | '¹' | '¼'..='¾' => {
                Class::Sign
            }
            _ if c.is_whitespace() => Class::Space,
            _ if c.is_ascii() && !c.is_ascii_alphabetic() => Class::Common,
            _ if c.is_alphabetic() && c.is_uppercase() => Class::Upper(script(c)),
            _ if c.is_alphabetic() => Class::Lower(script(c)),
            _ if c.is_numeric()
                || "«»“”„‘’‚–—…•·§°€£".contains(c)
                || ('\u{300}'..'\u{1100}').contains(&c) =>
            {
                Class::Common
            }
            '\u{2e80}'..='\u{303f}' | '\u{ff00}'..='\u{ff60}' => Class::Common,
            _ => Class::Sign,
        }
    }
}

fn script(c: char) -> Script {
    match c {
        '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{370}'..='\u{3ff}' => Script::Greek,
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        // Chinese, Japanese and Korean mix their scripts.
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'.. => {
            Script::Other(0)
        }
        // The other scripts of the old encodings have a block of 128 or 256 characters each.
        _ => Script::Other((u32::from(c) >> 8) as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_in_a_text_counts_once_and_a_hole_alone_is_no_text() {
        let hole = "\0".repeat(4096);
        assert!(!has_few_controls(&hole));
        assert!(has_few_controls(&format!(
            "{}{hole}{}",
            "The log goes on. ".repeat(3),
            "It has. ".repeat(3)
        )));
    }

    #[test]
    fn texts_read_as_text_and_what_was_decoded_wrongly_does_not() {
        for text in [
            "café",
            "Übergrößenträger",
            "ΕΛΛΑΔΑ και Ελλάδα",
            "Ёлки-палки, 3 рубля!",
            "日本語のテキスト",
            "fn f(x: &str) -> u8 { x[0] ^ 3 } // naïve",
        ] {
            assert!(reads_as_text(text), "{text}");
        }
        for text in ["Ã¼ÃŸÂ§Ã¤", "¬ä§µ¶þ×", "\u{fffd}a\u{fffd}b", "лBкDж"] {
            assert!(!reads_as_text(text), "{text}");
        }
    }

    #[test]
    fn a_hole_in_a_log_is_let_through_and_binary_is_not() {
        let line = "12:00 the pump started and ran for an hour before it was stopped again\n";
        assert!(has_few_controls(&format!("{line}{}{line}", "\0".repeat(4096))));
        assert!(has_few_controls("\u{1b}[31mred\u{1b}[0m\u{c}"));
        assert!(!has_few_controls("a\0b\u{1}c") && !has_few_controls("\0"));
    }
}
