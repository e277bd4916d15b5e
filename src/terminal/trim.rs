//! Texts that are too wide.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

const MORE: &str = "…";

/// As much of the beginning as fits.
pub fn start_of(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_string();
    }
    let fits = fitting(text.graphemes(true), columns);
    format!("{}{MORE}", &text[..fits])
}

/// As much of the end as fits.
pub fn end_of(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_string();
    }
    let fits = fitting(text.graphemes(true).rev(), columns);
    format!("{MORE}{}", &text[text.len() - fits..])
}

/// The bytes that leave room for the mark.
fn fitting<'a>(graphemes: impl Iterator<Item = &'a str>, columns: usize) -> usize {
    let mut used = MORE.width();
    let fit = graphemes.take_while(|one| {
        used += one.width();
        used <= columns
    });
    fit.map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_marked() {
        assert_eq!(start_of("sluice", 6), "sluice");
        assert_eq!(start_of("sluices", 6), "sluic…");
        assert_eq!(end_of("docs/sluice.md", 9), "…luice.md");
        assert_eq!(start_of("水門を開ける", 6), "水門…");
        assert_eq!(end_of("水門を開ける", 6), "…ける");
        assert_eq!(start_of("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
    }
}
