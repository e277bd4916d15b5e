//! Lines that may be longer than the terminal.

use std::io::{IsTerminal, stdout};

use anstyle::Style;

use super::excerpt::wrapped;
use super::text::{Line, Text};
use super::width::columns;

/// Before the lines that go on.
const INDENT: &str = "  ";

/// On a terminal each line of a text without styles is broken between words into as many as it needs. Elsewhere lines
/// stay whole, for programs to read.
pub(crate) fn folded(text: Text) -> Text {
    if stdout().is_terminal() { broken(&text, columns()) } else { text }
}

fn broken(text: &Text, columns: usize) -> Text {
    let mut broken = Text::default();
    for line in text.lines() {
        let mut parts = wrapped(line, columns - INDENT.len(), Style::new()).into_iter();
        broken.line(parts.next().unwrap_or_default());
        parts.for_each(|part| broken.line(Line::from(INDENT).followed_by(&part)));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_goes_on_below() {
        let mut text = Text::of("one two three four five six seven");
        text.line("short");
        text.empty_line();
        assert_eq!(broken(&text, 20).render(), "one two three four\n  five six seven\nshort\n\n");
    }
}
