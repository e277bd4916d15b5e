//! What stands in a file and is no passage: tables of contents, embedded data, and placeholders for text that is still
//! to be written.
//!
//! Tables of contents and placeholders hold the words of the passages that they announce, in few words, and would stand
//! above them.

use std::collections::HashSet;
use std::ops::Range;

use super::format::Format;

/// How much of a list or a paragraph is links to other places of the same documents.
#[derive(Debug, Default)]
pub(super) struct LinkShare {
    text: usize,
    linked: usize,
    links: usize,
}

impl LinkShare {
    pub(super) fn open_link(&mut self) {
        self.links += 1;
    }

    pub(super) fn add(&mut self, text: &str, is_linked: bool) {
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        self.text += letters;
        self.linked += if is_linked { letters } else { 0 };
    }

    /// Whether a list is a table of contents.
    pub(super) fn is_contents(&self) -> bool {
        self.links >= 2 && self.linked > 0 && self.linked * 5 >= self.text * 4
    }

    /// Whether a list is that of an index: its entries are words of a few letters, with links to where they stand.
    #[cfg(feature = "formats")]
    pub(super) fn is_index(&self) -> bool {
        const LEAST_LINKS: usize = 1;
        const MOST_LETTERS_EACH: usize = 40;
        self.links >= LEAST_LINKS && self.text - self.linked <= self.links * MOST_LETTERS_EACH
    }

    /// Whether there is nothing but links.
    pub(super) fn is_navigation(&self) -> bool {
        self.linked > 0 && self.linked == self.text
    }
}

/// Whether a title announces the index at the back of a book.
#[cfg(feature = "formats")]
pub(super) fn is_index_title(title: &str) -> bool {
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

/// Whether a link leads to a place of the same documents.
pub(super) fn is_internal(link: &str) -> bool {
    let has_scheme = link.split(['/', '#', '?']).next().is_some_and(|start| start.contains(':'));
    !link.is_empty() && !has_scheme && !link.starts_with("//")
}

/// A list is announced near the beginning of a text, or is none.
pub(super) const WITHIN: usize = 16 << 10;

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
fn is_title(title: &str) -> bool {
    let title = words(title);
    TITLES.contains(&title.as_str()) || PERHAPS.contains(&title.as_str())
}

/// Whether a list under `title` is a table of contents: the title leaves no doubt, or the entries are numbered, or most
/// of them stand as lines of their own elsewhere in the text.
pub(super) fn announces(title: &str, entries: &str, text: &str) -> bool {
    let title = words(title);
    if TITLES.contains(&title.as_str()) {
        return true;
    }
    if !PERHAPS.contains(&title.as_str()) {
        return false;
    }
    let lines = entries.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines.clone().all(is_numbered) && lines.count() >= 2 {
        return true;
    }
    let entries: Vec<String> = entries.lines().map(words).filter(|entry| !entry.is_empty()).collect();
    let lines: Vec<String> = text.lines().map(words).collect();
    let mut seen = HashSet::new();
    let twice: HashSet<&String> = lines.iter().filter(|line| !seen.insert(*line)).collect();
    let again = entries.iter().filter(|entry| twice.contains(entry)).count();
    entries.len() >= 2 && again * 2 >= entries.len()
}

/// Whether a line begins with a number as chapters have it: `2.`, `2.1` or `2)`, but not two of something.
fn is_numbered(line: &str) -> bool {
    let number = line.split_whitespace().next().unwrap_or_default();
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.contains(['.', ')'])
        && number.chars().all(|c| c.is_ascii_digit() || ".)".contains(c))
}

/// The words of a line in lower case, without its bullet or number, leader and page.
fn words(line: &str) -> String {
    let is_number = |word: &&str| word.chars().all(char::is_numeric);
    let words: Vec<&str> =
        line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let start = words.iter().take_while(|word| is_number(word)).count();
    let end = words.len() - usize::from(has_leader(line) && words.len() > start);
    words[start.min(end)..end].join(" ").to_lowercase()
}

/// Whether a line ends with dots and the number of a page.
fn has_leader(line: &str) -> bool {
    let line = line.trim_end();
    let before = line.trim_end_matches(|c: char| c.is_alphanumeric());
    let page = line.len() - before.len();
    let dots = before.chars().rev().take_while(|&c| c == '.' || c == ' ').filter(|&c| c == '.').count();
    (1..=5).contains(&page) && dots >= 4
}

struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl Line<'_> {
    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it looks like an entry: with a bullet, a number or a page, and no sentence.
    fn is_entry(&self) -> bool {
        const LONGEST: usize = 120;
        let line = self.text.trim();
        let begins = line.starts_with(|c: char| c.is_ascii_digit() || "-*+•".contains(c));
        let is_sentence = line.ends_with(['.', ':', ';', ',']) && !has_leader(line);
        has_leader(line) || begins && !is_sentence && line.len() <= LONGEST
    }
}

/// The tables of contents of a plain text or of reStructuredText, without the headings above them.
pub(super) fn in_lines(text: &str, format: Format) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut lines: Vec<Line<'_>> = Vec::new();
    for line in text.split_inclusive('\n') {
        lines.push(Line { start, text: line.trim_end() });
        start += line.len();
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let table = directive(&lines[at..], format)
            .or_else(|| leaders(&lines[at..]))
            .or_else(|| linked(&lines[at..], format))
            .map(|length| at..at + length)
            .or_else(|| under_title(text, &lines, at));
        match table {
            Some(range) => {
                at = range.end;
                found.push(lines[range.start].start..lines[range.end - 1].end());
            }
            None => at += 1,
        }
    }
    found
}

/// The lines of a directive that makes a table of contents.
fn directive(lines: &[Line<'_>], format: Format) -> Option<usize> {
    let first = lines.first()?.text;
    let indent = first.len() - first.trim_start().len();
    let is_one = |line: &str| line.starts_with(".. toctree::") || line.starts_with(".. contents::");
    if format != Format::Rst || !is_one(first.trim_start()) {
        return None;
    }
    let inside = |line: &Line<'_>| line.is_blank() || line.text.len() - line.text.trim_start().len() > indent;
    let length = 1 + lines[1..].iter().take_while(|line| inside(line)).count();
    Some(length - lines[1..length].iter().rev().take_while(|line| line.is_blank()).count())
}

/// The lines of a list whose entries are links to other places of the same documents, and nothing else.
fn linked(lines: &[Line<'_>], format: Format) -> Option<usize> {
    let is_entry = |line: &Line<'_>| {
        let entry = line.text.trim();
        let link = entry.strip_prefix(['*', '-', '+']).or_else(|| entry.strip_prefix("#."));
        link.is_some_and(|link| is_link(link.trim(), format))
    };
    if !is_entry(lines.first()?) {
        return None;
    }
    let run = lines.iter().take_while(|line| line.is_blank() || is_entry(line)).count();
    let length = run - lines[..run].iter().rev().take_while(|line| line.is_blank()).count();
    (lines[..length].iter().filter(|line| !line.is_blank()).count() >= 2).then_some(length)
}

/// Whether a text is one link within the same documents.
fn is_link(text: &str, format: Format) -> bool {
    match format {
        Format::Rst => {
            let role = [":doc:`", ":ref:`"].iter().find_map(|role| text.strip_prefix(role));
            let named = text.strip_prefix('`').and_then(|rest| {
                let target = rest.trim_end_matches('_').strip_suffix(">`")?.rsplit_once('<')?.1;
                is_internal(target).then_some(())
            });
            named.is_some() || role.is_some_and(|rest| rest.find('`') == Some(rest.len() - 1))
        }
        Format::Org => text.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")).is_some_and(|link| {
            let target = link.split("][").next().unwrap_or(link);
            !link.contains("[[") && is_internal(target.strip_prefix("file:").unwrap_or(target))
        }),
        _ => false,
    }
}

/// Lines that lead to pages, at least three in a row.
fn leaders(lines: &[Line<'_>]) -> Option<usize> {
    if !has_leader(lines.first()?.text) {
        return None;
    }
    let run = lines.iter().take_while(|line| line.is_blank() || has_leader(line.text)).count();
    let length = run - lines[..run].iter().rev().take_while(|line| line.is_blank()).count();
    (lines[..length].iter().filter(|line| !line.is_blank()).count() >= 3).then_some(length)
}

/// The entries under a line that announces them, from the line on unless it is a heading.
fn under_title(text: &str, lines: &[Line<'_>], at: usize) -> Option<Range<usize>> {
    let title = lines[at].text;
    if lines[at].start > WITHIN || !is_title(title) {
        return None;
    }
    let is_underlined = lines
        .get(at + 1)
        .is_some_and(|line| !line.is_blank() && line.text.chars().all(|c| c.is_ascii_punctuation()));
    let first = at + 1 + usize::from(is_underlined);
    let mut entries = HashSet::new();
    let mut end = first;
    for (line, number) in lines[first..].iter().zip(first + 1..).filter(|(line, _)| !line.is_blank()) {
        // Where an entry comes again, or the pages end, the text begins.
        let leads = end == first || has_leader(line.text) == has_leader(lines[end - 1].text);
        if !line.is_entry() || !leads || !entries.insert(words(line.text)) {
            break;
        }
        end = number;
    }
    if entries.len() < 2 {
        return None;
    }
    let entries = &text[lines[first].start..lines[end - 1].end()];
    announces(title, entries, text).then_some(if is_underlined { first..end } else { at..end })
}

/// The base64 of files that are embedded in a text, such as pictures.
pub(super) fn embedded_data(text: &str) -> Vec<Range<usize>> {
    const MARK: &str = ";base64,";
    const LEAST_BYTES: usize = 64;
    let data = text.match_indices(MARK).map(|(at, mark)| {
        let start = at + mark.len();
        start..start + base64_length(&text[start..])
    });
    data.filter(|range| range.len() >= LEAST_BYTES).collect()
}

/// The length of the base64 that a text begins with.
pub(super) fn base64_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)).unwrap_or(text.len())
}

/// Whether a text only says that there is none yet. Under a heading, a short note of what is to be written says so too.
pub(super) fn is_placeholder(text: &str, under_a_heading: bool) -> bool {
    const MOST_WORDS: usize = 12;
    const MARKS: [&str; 5] = ["fixme", "tba", "tbd", "todo", "wip"];
    const WHOLE: [&str; 33] = [
        "add content here",
        "blank",
        "coming soon",
        "content coming soon",
        "documentation pending",
        "empty",
        "fill in",
        "in progress",
        "left blank",
        "lorem ipsum",
        "n a",
        "no content yet",
        "not documented yet",
        "not written yet",
        "not yet available",
        "not yet documented",
        "not yet written",
        "nothing here yet",
        "placeholder",
        "please add content here",
        "see below",
        "stub",
        "to be added",
        "to be announced",
        "to be completed",
        "to be determined",
        "to be documented",
        "to be done",
        "to be written",
        "to do",
        "under construction",
        "work in progress",
        "xxx",
    ];
    // "This page is currently", before what is said of it.
    const SUBJECTS: [&str; 9] =
        ["article", "chapter", "document", "entry", "file", "page", "part", "section", "topic"];
    const FILLERS: [&str; 10] =
        ["a", "been", "currently", "has", "intentionally", "is", "just", "only", "still", "was"];
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.take(MOST_WORDS + 1).map(str::to_lowercase).collect();
    if words.is_empty() {
        return text.chars().all(|c| c.is_whitespace() || "-–—.…*_=#~".contains(c));
    }
    if words.len() > MOST_WORDS {
        return false;
    }
    let mut said = words.as_slice();
    // A directive of reStructuredText: `.. note:: TODO`.
    if said.len() > 1 && text.trim_start().starts_with(".. ") && text.contains("::") {
        said = &said[1..];
    }
    let is_marked = said.first().is_some_and(|mark| MARKS.contains(&mark.as_str()));
    if let [this, subject, rest @ ..] = said
        && ["the", "this"].contains(&this.as_str())
        && SUBJECTS.contains(&subject.as_str())
    {
        said = rest;
    }
    let core: Vec<&str> = said.iter().map(String::as_str).filter(|word| !FILLERS.contains(word)).collect();
    is_marked && (under_a_heading || words.len() == 1)
        || [said.join(" "), core.join(" ")].iter().any(|said| WHOLE.contains(&said.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, format: Format) -> Vec<&str> {
        in_lines(text, format).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn leaders_directives_and_announced_lists_are_found() {
        let rfc = "Table of Contents\n\n   1. Introduction ........ 3\n   2. Terms . . . . . . 4\n\n\
                   1. Introduction\n\n   The lines of this\n   text are indented.\n";
        assert_eq!(found(rfc, Format::Text), [rfc.split("\n\n1. I").next().unwrap()]);
        let book = "A ..... 1\nB ..... 2\n\nC ..... iv\n\nText.\n";
        assert_eq!(found(book, Format::Text), ["A ..... 1\nB ..... 2\n\nC ..... iv"]);
        let rst = "Title\n=====\n\n.. toctree::\n   :maxdepth: 2\n\n   panel\n   gate\n\nText.\n";
        assert_eq!(found(rst, Format::Rst), [".. toctree::\n   :maxdepth: 2\n\n   panel\n   gate"]);
        let chapters = "Contents\n\n1. Reset\n2. Gates\n";
        assert_eq!(found(chapters, Format::Text), [chapters.trim()]);
        let kernel =
            "Contents:\n\n 1) Overview\n 2) Locking\n\n1) Overview\n\nIt is.\n\n2) Locking\n\nNone.\n";
        assert_eq!(found(kernel, Format::Text), ["Contents:\n\n 1) Overview\n 2) Locking"]);
    }

    #[test]
    fn lists_of_links_within_the_documents_are_found() {
        let rst = "Text.\n\n* `A <a.html>`_\n* :doc:`b`\n* :ref:`The b <b>`\n\nMore.\n";
        assert_eq!(found(rst, Format::Rst), ["* `A <a.html>`_\n* :doc:`b`\n* :ref:`The b <b>`"]);
        let org = "- [[file:a.org][A]]\n- [[*Section b]]\n- rope\n";
        assert_eq!(found(org, Format::Org), ["- [[file:a.org][A]]\n- [[*Section b]]"]);
        for text in [
            "* `A <https://x.org>`_\n* `B <https://x.org>`_\n",
            "* :doc:`a` is where ropes are\n* :ref:`b`, too\n",
        ] {
            assert_eq!(found(text, Format::Rst), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_a_box_holds_is_no_table_of_contents() {
        for text in [
            "Contents\n\n2 ropes\n1 lamp\n",
            "Contents\n\n- two ropes\n- one lamp\n\nThe box hangs beside the door.\n",
            "Contents\n========\n\nThe panel is reset so.\n",
            "Wait .... 3 minutes\n",
            "a .... 1\nb .... 2\n",
        ] {
            assert_eq!(found(text, Format::Text), [""; 0], "{text}");
        }
    }

    #[test]
    fn placeholders_are_short_and_say_nothing() {
        for text in [
            "TODO",
            "*TBD*",
            "To be written.",
            "Coming soon …",
            "  ",
            "...",
            "N/A",
            "This page is under construction.",
            "The chapter has not been written yet.",
            "This page intentionally left blank",
            "Not yet documented.",
            "This section is currently a stub.",
        ] {
            assert!(is_placeholder(text, false), "{text}");
        }
        assert!(is_placeholder("TODO: describe how the panel is reset", true));
        assert!(is_placeholder(".. note:: TODO", true));
        for text in [
            "TODO buy a rope",
            "Hold the button.",
            "The stub is cut.",
            "{[()]}",
            "👍",
            "This page is printed.",
            "The part is empty of oil.",
        ] {
            assert!(!is_placeholder(text, false), "{text}");
        }
    }

    #[test]
    fn embedded_data_is_found() {
        let data = "iVBORw0KGgo".repeat(10);
        let text = format!("![a](data:image/png;base64,{data}) and ;base64,short");
        let found = embedded_data(&text);
        assert_eq!((found.len(), &text[found[0].clone()]), (1, data.as_str()));
    }

    #[test]
    fn internal_links_have_no_scheme() {
        assert!(is_internal("#a") && is_internal("a/b.md#c") && is_internal("/x?y=a:b"));
        assert!(!is_internal("https://x.org/a") && !is_internal("//x.org") && !is_internal("mailto:a@b"));
    }
}
