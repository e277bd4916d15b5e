//! HTML and XHTML as tokens.

use std::convert::Infallible;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, StringReader, Token, Tokenizer};

/// Whether a text is HTML or XHTML: `<script/>` ends at once only in the latter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Syntax {
    Html,
    Xhtml,
}

/// The tokens of a text.
pub(super) fn tokens(source: &str, syntax: Syntax) -> impl Iterator<Item = Token<()>> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(syntax == Syntax::Html);
    Tokenizer::<StringReader<'_>, _>::new_with_emitter(source, emitter).map(|token: Result<_, Infallible>| {
        match token {
            Ok(token) => token,
        }
    })
}

/// The value of an attribute.
pub(super) fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}
