//! Running heads, running feet and page numbers: they are part of no passage.

use std::collections::{HashMap, HashSet};

use super::lines::Line;

/// How many rows at each end of a page may be one.
const DEPTH: usize = 2;

/// What repeats on fewer pages may be text.
const LEAST_PAGES: usize = 3;

/// Removes the lines at the ends of pages that repeat from page to page, and those that count the pages. A line in
/// larger type than the `body` is a heading.
pub(super) fn remove(pages: &mut [Vec<Line>], body: f64) {
    let ends: Vec<HashSet<usize>> = pages.iter().map(|lines| ends(lines, body)).collect();
    let mut repeated: HashMap<(String, i64), usize> = HashMap::new();
    let mut counted: HashMap<(i64, i64), usize> = HashMap::new();
    for ((page, lines), ends) in (1i64..).zip(pages.iter()).zip(&ends) {
        for &at in ends {
            *repeated.entry((words(&lines[at].text), place(&lines[at]))).or_default() += 1;
            if let Some(number) = number(&lines[at].text) {
                *counted.entry((number - page, place(&lines[at]))).or_default() += 1;
            }
        }
    }
    for ((page, lines), ends) in (1i64..).zip(pages.iter_mut()).zip(&ends) {
        let mut index = 0..;
        lines.retain(|line| {
            if !index.next().is_some_and(|at| ends.contains(&at)) {
                return true;
            }
            let counts = |number: i64| counted.get(&(number - page, place(line))).copied().unwrap_or(0);
            let repeats = repeated.get(&(words(&line.text), place(line))).copied().unwrap_or(0);
            let is_roman = line.text.len() <= 8 && line.text.chars().all(|one| "ivxlcdm".contains(one));
            let is_this_page = line.text.trim_matches(|one: char| !one.is_alphanumeric()) == page.to_string();
            repeats < LEAST_PAGES
                && number(&line.text).map_or(0, counts) < LEAST_PAGES
                && !is_roman
                && !is_this_page
        });
    }
}

/// The lines, by their index, that stand alone at the top and at the bottom.
fn ends(lines: &[Line], body: f64) -> HashSet<usize> {
    let mut order: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].turned == 0).collect();
    order.sort_by(|&a, &b| lines[b].y.total_cmp(&lines[a].y));
    let rows: Vec<&[usize]> = order.chunk_by(|&a, &b| lines[a].y - lines[b].y < 3.0).collect();
    let gap = |a: &[usize], b: &[usize]| (lines[a[0]].y - lines[b[0]].y).abs() / lines[a[0]].size.max(1.0);
    let apart = |mut rows: Vec<&[usize]>| {
        let alone = rows.windows(2).take(DEPTH).position(|pair| gap(pair[0], pair[1]) > 1.6);
        rows.truncate(alone.map_or(0, |at| at + 1));
        rows.concat()
    };
    let found = apart(rows.clone()).into_iter().chain(apart(rows.into_iter().rev().collect()));
    found.filter(|&at| lines[at].size < body * 1.1).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, y: f64, size: f64) -> Line {
        Line { text: text.into(), left: 50.0, right: 300.0, y, size, turned: 0 }
    }

    #[test]
    fn heads_and_numbers_go_and_headings_and_repeated_text_stay() {
        let mut pages: Vec<Vec<Line>> = (1..=4)
            .map(|page| {
                vec![
                    line("The handbook", 800.0, 8.0),
                    line(&format!("{page} Of lamps"), 770.0, 18.0),
                    line("The lamp is trimmed at dusk,", 700.0, 10.0),
                    line("and once more at midnight.", 688.0, 10.0),
                    line(&format!("- {page} -"), 40.0, 8.0),
                ]
            })
            .collect();
        remove(&mut pages, 10.0);
        for (page, lines) in (1..).zip(&pages) {
            let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            let heading = format!("{page} Of lamps");
            assert_eq!(
                texts,
                [heading.as_str(), "The lamp is trimmed at dusk,", "and once more at midnight."]
            );
        }
    }
}
