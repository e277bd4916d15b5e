//! Headings and the paths they form.

use super::positions::Positions;

/// A heading, by its place in the extracted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// Where its line or block begins.
    pub(super) start: usize,
    /// Where it ends, underline included.
    pub(super) end: usize,
    /// 1 is the highest.
    pub(super) level: u8,
    /// Its text on one line.
    pub(super) title: String,
}

/// A readable text with what is known of its structure.
#[derive(Debug)]
pub(super) struct Extracted<'a> {
    pub(super) text: std::borrow::Cow<'a, str>,
    pub(super) positions: Positions,
    pub(super) outline: Outline,
    /// The document's own title where the format has a place for one: `<title>`, front matter.
    pub(super) title: Option<String>,
    /// Offsets at which a block begins that had better not be cut, ascending. Empty when blank lines will do.
    pub(super) blocks: Vec<usize>,
}

/// All headings of a text in order, each with the one it stands under.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Outline {
    headings: Vec<Heading>,
    parents: Vec<Option<usize>>,
}

/// A heading longer than this is not one: an unclosed tag, a line of text that happens to be underlined.
pub(super) const LONGEST_HEADING_BYTES: usize = 300;

impl Outline {
    /// Headings without text, or too long to be one, are left out.
    pub(super) fn new(mut headings: Vec<Heading>) -> Self {
        headings.retain(|heading| !heading.title.is_empty() && heading.title.len() <= LONGEST_HEADING_BYTES);
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

    /// The indices from the outermost heading down to `index`.
    pub(super) fn path(&self, index: usize) -> Vec<usize> {
        let mut path = vec![index];
        while let Some(above) = path.last().and_then(|&last| self.parents[last]) {
            path.push(above);
        }
        path.reverse();
        path
    }

    /// The titles along a path.
    pub(super) fn titles<'a>(&'a self, path: &[usize]) -> Vec<&'a str> {
        path.iter().map(|&index| self.headings[index].title.as_str()).collect()
    }

    /// The title that stands over the whole text: of the only outermost heading.
    pub(super) fn single_top(&self) -> Option<&str> {
        let mut tops = self.parents.iter().enumerate().filter(|(_, parent)| parent.is_none());
        let first = tops.next().map(|(index, _)| self.headings[index].title.as_str());
        if tops.next().is_some() { None } else { first }
    }
}

/// Runs of white space as one space, none at the ends.
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
