//! Lines of tables of contents that end with the number of a page.

/// The number of a page. Those in Roman numerals come before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Page {
    Roman(u32),
    Arabic(u32),
}

/// Whether a line ends with dots and the number of a page.
pub(super) fn has_leader(line: &str) -> bool {
    let line = line.trim_end();
    let before = line.trim_end_matches(|c: char| c.is_alphanumeric());
    let page = line.len() - before.len();
    let dots = before.chars().rev().take_while(|&c| c == '.' || c == ' ').filter(|&c| c == '.').count();
    (1..=5).contains(&page) && dots >= 4
}

/// The page at the end of a line that has words before it, whether dots lead to it or not.
pub(super) fn page(line: &str) -> Option<Page> {
    const LONGEST: usize = 120;
    let (words, number) = without_page(line)?;
    if !words.contains(char::is_alphabetic) || (line.len() > LONGEST && !has_leader(line)) {
        return None;
    }
    number.parse().ok().map(Page::Arabic).or_else(|| roman(number).map(Page::Roman))
}

/// What stands before the last word of a line, without dots, and that word, if it has the length of a page's number.
fn without_page(line: &str) -> Option<(&str, &str)> {
    const LONGEST: usize = 5;
    let line = line.trim_end();
    let before = line.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    let number = &line[before.len()..];
    let is_apart = before.ends_with(|c: char| c.is_whitespace() || c == '.');
    (is_apart && (1..=LONGEST).contains(&number.len()))
        .then(|| (before.trim_end_matches(|c: char| c.is_whitespace() || c == '.'), number))
}

/// The value of a numeral such as `xiv`.
fn roman(numeral: &str) -> Option<u32> {
    let digits: Option<Vec<u32>> = numeral
        .chars()
        .map(|digit| {
            Some(match digit {
                'i' => 1,
                'v' => 5,
                'x' => 10,
                'l' => 50,
                _ => return None,
            })
        })
        .collect();
    let digits = digits?;
    let value = |at: usize| match digits.get(at + 1) {
        Some(&next) if next > digits[at] => -(i64::from(digits[at])),
        _ => i64::from(digits[at]),
    };
    u32::try_from((0..digits.len()).map(value).sum::<i64>()).ok().filter(|value| *value < 90)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_stand_at_the_end_behind_words() {
        for (line, found) in [
            ("1 Scope of This Document 3", Some(Page::Arabic(3))),
            ("Preface . . . . xiv", Some(Page::Roman(14))),
            ("Introduction\t12", Some(Page::Arabic(12))),
            ("3 4", None),
            ("The pump runs at noon.", None),
            ("Introduction", None),
            ("KX-4401", None),
            ("civil", None),
            ("it is mild", None),
        ] {
            assert_eq!(page(line), found, "{line}");
        }
        assert!(Page::Roman(9) < Page::Arabic(1));
        assert_eq!(page(&format!("{} 3", "word ".repeat(40))), None, "a paragraph");
    }
}
