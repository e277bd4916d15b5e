//! Where in a file a judged passage stands: a byte range, a page or a quote.

use std::ops::Range;

/// A passage shown to the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The file's path, relative to the folder.
    pub path: String,
    /// The byte range of the passage. Of a file that is not text: in the text that was extracted.
    pub bytes: Range<u64>,
    /// The page that the passage begins on, from 1, where the file has pages.
    pub page: Option<u32>,
    /// The passage's text.
    pub text: String,
}

/// The place as a line of judgements has it: `start` and `end`, `page` or `quote`.
#[derive(Debug, Clone, Default)]
pub(super) struct PlaceFields {
    pub(super) start: Option<u64>,
    pub(super) end: Option<u64>,
    pub(super) page: Option<u32>,
    pub(super) quote: Option<String>,
}

/// A place in a file that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JudgedPlace {
    /// A stretch of a text file, not empty.
    Bytes(Range<u64>),
    /// A page, from 1.
    Page(u32),
    /// Words of the text, with one space in between.
    Quote(String),
}

impl PlaceFields {
    /// The place; `Err` says what was found instead of exactly one.
    pub(super) fn place(self) -> Result<JudgedPlace, String> {
        match self {
            PlaceFields { start: Some(start), end: Some(end), page: None, quote: None } => {
                match start < end {
                    true => Ok(JudgedPlace::Bytes(start..end)),
                    false => Err(format!("{start} to {end}")),
                }
            }
            PlaceFields { start: None, end: None, page: Some(page), quote: None } => match page {
                0 => Err("page 0".into()),
                page => Ok(JudgedPlace::Page(page)),
            },
            PlaceFields { start: None, end: None, page: None, quote: Some(quote) } => {
                match one_line(&quote) {
                    words if words.is_empty() => Err("a quote without words".into()),
                    words => Ok(JudgedPlace::Quote(words)),
                }
            }
            PlaceFields { start, end, page, quote } => {
                let given = [
                    ("start", start.is_some()),
                    ("end", end.is_some()),
                    ("page", page.is_some()),
                    ("quote", quote.is_some()),
                ];
                let names = given.iter().filter_map(|&(name, given)| given.then_some(name));
                match names.collect::<Vec<_>>() {
                    names if names.is_empty() => Err("no place".into()),
                    names => Err(format!("a place of {}", names.join(" and "))),
                }
            }
        }
    }
}

impl JudgedPlace {
    /// Whether a passage of the same file counts for this place. A byte range wants at least half of the shorter of
    /// the two. A page wants a passage that begins on it: where a passage ends isn't known. A quote wants a passage
    /// that contains all of it, whatever the white space.
    pub(super) fn matches(&self, shown: &Shown) -> bool {
        match self {
            JudgedPlace::Bytes(judged) => {
                let shared =
                    shown.bytes.end.min(judged.end).saturating_sub(shown.bytes.start.max(judged.start));
                let shorter =
                    (judged.end - judged.start).min(shown.bytes.end.saturating_sub(shown.bytes.start));
                shared > 0 && 2 * shared >= shorter
            }
            JudgedPlace::Page(page) => shown.page == Some(*page),
            JudgedPlace::Quote(quote) => one_line(&shown.text).contains(quote),
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> PlaceFields {
        PlaceFields { start: Some(start), end: Some(end), ..PlaceFields::default() }
    }

    fn page(page: u32) -> PlaceFields {
        PlaceFields { page: Some(page), ..PlaceFields::default() }
    }

    fn quote(quote: &str) -> PlaceFields {
        PlaceFields { quote: Some(quote.into()), ..PlaceFields::default() }
    }

    #[test]
    fn a_passage_counts_that_covers_half_of_the_shorter() {
        let judged = range(10, 20).place().unwrap();
        let matches = |bytes| judged.matches(&Shown { bytes, ..Shown::default() });
        assert!(matches(0..15), "half of the range");
        assert!(!matches(0..14), "less than half");
        assert!(matches(12..14), "all of it lies in the range");
        assert!(matches(0..1000), "all of the range lies in it");
        assert!(!matches(20..40) && !matches(0..10));
    }

    #[test]
    fn a_page_counts_for_the_passages_that_begin_on_it() {
        let judged = page(3).place().unwrap();
        let matches = |page| judged.matches(&Shown { page, bytes: 0..9, ..Shown::default() });
        assert_eq!([Some(3), Some(2), Some(4), None].map(matches), [true, false, false, false]);
    }

    #[test]
    fn a_quote_counts_whatever_the_white_space() {
        let judged = quote(" water runs\ncalmly below ").place().unwrap();
        let matches = |text: &str| judged.matches(&Shown { text: text.into(), ..Shown::default() });
        assert!(matches("until water\n  runs calmly\u{a0}below."));
        assert!(!matches("until water runs calmly") && !matches("waterruns calmly below") && !matches(""));
    }

    #[test]
    fn a_place_has_exactly_one_form() {
        for (fields, found) in [
            (PlaceFields::default(), "no place"),
            (PlaceFields { start: Some(4), ..PlaceFields::default() }, "a place of start"),
            (range(4, 4), "4 to 4"),
            (PlaceFields { page: Some(1), ..range(4, 9) }, "a place of start and end and page"),
            (PlaceFields { page: Some(1), ..quote("a") }, "a place of page and quote"),
            (page(0), "page 0"),
            (quote(" \n"), "a quote without words"),
        ] {
            assert_eq!(fields.place().unwrap_err(), found);
        }
    }
}
