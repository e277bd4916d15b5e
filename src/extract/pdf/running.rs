//! Running heads, running feet and page numbers: they are part of no passage.

use std::collections::HashMap;

use super::lines::Line;

/// How many lines at each end of a page may be one.
const DEPTH: usize = 2;

/// What repeats on fewer pages may be text.
const LEAST_PAGES: usize = 3;

/// Removes the lines at the ends of pages that repeat from page to page, and those that count the pages.
pub(super) fn remove(pages: &mut [Vec<Line>]) {
    let ends: Vec<Vec<usize>> = pages.iter().map(|lines| ends(lines)).collect();
    let mut repeated: HashMap<(String, i64), usize> = HashMap::new();
    let mut counted: HashMap<(i64, i64), usize> = HashMap::new();
    for ((page, lines), ends) in (0i64..).zip(pages.iter()).zip(&ends) {
        for &at in ends {
            *repeated.entry((words(&lines[at].text), place(&lines[at]))).or_default() += 1;
            if let Some(number) = number(&lines[at].text) {
                *counted.entry((number - page, place(&lines[at]))).or_default() += 1;
            }
        }
    }
    for ((page, lines), ends) in (0i64..).zip(pages.iter_mut()).zip(&ends) {
        let mut index = 0..;
        lines.retain(|line| {
            if !ends.contains(&index.next().unwrap_or(0)) {
                return true;
            }
            let counts = |number: i64| counted.get(&(number - page, place(line))).copied().unwrap_or(0);
            let repeats = repeated.get(&(words(&line.text), place(line))).copied().unwrap_or(0);
            let is_roman = line.text.len() <= 8 && line.text.chars().all(|one| "ivxlcdm".contains(one));
            repeats < LEAST_PAGES && number(&line.text).map_or(0, counts) < LEAST_PAGES && !is_roman
        });
    }
}

/// The highest and the lowest lines, by their index.
fn ends(lines: &[Line]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].turned == 0).collect();
    order.sort_by(|&a, &b| lines[b].y.total_cmp(&lines[a].y));
    let lowest = order.len().saturating_sub(DEPTH).max(DEPTH.min(order.len()));
    order[..DEPTH.min(order.len())].iter().chain(&order[lowest..]).copied().collect()
}

/// The height, coarsely.
fn place(line: &Line) -> i64 {
    (line.y / 4.0).round() as i64
}

/// The text without numbers.
fn words(text: &str) -> String {
    text.split(|one: char| !one.is_alphabetic()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The number at either end of a line.
fn number(text: &str) -> Option<i64> {
    let mut words = text.split_whitespace();
    let (first, last) = (words.next()?, words.next_back());
    let bare = |word: &str| word.trim_matches(|one: char| !one.is_alphanumeric()).parse::<i64>().ok();
    last.and_then(bare).or_else(|| bare(first)).filter(|number| (0..100_000).contains(number))
}
