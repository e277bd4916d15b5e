//! The text between tags: decodes character references and maps each character to its source bytes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::Range;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// A stretch of text and the source bytes it comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'s> {
    pub(super) text: Cow<'s, str>,
    pub(super) place: Range<usize>,
    /// Whether the text equals the bytes. Otherwise it represents them as a whole.
    pub(super) linear: bool,
}

/// Decoded character references.
pub(super) type References<'s> = HashMap<&'s str, String>;

/// Splits what the tokenizer read as `decoded` from `span`: one part for each character reference, linear parts for
/// the rest. Line ends are those of the source.
///
/// The tokenizer gives only the span of the whole text. So this reads the source again and compares the result with
/// `decoded`. If they differ, which no input is known to cause, the text becomes one part.
pub(super) fn parts<'s>(
    source: &'s str,
    span: Range<usize>,
    decoded: &str,
    references: &mut References<'s>,
) -> Vec<Part<'s>> {
    // Normal text, then elements with text and references only (`<title>`).
    for empty_ends in [true, false] {
        let parts = with_references(source, span.clone(), references, empty_ends);
        if decode_to(&parts, decoded) {
            return parts;
        }
    }
    // Elements without references: `<xmp>`, `<plaintext>`.
    let as_is = vec![Part { text: Cow::Borrowed(&source[span.clone()]), place: span.clone(), linear: true }];
    if decode_to(&as_is, decoded) {
        return as_is;
    }
    vec![Part { text: Cow::Owned(decoded.to_owned()), place: span, linear: false }]
}

/// Splits a span with character references. With `empty_ends`, `</>` is a tag and no text.
fn with_references<'s>(
    source: &'s str,
    span: Range<usize>,
    references: &mut References<'s>,
    empty_ends: bool,
) -> Vec<Part<'s>> {
    const EMPTY_END: &str = "</>";
    let mut parts = Vec::new();
    let mut at = span.start;
    while at < span.end {
        let rest = &source[at..span.end];
        let reference = reference_length(rest);
        if reference > 0 {
            push_reference(source, at..at + reference, references, &mut parts);
            at += reference;
        } else if empty_ends && rest.starts_with(EMPTY_END) {
            at += EMPTY_END.len();
        } else {
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let length = rest[first..].find(['&', '<']).map_or(rest.len(), |next| first + next);
            parts.push(Part { text: Cow::Borrowed(&rest[..length]), place: at..at + length, linear: true });
            at += length;
        }
    }
    parts
}

/// Adds a reference. Of `&copyleft` only `&copy` is one; the rest is text.
fn push_reference<'s>(
    source: &'s str,
    place: Range<usize>,
    references: &mut References<'s>,
    parts: &mut Vec<Part<'s>>,
) {
    let reference = &source[place.clone()];
    let text = references.entry(reference).or_insert_with(|| dereference(reference));
    let literal = common_end(text, reference);
    let middle = place.end - literal;
    let decoded = &text[..text.len() - literal];
    let linear = decoded == &source[place.start..middle];
    parts.push(Part { text: Cow::Owned(decoded.to_owned()), place: place.start..middle, linear });
    parts.push(Part {
        text: Cow::Borrowed(&source[middle..place.end]),
        place: middle..place.end,
        linear: true,
    });
}

/// Whether the parts make up `decoded`. Line ends are ignored, and so is whether NUL was replaced: that depends on
/// the tokenizer's state.
fn decode_to(parts: &[Part<'_>], decoded: &str) -> bool {
    let is_line_end = |c: &char| matches!(c, '\r' | '\n');
    let shown = |c: char| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c };
    let ours = parts.iter().flat_map(|part| part.text.chars()).filter(|c| !is_line_end(c)).map(shown);
    ours.eq(decoded.chars().filter(|c| !is_line_end(c)).map(shown))
}

/// The length of a possible character reference at the start: `&name;`, `&#123;`, `&#x7b;`, the semicolon optional.
fn reference_length(text: &str) -> usize {
    const LONGEST: usize = 48;
    let Some(rest) = text.strip_prefix('&') else { return 0 };
    let number = usize::from(rest.starts_with('#'));
    let name = rest[number..].bytes().take(LONGEST).take_while(u8::is_ascii_alphanumeric).count();
    if name == 0 {
        return 0;
    }
    let length = 1 + number + name;
    length + usize::from(text[length..].starts_with(';'))
}

/// The length of the longest common suffix that is neither of the two whole.
fn common_end(decoded: &str, reference: &str) -> usize {
    let mut length = 0;
    for (a, b) in decoded.chars().rev().zip(reference.chars().rev()) {
        if a != b || length + a.len_utf8() >= decoded.len().min(reference.len()) {
            break;
        }
        length += a.len_utf8();
    }
    length
}

/// Decodes a character reference with the tokenizer.
fn dereference(reference: &str) -> String {
    let mut text = String::new();
    let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
        if let CallbackEvent::String { value } = event {
            text.push_str(&String::from_utf8_lossy(value));
        }
        None::<Infallible>
    });
    let Ok(()) = Tokenizer::new_with_emitter(reference, emitter).finish();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_end_where_they_stop_counting() {
        let taken = |source: &'static str, decoded: &str| -> Vec<(String, Range<usize>, bool)> {
            let parts = parts(source, 0..source.len(), decoded, &mut References::default());
            let nonempty = parts.into_iter().filter(|part| !part.text.is_empty());
            nonempty.map(|part| (part.text.into_owned(), part.place, part.linear)).collect()
        };
        let part = |text: &str, place: Range<usize>, linear| (text.to_owned(), place, linear);
        assert_eq!(taken("&copyleft", "©left"), [part("©", 0..5, false), part("left", 5..9, true)]);
        assert_eq!(taken("&semi;x", ";x"), [part(";", 0..6, false), part("x", 6..7, true)]);
        assert_eq!(taken("a</>b", "ab"), [part("a", 0..1, true), part("b", 4..5, true)]);
        assert_eq!(taken("&amp;</>", "&amp;</>"), [part("&amp;</>", 0..8, true)]);
        assert_eq!(taken("abc", "xyz"), [part("xyz", 0..3, false)]);
    }
}
