//! What people type into a search box: words, and operators that restrict what is found.
//!
//! Nothing is refused. What is no operator is text, and a text without a word to search for is text as a whole: `C++`,
//! `-5`, `it's`, `http://x`, `foo:bar`, `title:` and a lone quotation mark are searched as they stand.

use std::borrow::Cow;

use crate::lexical::Date;
use crate::store::{Asks, Restriction};

/// A query as a person typed it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Typed<'t> {
    /// What is searched for: the text without its operators. The text itself if it has none.
    pub(super) words: Cow<'t, str>,
    /// What a passage has to be, or must not be.
    pub(super) restrictions: Vec<Restriction<'t>>,
}

/// A longer text, in bytes, was pasted and has no operators.
const LONGEST: usize = 4096;

impl<'t> Typed<'t> {
    /// A text that has no operators.
    pub(super) fn plain(text: &'t str) -> Typed<'t> {
        Typed { words: text.into(), restrictions: Vec::new() }
    }

    /// Reads what a person typed.
    pub(super) fn of(text: &'t str) -> Typed<'t> {
        if text.len() > LONGEST {
            return Typed::plain(text);
        }
        let mut words: Vec<&str> = Vec::new();
        let mut restrictions = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let Some((restriction, length)) = operator(rest) else {
                let word = run(rest);
                words.push(word);
                rest = rest[word.len()..].trim_start();
                continue;
            };
            if !restriction.negated {
                words.extend(restriction.asks.words());
            }
            restrictions.push(restriction);
            rest = rest[length..].trim_start();
        }
        let has_word = words.iter().any(|word| has_word(word));
        match restrictions.is_empty() || !has_word {
            true => Typed::plain(text),
            false => Typed { words: words.join(" ").into(), restrictions },
        }
    }
}

/// The operator that a text begins with, and its length.
fn operator(text: &str) -> Option<(Restriction<'_>, usize)> {
    let (negated, behind) = match text.strip_prefix('-') {
        Some(behind) => (true, behind),
        None => (false, text),
    };
    let sign = text.len() - behind.len();
    let phrase = || quoted(behind).map(|(phrase, length)| (Asks::Phrase(phrase), length));
    let found = field(behind).or_else(phrase).or_else(|| prefix(behind));
    let (asks, length) = found.or_else(|| excluded(behind).filter(|_| negated))?;
    Some((Restriction { asks, negated }, sign + length))
}

/// `title:word`, `title:"some words"`, `path:docs`, `ext:pdf`, `after:2024-01`, `before:2024`.
fn field(text: &str) -> Option<(Asks<'_>, usize)> {
    let (name, behind) = text.split_once(':')?;
    let (value, length) = quoted(behind).unwrap_or_else(|| (run(behind), run(behind).len()));
    let asks = match name {
        "title" => Asks::Title(value),
        "path" => Asks::Path(value),
        "ext" => Asks::Extensions(extensions(value)?),
        "after" => Asks::After(date(value)?),
        "before" => Asks::Before(date(value)?),
        _ => return None,
    };
    has_word(value).then_some((asks, name.len() + 1 + length))
}

fn extensions(value: &str) -> Option<Vec<String>> {
    let of = |one: &str| one.strip_prefix('.').unwrap_or(one).to_lowercase();
    let all: Vec<String> = value.split(',').map(of).collect();
    all.iter().all(|one| has_word(one)).then_some(all)
}

/// A year, a month, a day or a moment: its beginning.
fn date(value: &str) -> Option<Date> {
    let is_year = value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_year { format!("{value}-01").parse().ok() } else { value.parse().ok() }
}

/// What stands in the quotation marks that a text begins with, and the length with them. Nothing follows the second
/// one without a space.
fn quoted(text: &str) -> Option<(&str, usize)> {
    let ends: &[char] = match text.chars().next()? {
        '"' => &['"'],
        '\u{201c}' => &['\u{201d}'],
        '\u{201e}' => &['\u{201c}', '\u{201d}'],
        _ => return None,
    };
    let start = text.chars().next()?.len_utf8();
    let ended = text[start..].match_indices(ends).find_map(|(at, mark)| {
        let (end, behind) = (start + at, start + at + mark.len());
        text[behind..].chars().next().is_none_or(char::is_whitespace).then_some((&text[start..end], behind))
    });
    ended.filter(|(phrase, _)| has_word(phrase))
}

/// `word*`: letters and digits, two at least.
fn prefix(text: &str) -> Option<(Asks<'_>, usize)> {
    let word = run(text).strip_suffix('*')?;
    let fits = word.chars().count() > 1 && word.chars().all(char::is_alphanumeric);
    fits.then(|| (Asks::Prefix(word), run(text).len()))
}

/// What may be left out by a `-` before it: a word of two letters or more, or a name such as C++. `-5` and `-v` are
/// text.
fn excluded(text: &str) -> Option<(Asks<'_>, usize)> {
    let word = run(text);
    let mut characters = word.chars();
    let begins = characters.next().is_some_and(char::is_alphabetic);
    let fits = begins && characters.any(|c| c.is_alphanumeric() || "+#".contains(c));
    fits.then_some((Asks::Word(word), word.len()))
}

/// Everything up to white space.
fn run(text: &str) -> &str {
    text.split(char::is_whitespace).next().unwrap_or_default()
}

/// Whether a text has more than punctuation.
fn has_word(text: &str) -> bool {
    text.chars().any(|c| c.is_alphanumeric() || !c.is_ascii() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(text: &str) -> (String, Vec<(Asks<'_>, bool)>) {
        let Typed { words, restrictions } = Typed::of(text);
        let restrictions = restrictions.into_iter().map(|one| (one.asks, one.negated));
        (words.into_owned(), restrictions.collect())
    }

    #[test]
    fn operators_restrict_and_their_words_are_searched_for() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let extensions = |all: &[&str]| Asks::Extensions(all.iter().map(|one| one.to_string()).collect());
        for (text, words, restrictions) in [
            (r#"lock "open gate" keeper"#, "lock open gate keeper", vec![(Asks::Phrase("open gate"), false)]),
            (r#"“open gate” „zwei Tore“"#, "open gate zwei Tore", {
                vec![(Asks::Phrase("open gate"), false), (Asks::Phrase("zwei Tore"), false)]
            }),
            (r#""a"b" x"#, "a\"b x", vec![(Asks::Phrase("a\"b"), false)]),
            ("lock -gate -well-known", "lock", {
                vec![(Asks::Word("gate"), true), (Asks::Word("well-known"), true)]
            }),
            ("lock -C++ -F#", "lock", vec![(Asks::Word("C++"), true), (Asks::Word("F#"), true)]),
            (r#"lock -"open gate" -gat* -ext:pdf"#, "lock", {
                vec![
                    (Asks::Phrase("open gate"), true),
                    (Asks::Prefix("gat"), true),
                    (extensions(&["pdf"]), true),
                ]
            }),
            (r#"title:gate title:"open gate" x"#, "gate open gate x", {
                vec![(Asks::Title("gate"), false), (Asks::Title("open gate"), false)]
            }),
            (r#"x path:docs/*.md path:"my docs/""#, "x", {
                vec![(Asks::Path("docs/*.md"), false), (Asks::Path("my docs/"), false)]
            }),
            ("x ext:.PDF,md", "x", vec![(extensions(&["pdf", "md"]), false)]),
            ("x after:2024 before:2025-02", "x", {
                vec![(Asks::After(date("2024-01-01")), false), (Asks::Before(date("2025-02-01")), false)]
            }),
            ("  sluic*\t gate ", "sluic gate", vec![(Asks::Prefix("sluic"), false)]),
        ] {
            assert_eq!(asked(text), (words.to_string(), restrictions), "{text}");
        }
    }

    #[test]
    fn what_is_no_operator_is_text_and_nothing_but_operators_too() {
        let long = "\"a b\" ".repeat(1000);
        for text in [
            long.as_str(),
            "",
            " two  words ",
            "C++ and F#",
            "minus -5 degrees",
            "grep -v - -- --flag",
            "http://x foo:bar a:b",
            "it's 5\" and 6'",
            "\"unclosed phrase",
            "a\"b c\"d",
            "\"\" \"?!\" x",
            "title: path: ext: after:",
            "before:dawn after:all after:2024-13 ext:,",
            "**bold** x* *x a*b char.* f(x)*",
            "-gate",
            "-gate -\"open gate\"",
            "ext:pdf after:2024",
            "Title:gate",
        ] {
            assert_eq!(Typed::of(text), Typed::plain(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_text_without_signs_is_itself(
            text in r#"([ "“”„:*.,-]|title:|path:|ext:|after:|2024|[a-zé漢]|\PC){0,40}"#,
            plain in r"[^\-\x22“„:*]{0,60}",
        ) {
            let typed = Typed::of(&text);
            prop_assert!(!typed.restrictions.is_empty() || typed.words == text);
            prop_assert_eq!(Typed::of(&plain), Typed::plain(&plain));
        }
    }
}
