//! How wide a text is.

use unicode_width::UnicodeWidthStr;

use super::escape::escaped;

/// The columns that a text takes once it is escaped.
pub fn width(text: &str) -> usize {
    escaped(text).width()
}
