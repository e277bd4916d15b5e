//! Which lines are headings: those that the bookmarks name, else those in larger type.

use std::collections::HashMap;

use super::lines::Line;
use super::outline::Bookmark;

/// The level of each line that is a heading, by its page and its index there.
pub(super) type Headings = HashMap<(usize, usize), u8>;

/// A bookmark's line stands within so many pages behind the one before it, or is not found.
const WITHIN_PAGES: usize = 60;

/// Longer lines in large type are text of a slide or a title page.
const LONGEST: usize = 150;

pub(super) fn find(pages: &[Vec<Line>], bookmarks: &[Bookmark], body: f64) -> Headings {
    let named = by_bookmarks(pages, bookmarks, body);
    // Bookmarks that name no line are of another kind: pages, or figures.
    if named.is_empty() { by_size(pages, body) } else { named }
}

/// The size of most of the text.
pub(super) fn body_size(pages: &[Vec<Line>]) -> f64 {
    let mut sizes: HashMap<i64, usize> = HashMap::new();
    for line in pages.iter().flatten() {
        *sizes.entry((line.size * 4.0) as i64).or_default() += line.text.len();
    }
    sizes.into_iter().max_by_key(|&(size, length)| (length, size)).map_or(0.0, |(size, _)| size as f64 / 4.0)
}

fn by_bookmarks(pages: &[Vec<Line>], bookmarks: &[Bookmark], body: f64) -> Headings {
    let mut found = Headings::new();
    let mut from = (0, 0);
    for bookmark in bookmarks {
        let wanted = letters(&bookmark.title);
        let near = pages.iter().enumerate().skip(from.0).take(WITHIN_PAGES);
        let places = near.flat_map(|(page, lines)| (0..lines.len()).map(move |at| (page, at)));
        let mut places = places.filter(|&place| place >= from);
        let hit =
            places.find_map(|(page, at)| Some((page, at, lines_of(&wanted, &pages[page][at..], body)?)));
        if let Some((page, at, lines)) = hit {
            found.extend((at..at + lines).map(|at| ((page, at), bookmark.level)));
            from = (page, at + lines);
        }
    }
    found
}

/// How many of the first lines are the heading that is wanted. It may go over several, and have a number that the
/// bookmark lacks.
fn lines_of(wanted: &str, lines: &[Line], body: f64) -> Option<usize> {
    const MOST: usize = 3;
    let first = lines.first()?;
    let mut text = String::new();
    for (line, count) in lines.iter().take(MOST).zip(1..) {
        if wanted.is_empty() || line.size <= body * 0.97 || (line.size - first.size).abs() > 0.3 {
            return None;
        }
        text += &letters(&line.text);
        if text == wanted || text.strip_suffix(wanted).is_some_and(is_number) {
            return Some(count);
        }
        if text.len() > wanted.len() + LONGEST_NUMBER {
            return None;
        }
    }
    None
}

const LONGEST_NUMBER: usize = 14;

/// `3`, `A.1` or `iv` without its signs, `chapter3` or `appendixa`.
fn is_number(text: &str) -> bool {
    const WORDS: [&str; 7] = ["anhang", "appendix", "chapter", "kapitel", "part", "section", "teil"];
    let number = WORDS.iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    !text.is_empty() && number.len() <= 6
}

fn by_size(pages: &[Vec<Line>], body: f64) -> Headings {
    let is_large = |line: &Line| {
        line.size > body * 1.12 && line.text.len() <= LONGEST && line.text.chars().any(char::is_alphabetic)
    };
    let mut sizes: Vec<i64> = pages.iter().flatten().filter(|line| is_large(line)).map(rounded).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.dedup();
    let level = |line: &Line| {
        sizes.iter().position(|&size| size == rounded(line)).map_or(6, |at| at.min(5) as u8 + 1)
    };
    let all = pages
        .iter()
        .enumerate()
        .flat_map(|(page, lines)| lines.iter().enumerate().map(move |(at, line)| ((page, at), line)));
    all.filter(|(_, line)| is_large(line)).map(|(place, line)| (place, level(line))).collect()
}

fn rounded(line: &Line) -> i64 {
    line.size.round() as i64
}

fn letters(text: &str) -> String {
    text.chars().filter(|one| one.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(size: f64, text: &str) -> Line {
        Line { text: text.into(), left: 0.0, right: 100.0, y: 0.0, size, turned: 0 }
    }

    #[test]
    fn bookmarks_find_headings_with_numbers_and_over_several_lines() {
        let titles = [
            (1, "Scope"),
            (2, "1.1 Words"),
            (1, "Reporting Bugs"),
            (1, "Major Differences From The Shell"),
            (1, "C Indexes"),
        ];
        let bookmarks: Vec<Bookmark> =
            titles.iter().map(|&(level, title)| Bookmark { level, title: title.into() }).collect();
        let page = vec![
            line(20.0, "Chapter 1 Scope"),
            line(14.0, "1.1 Words"),
            line(10.0, "Text about reporting bugs."),
            line(20.0, "Appendix A Reporting Bugs"),
            line(20.0, "Appendix B Major Differences From"),
            line(20.0, "The Shell"),
            line(10.0, "Text."),
            line(20.0, "Appendix C Indexes"),
        ];
        let found = find(&[page], &bookmarks, 10.0);
        let mut found: Vec<_> = found.into_iter().map(|((_, at), level)| (at, level)).collect();
        found.sort_unstable();
        assert_eq!(found, [(0, 1), (1, 2), (3, 1), (4, 1), (5, 1), (7, 1)]);
    }
}
