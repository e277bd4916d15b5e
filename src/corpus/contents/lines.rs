//! Tables of contents in lines of text.

use std::collections::HashSet;
use std::ops::Range;

use super::links::is_internal;
use super::pages::{has_leader, page};
use super::titles::{WITHIN, announces, is_title, words};
use crate::corpus::format::Format;

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
        page(line).is_some() || begins && !is_sentence && line.len() <= LONGEST
    }
}

/// The tables of contents of a plain text or of reStructuredText, without the headings above them.
pub(in crate::corpus) fn in_lines(text: &str, format: Format) -> Vec<Range<usize>> {
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

/// Lines that lead to pages, at least three in a row. Between them chapters may stand with their pages, without dots.
fn leaders(lines: &[Line<'_>]) -> Option<usize> {
    const LEAST: usize = 3;
    const MOST_WITHOUT_DOTS: usize = 2;
    if !has_leader(lines.first()?.text) {
        return None;
    }
    let (mut dotted, mut without, mut length) = (0, 0, 0);
    let mut last = None;
    for (line, number) in lines.iter().zip(1..).filter(|(line, _)| !line.is_blank()) {
        let page = page(line.text);
        let ascends = page.is_some() && page >= last;
        match has_leader(line.text) {
            true if without == 0 || ascends => (dotted, without, length) = (dotted + 1, 0, number),
            false if ascends && without < MOST_WITHOUT_DOTS => without += 1,
            _ => break,
        }
        last = page;
    }
    (dotted >= LEAST).then_some(length)
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
        // Where an entry comes again, or the pages end or begin anew, the text begins.
        let (before, page) = (page(lines[end - 1].text), page(line.text));
        let leads =
            end == first || before.is_some() == page.is_some() && (has_leader(line.text) || page >= before);
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
    fn entries_without_dots_are_found_by_their_pages() {
        // As LaTeX sets them.
        let manual = "CONTENTS\n\n1 Scope 3\n\n2 Becoming a Member 5\n\n2.1 Getting started . . . . . 5\n\
                      2.2 Mentors . . . . . . 6\n\n3 Duties 9\n\n3.1 Packages . . . . . . 9\n";
        let text = format!("{manual}\nCHAPTER 1\n\nThe scope is this.\n");
        assert_eq!(found(&text, Format::Text), [manual.trim_end()]);
        let inner = manual.strip_prefix("CONTENTS\n\n1 Scope 3\n\n2 Becoming a Member 5\n\n").unwrap();
        assert_eq!(found(inner, Format::Text), [inner.trim_end()], "without a title");
        let book =
            "Contents\nPreface ix\nThe rope 1\nThe lamp 12\nThe winch 12\n\nThe rope\n\nIt is tarred.\n";
        assert_eq!(found(book, Format::Text), [book.split("\n\nThe rope\n").next().unwrap()]);
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
            "Contents\n\nropes 3\nlamps 1\nsaws 2\nnails 90\n\nIt hangs there.\n",
            "Contents\n\nropes 3\nlamps 4\n\nIt hangs there.\n",
            "The pumps 3\nThe lamps 7\nThe winches 9\nThe ropes 12\n",
        ] {
            assert_eq!(found(text, Format::Text), [""; 0], "{text}");
        }
    }
}
