//! Titles that announce a table of contents or an index, and whether what stands below is one.

use std::collections::HashSet;

use super::pages::{has_leader, page};

/// A list is announced near the beginning of a text, or is none.
pub(in crate::corpus) const WITHIN: usize = 16 << 10;

/// Titles of tables of contents, without signs.
const TITLES: [&str; 15] = [
    "table of contents",
    "toc",
    "inhaltsverzeichnis",
    "table des matières",
    "índice",
    "sommario",
    "inhoudsopgave",
    "innehållsförteckning",
    "indholdsfortegnelse",
    "spis treści",
    "оглавление",
    "目次",
    "目录",
    "目錄",
    "차례",
];
/// Titles that boxes and parcels have too.
const PERHAPS: [&str; 8] =
    ["contents", "summary", "inhalt", "sommaire", "inhoud", "innehåll", "obsah", "содержание"];

/// Whether a title announces a table of contents, or may.
pub(super) fn is_title(title: &str) -> bool {
    let title = words(title);
    TITLES.contains(&title.as_str()) || PERHAPS.contains(&title.as_str())
}

/// Whether a list under `title` is a table of contents: the title leaves no doubt, or the entries are numbered, or lead
/// from page to page, or most of them stand as lines of their own elsewhere in the text.
pub(in crate::corpus) fn announces(title: &str, entries: &str, text: &str) -> bool {
    let title = words(title);
    if TITLES.contains(&title.as_str()) {
        return true;
    }
    if !PERHAPS.contains(&title.as_str()) {
        return false;
    }
    let lines = entries.lines().map(str::trim).filter(|line| !line.is_empty());
    let are_numbered = lines.clone().all(is_numbered) && lines.clone().count() >= 2;
    if are_numbered || lead_to_pages(lines) {
        return true;
    }
    let entries: Vec<String> = entries.lines().map(words).filter(|entry| !entry.is_empty()).collect();
    let lines: Vec<String> = text.lines().map(words).collect();
    let mut seen = HashSet::new();
    let twice: HashSet<&String> = lines.iter().filter(|line| !seen.insert(*line)).collect();
    let again = entries.iter().filter(|entry| twice.contains(entry)).count();
    entries.len() >= 2 && again * 2 >= entries.len()
}

/// Whether each line ends with a page, and none with one before that of the last: more lines than stand so by chance.
fn lead_to_pages<'t>(lines: impl Iterator<Item = &'t str>) -> bool {
    const LEAST: usize = 4;
    let pages: Option<Vec<_>> = lines.map(page).collect();
    pages.is_some_and(|pages| pages.len() >= LEAST && pages.is_sorted())
}

/// Whether a line begins with a number as chapters have it: `2.`, `2.1` or `2)`, but not two of something.
fn is_numbered(line: &str) -> bool {
    let number = line.split_whitespace().next().unwrap_or_default();
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.contains(['.', ')'])
        && number.chars().all(|c| c.is_ascii_digit() || ".)".contains(c))
}

/// The words of a line in lower case, without its bullet or number, leader and page.
pub(super) fn words(line: &str) -> String {
    let is_number = |word: &&str| word.chars().all(char::is_numeric);
    let words: Vec<&str> =
        line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let start = words.iter().take_while(|word| is_number(word)).count();
    let end = words.len() - usize::from(has_leader(line) && words.len() > start);
    words[start.min(end)..end].join(" ").to_lowercase()
}

/// Whether a title announces the index at the back of a book.
#[cfg(feature = "formats")]
pub(in crate::corpus) fn is_index_title(title: &str) -> bool {
    const TITLES: [&str; 12] = [
        "general index",
        "index",
        "register",
        "sachregister",
        "sachverzeichnis",
        "stichwortverzeichnis",
        "subject index",
        "trefwoordenregister",
        "índice alfabético",
        "indice analitico",
        "предметный указатель",
        "索引",
    ];
    TITLES.contains(&words(title).as_str())
}
