//! Reads headings, blocks and front matter of Markdown. The text is the file itself.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::front_matter::{self, FrontMatter};
use crate::corpus::contents::{self, LinkShare};
use crate::corpus::outline::{Extracted, Heading, Outline, one_line};

pub(super) fn extract(text: &str) -> Extracted<'_> {
    let mut blocks = Vec::new();
    let mut headings = Vec::new();
    let mut front = FrontMatter::default();
    let mut open_heading: Option<Heading> = None;
    let mut in_front_matter = false;
    let mut depth = 0usize;
    let mut tables = Tables { text, ..Tables::default() };
    for (event, range) in Parser::new_ext(text, Options::all()).into_offset_iter() {
        if depth == 0 && !matches!(event, Event::End(_)) {
            blocks.push(range.start);
        }
        tables.see(&event, &range, depth, headings.last());
        match event {
            // A heading in a list or a quotation is part of that block and opens no section.
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                let (start, end) = (range.start, range.end);
                open_heading = Some(Heading { start, end, level: level as u8, title: String::new() });
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some(mut heading) = open_heading.take() {
                    heading.title = one_line(&heading.title);
                    headings.push(heading);
                }
            }
            Event::Start(Tag::MetadataBlock(_)) => {
                in_front_matter = true;
                if front_matter::is_fields_alone(&text[range.clone()]) {
                    tables.found.push(range.clone());
                }
            }
            Event::End(TagEnd::MetadataBlock(_)) => in_front_matter = false,
            Event::Text(ref words) if in_front_matter => front = front_matter::read(words),
            Event::Text(ref words) | Event::Code(ref words) | Event::InlineMath(ref words) => {
                if let Some(heading) = &mut open_heading {
                    heading.title.push_str(words);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut open_heading {
                    heading.title.push(' ');
                }
            }
            _ => {}
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let FrontMatter { title, fields } = front;
    Extracted {
        title,
        fields,
        blocks,
        contents: tables.found,
        ..Extracted::whole(text, Outline::new(headings))
    }
}

/// Finds the outermost lists and paragraphs that are tables of contents.
#[derive(Default)]
struct Tables<'t> {
    text: &'t str,
    share: LinkShare,
    in_link: bool,
    found: Vec<Range<usize>>,
}

impl Tables<'_> {
    /// `above` is the heading above the event, `depth` the number of open elements around it.
    fn see(&mut self, event: &Event<'_>, range: &Range<usize>, depth: usize, above: Option<&Heading>) {
        match event {
            Event::Start(Tag::List(_) | Tag::Paragraph) if depth == 0 => self.share = LinkShare::default(),
            Event::Start(Tag::Link { dest_url, .. }) if contents::is_internal(dest_url) => {
                self.in_link = true;
                self.share.open_link();
            }
            Event::End(TagEnd::Link) => self.in_link = false,
            Event::Text(words) | Event::Code(words) => self.share.add(words, self.in_link),
            Event::End(TagEnd::List(_)) if depth == 1 => {
                let above = above.filter(|_| range.start < contents::WITHIN);
                let announced = above.filter(|heading| self.text[heading.end..range.start].trim().is_empty());
                let entries = &self.text[range.clone()];
                let announces = |heading: &Heading| contents::announces(&heading.title, entries, self.text);
                if self.share.is_contents() || announced.is_some_and(announces) {
                    self.found.push(range.clone());
                }
            }
            Event::End(TagEnd::Paragraph) if depth == 1 && self.share.is_navigation() => {
                self.found.push(range.clone());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_both_kinds_with_inline_markup() {
        let text = "# The `retune` *guide*\n\nx\n\nInstall\n-------\n\n> # quoted\n\n```\n# code\n```\n";
        let extracted = extract(text);
        let titles: Vec<_> =
            extracted.outline.headings().iter().map(|h| (h.level, h.title.as_str(), h.start)).collect();
        assert_eq!(titles, [(1, "The retune guide", 0), (2, "Install", text.find("Install").unwrap())]);
    }

    #[test]
    fn front_matter_gives_the_title() {
        assert_eq!(extract("---\ntitle: \"A b\"\n---\n\nx").title.as_deref(), Some("A b"));
        assert_eq!(extract("+++\ntitle = 'A b'\n+++\n\nx").title.as_deref(), Some("A b"));
        assert_eq!(extract("title: x\n").title, None);
    }

    #[test]
    fn blocks_are_the_outermost_ones() {
        let text = "a\n\n- b\n\n  c\n- d\n\n```\ne\n\nf\n```\n\n***\n";
        assert_eq!(extract(text).blocks, ["a", "- b", "```", "***"].map(|part| text.find(part).unwrap()));
    }
}
