//! Headings and heading paths.

use std::collections::BTreeMap;

use crate::extract::Marker;
use crate::place::Place;

use super::positions::Positions;
pub(super) use crate::extract::Heading;

/// A readable text and its structure.
#[derive(Debug)]
pub(super) struct Extracted<'a> {
    pub(super) text: std::borrow::Cow<'a, str>,
    pub(super) positions: Positions,
    pub(super) outline: Outline,
    /// The document's title, if the format has a place for one: `<title>`, front matter.
    pub(super) title: Option<String>,
    /// Start offsets of blocks that should not be cut, ascending. If empty, texts are cut at blank lines.
    pub(super) blocks: Vec<usize>,
    /// Tables of contents and embedded data, ascending. They are part of no chunk.
    pub(super) contents: Vec<std::ops::Range<usize>>,
    /// Where stretches of the text stand in the file, each up to the next. Ascending by `start`.
    pub(super) markers: Vec<Marker>,
    /// What the text says about itself, by the names of `ExtractedText::fields`.
    pub(super) fields: Fields,
}

/// Values by name.
pub(super) type Fields = BTreeMap<String, Vec<String>>;

impl<'a> Extracted<'a> {
    /// A text that is the file itself.
    pub(super) fn whole(text: &'a str, outline: Outline) -> Extracted<'a> {
        Extracted {
            text: text.into(),
            positions: Positions::shifted(0),
            outline,
            title: None,
            blocks: Vec::new(),
            contents: Vec::new(),
            markers: Vec::new(),
            fields: Fields::new(),
        }
    }

    /// Makes these ranges part of no chunk.
    pub(super) fn leave_out(&mut self, ranges: Vec<std::ops::Range<usize>>) {
        self.contents.extend(ranges);
        self.contents.sort_by_key(|range| range.start);
    }

    /// Where the text at an offset stands.
    pub(super) fn place(&self, at: usize) -> Place {
        let before = self.markers.partition_point(|marker| marker.start <= at);
        before.checked_sub(1).map(|last| self.markers[last].place.clone()).unwrap_or_default()
    }
}

/// All headings of a text in order, each with its parent.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Outline {
    headings: Vec<Heading>,
    parents: Vec<Option<usize>>,
}

/// Anything longer is not a heading, but an unclosed tag or an underlined line of text.
pub(super) const LONGEST_HEADING_BYTES: usize = 300;

impl Outline {
    /// Builds the outline. Empty and overlong headings are dropped.
    pub(super) fn new(mut headings: Vec<Heading>) -> Self {
        headings.retain(|heading| !heading.title.is_empty());
        Outline::with_breaks(headings)
    }

    /// As [`new`](Self::new), but an empty heading ends those of its level and below: what follows is of none of them.
    pub(super) fn with_breaks(mut headings: Vec<Heading>) -> Self {
        headings.retain(|heading| heading.title.len() <= LONGEST_HEADING_BYTES);
        let mut open: Vec<usize> = Vec::new();
        let mut parents = Vec::with_capacity(headings.len());
        for (index, heading) in headings.iter().enumerate() {
            while open.last().is_some_and(|&above| headings[above].level >= heading.level) {
                open.pop();
            }
            parents.push(open.last().copied());
            open.push(index);
        }
        Outline { headings, parents }
    }

    pub(super) fn headings(&self) -> &[Heading] {
        &self.headings
    }

    /// The indices of the headings from the outermost one down to `index`.
    pub(super) fn path(&self, index: usize) -> Vec<usize> {
        let mut path = vec![index];
        while let Some(above) = path.last().and_then(|&last| self.parents[last]) {
            path.push(above);
        }
        path.reverse();
        path
    }

    /// The titles of the headings on a path.
    pub(super) fn titles<'a>(&'a self, path: &[usize]) -> Vec<&'a str> {
        let titles = path.iter().map(|&index| self.headings[index].title.as_str());
        titles.filter(|title| !title.is_empty()).collect()
    }

    /// The title of the only top-level heading; `None` if there are several.
    pub(super) fn single_top(&self) -> Option<&str> {
        let mut tops = self.parents.iter().enumerate().filter(|(_, parent)| parent.is_none());
        let first = tops.next().map(|(index, _)| self.headings[index].title.as_str());
        if tops.next().is_some() { None } else { first }
    }
}

/// Collapses runs of white space to one space and trims the ends.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(level: u8, title: &str) -> Heading {
        Heading { start: 0, end: 0, level, title: title.to_owned() }
    }

    #[test]
    fn paths_follow_the_levels_also_when_one_is_left_out() {
        let outline = Outline::new(vec![
            heading(1, "Guide"),
            heading(3, "Deep"),
            heading(2, "Install"),
            heading(3, "Linux"),
            heading(1, "Other"),
        ]);
        let titles = |index| outline.titles(&outline.path(index));
        assert_eq!(titles(1), ["Guide", "Deep"]);
        assert_eq!(titles(3), ["Guide", "Install", "Linux"]);
        assert_eq!(titles(4), ["Other"]);
        assert_eq!(outline.single_top(), None);
    }

    #[test]
    fn headings_without_text_do_not_count() {
        let outline = Outline::new(vec![heading(1, ""), heading(2, &"x".repeat(301)), heading(2, "A")]);
        assert_eq!(outline.headings().len(), 1);
        assert_eq!(outline.single_top(), Some("A"));
    }
}
