//! The index at the back of a book, as lines: `vacuum, 12, 345–350`. It holds the words of all passages in few words,
//! and
//! would stand above them.

use std::ops::Range;

use crate::corpus::lines::{Line, lines};

/// The lines of indexes in a text. They are many, in the order of the alphabet, and nearly all end with pages, some
/// with
/// several.
pub(in crate::corpus) fn in_lines(text: &str) -> Vec<Range<usize>> {
    const LEAST_ENTRIES: usize = 24;
    let mut found = Vec::new();
    let mut run = Run::default();
    for line in lines(text) {
        if line.is_blank() {
            continue;
        }
        if !run.take(&line) {
            found.extend(run.range(LEAST_ENTRIES));
            run = Run::default();
            run.take(&line);
        }
    }
    found.extend(run.range(LEAST_ENTRIES));
    found
}

/// Lines that may be those of an index.
#[derive(Default)]
struct Run {
    range: Option<Range<usize>>,
    /// Lines with pages, and those of them with several.
    entries: usize,
    several: usize,
    /// Pairs of neighbours in order.
    ascending: usize,
    last: String,
    /// Lines without pages since the last with some, and all of them.
    others: usize,
    all_others: usize,
}

impl Run {
    /// Adds a line. Returns false if it is none of the run's.
    fn take(&mut self, line: &Line<'_>) -> bool {
        // Entries with pages in the next line, letters over their entries, and running heads.
        const MOST_OTHERS: usize = 2;
        let text = line.text.trim();
        let Some(entry) = Entry::of(text) else {
            self.others += 1;
            self.all_others += 1;
            let is_short = text.chars().count() <= Entry::LONGEST && !text.ends_with('.');
            return self.entries > 0 && self.others <= MOST_OTHERS && is_short;
        };
        self.others = 0;
        self.entries += 1;
        self.several += usize::from(entry.has_several);
        let word = entry.word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        self.ascending += usize::from(self.last <= word);
        self.last = word;
        let start = self.range.as_ref().map_or(line.start, |range| range.start);
        self.range = Some(start..line.end());
        true
    }

    fn range(&self, least: usize) -> Option<Range<usize>> {
        let is_one = self.entries >= least
            && self.ascending * 4 >= self.entries * 3
            && self.several * 10 >= self.entries
            && self.all_others * 2 <= self.entries;
        self.range.clone().filter(|_| is_one)
    }
}

struct Entry<'t> {
    word: &'t str,
    has_several: bool,
}

impl Entry<'_> {
    const LONGEST: usize = 80;

    /// A line that ends with the numbers of pages behind a comma, a tab, dots or two spaces.
    fn of(line: &str) -> Option<Entry<'_>> {
        let is_page = |c: char| c.is_ascii_digit() || ",–- ".contains(c) || "fn.".contains(c);
        let word = line.trim_end_matches(is_page);
        let pages = &line[word.len()..];
        let (word, pages) = match pages.find(|c: char| c.is_ascii_digit()) {
            Some(first) => (line[..word.len() + first].trim_end(), &pages[first..]),
            None => return None,
        };
        let numbers = pages.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
        let is_listed = numbers.clone().all(|number| number.len() <= 4);
        let is_apart = word.ends_with([',', '.', '\t'])
            || line[word.len()..].starts_with(['\t'])
            || line[word.len()..].starts_with("  ");
        let word = word.trim_end_matches([',', '.', ' ', '\t']);
        let is_word = word.contains(char::is_alphabetic) && word.chars().count() <= Entry::LONGEST;
        (is_listed && is_apart && is_word).then_some(Entry { word, has_several: numbers.count() > 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> String {
        let words = [
            "alarm", "anchor", "bolt", "bridge", "cable", "flood", "gauge", "horn", "lamp", "mast", "panel",
            "snow",
        ];
        let mut text = String::new();
        for (number, word) in words.iter().enumerate() {
            text.push_str(&format!("{word}, {}\n", 3 * number + 2));
            text.push_str(&format!("{word} box, {}, {}–{}\n", number + 1, number + 40, number + 45));
        }
        text
    }

    #[test]
    fn sorted_words_with_pages_are_an_index() {
        let text = format!("The mast is high.\n\nIndex\n\nA\n\n{}\nThe end of it all.\n", index());
        let found = in_lines(&text);
        assert_eq!(found.len(), 1);
        assert!(
            text[found[0].clone()].starts_with("alarm, 2") && text[found[0].clone()].ends_with("51–56"),
            "{found:?}"
        );
    }

    #[test]
    fn lists_with_numbers_are_none() {
        let backwards: String = index().lines().rev().map(|line| format!("{line}\n")).collect();
        let prices: String = (0..40).map(|number| format!("article {number:02}, {number}\n")).collect();
        let prose: String = (0..40)
            .map(|year| format!("In the year {} it rained on {year} days, said Ada.\n", 1900 + year))
            .collect();
        for text in [backwards, prices, prose, "a, 1\nb, 2, 3\n".into(), String::new()] {
            assert!(in_lines(&text).is_empty(), "{text}");
        }
    }
}
