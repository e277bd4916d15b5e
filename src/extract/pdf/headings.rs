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
        let lines =
            near.flat_map(|(page, lines)| lines.iter().enumerate().map(move |(at, line)| (page, at, line)));
        let hit = lines.filter(|&(page, at, _)| (page, at) >= from).find(|(_, _, line)| {
            let text = letters(&line.text);
            // The line may have a number that the bookmark lacks.
            let is_it = text == wanted || text.strip_suffix(&wanted).is_some_and(is_number);
            !wanted.is_empty() && line.size > body * 0.97 && is_it
        });
        if let Some((page, at, _)) = hit {
            found.insert((page, at), bookmark.level);
            from = (page, at + 1);
        }
    }
    found
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 10 && text.trim_start_matches("chapter").len() <= 6
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
