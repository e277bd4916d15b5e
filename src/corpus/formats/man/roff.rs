//! The words and escapes of roff.

use crate::corpus::formats::latex::accented;

/// The words of a macro's line: quoted words hold spaces.
pub(super) struct Words<'t>(&'t str);

impl<'t> Words<'t> {
    pub(super) fn of(line: &'t str) -> Self {
        Words(line)
    }
}

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let rest = self.0.trim_start_matches([' ', '\t']);
        if rest.is_empty() || rest.starts_with("\\\"") {
            return None;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut end = quoted.len();
            let mut at = 0;
            while let Some(next) = quoted[at..].find('"').map(|next| at + next) {
                if quoted[next + 1..].starts_with('"') {
                    at = next + 2;
                } else {
                    end = next;
                    break;
                }
            }
            self.0 = quoted.get(end + 1..).unwrap_or_default();
            return Some(plain(&quoted[..end].replace("\"\"", "\"")));
        }
        let mut end = rest.len();
        let mut escaped = false;
        for (at, c) in rest.char_indices() {
            if !escaped && (c == ' ' || c == '\t') {
                end = at;
                break;
            }
            escaped = c == '\\' && !escaped;
        }
        self.0 = &rest[end..];
        Some(plain(&rest[..end]))
    }
}

/// A text without escapes.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        rest = escape(rest, &mut plain);
    }
    plain.push_str(rest);
    plain
}

/// Adds what the escape says that a text begins with. Returns what is left.
fn escape<'t>(text: &'t str, plain: &mut String) -> &'t str {
    let Some(sign) = text.chars().next() else { return text };
    let rest = &text[sign.len_utf8()..];
    match sign {
        '-' => plain.push('-'),
        'e' | '\\' => plain.push('\\'),
        ' ' | '~' | '0' => plain.push(' '),
        't' => plain.push('\t'),
        '\'' => plain.push('\''),
        '`' => plain.push('`'),
        '"' | '#' => return "",
        '(' => {
            let (name, rest) = rest.split_at(rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at));
            plain.push_str(&character(name));
            return rest;
        }
        '[' => {
            let (name, rest) = rest.split_once(']').unwrap_or((rest, ""));
            match name
                .strip_prefix('u')
                .and_then(|code| u32::from_str_radix(code, 16).ok())
                .and_then(char::from_u32)
            {
                Some(code) => plain.push(code),
                None => plain.push_str(&character(name)),
            }
            return rest;
        }
        'f' | 'F' | 'm' | 'M' | 'n' | 'g' | 'k' => return named(rest).1,
        '*' => {
            let (name, rest) = named(rest);
            plain.push_str(&character(name));
            return rest;
        }
        's' => {
            let sized = rest.trim_start_matches(['+', '-', '(', '[', '\'']);
            let digits = sized.len() - sized.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            return sized[digits.min(2)..].trim_start_matches([']', '\'']);
        }
        'h' | 'v' | 'w' | 'o' | 'D' | 'l' | 'L' | 'b' | 'x' | 'X' | 'Y' | 'Z' | 'A' | 'B' | 'C' | 'N'
        | 'R' | 'S' => {
            let Some(quote) = rest.chars().next() else { return rest };
            let inner = &rest[quote.len_utf8()..];
            return inner.split_once(quote).map_or(rest, |(_, rest)| rest);
        }
        // No width: `\&`, `\|`, `\^`, `\c`, `\/`, `\,`, `\%`, `\:` and others.
        _ if !sign.is_ascii() => plain.push(sign),
        _ => {}
    }
    rest
}

/// A name of one, two (after `(`) or any number of characters (in brackets).
fn named(text: &str) -> (&str, &str) {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']').unwrap_or((rest, ""));
    }
    let (text, length) = text.strip_prefix('(').map_or((text, 1), |rest| (rest, 2));
    text.split_at(text.char_indices().nth(length).map_or(text.len(), |(at, _)| at))
}

fn character(name: &str) -> String {
    let mut letters = name.chars();
    if let (Some(accent), Some(letter), None) = (letters.next(), letters.next(), letters.next())
        && "':`^".contains(accent)
        && letter.is_alphabetic()
    {
        return accented(if accent == ':' { '"' } else { accent }, letter);
    }
    match name {
        "aq" => "'",
        "bu" => "\u{2022}",
        "co" => "\u{a9}",
        "cq" => "\u{2019}",
        "dq" => "\"",
        "em" => "\u{2014}",
        "en" => "\u{2013}",
        "ga" => "`",
        "ha" => "^",
        "hy" | "mi" => "-",
        "lB" => "[",
        "rB" => "]",
        "lq" => "\u{201c}",
        "oq" => "\u{2018}",
        "rg" | "R" => "\u{ae}",
        "rq" => "\u{201d}",
        "rs" => "\\",
        "ti" => "~",
        "->" => "\u{2192}",
        "ss" => "ß",
        _ => "",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_what_they_print() {
        assert_eq!(
            plain("\\fB\\-v\\fR \\(em \\f[CR]x\\f[] \\(bu\\ \\s-1A\\s0 \\e \\[u00E9] \\\" no"),
            "-v \u{2014} x \u{2022} A \\ é "
        );
        assert_eq!(plain("\\(:A\\['e]"), "Äé");
        assert_eq!(plain("a\\&b\\h'3n'c\\*(lqd\\"), "abc\u{201c}d");
        let words: Vec<_> = Words::of("a \"b \"\"c\" d\\ e \\\" no").collect();
        assert_eq!(words, ["a", "b \"c", "d e"]);
    }
}
