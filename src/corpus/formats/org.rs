//! Reads org. Comments, drawers and settings are left out, links are what they say.

use super::builder::Builder;
use super::front_matter::FrontMatter;
use crate::corpus::contents;
use crate::corpus::format::Format;
use crate::corpus::lines::{Line, lines};
use crate::corpus::outline::Extracted;

/// Words before a heading that tell its state.
const STATES: [&str; 8] = ["TODO", "DONE", "NEXT", "WAITING", "HOLD", "CANCELLED", "CANCELED", "STARTED"];

pub(super) fn extract(source: &str) -> Extracted<'static> {
    let mut builder = Builder::new(source);
    let mut front = FrontMatter::default();
    // What ends the part that is left out.
    let mut until: Option<&str> = None;
    let mut is_verbatim = false;
    let tables = contents::in_lines(source, Format::Org);
    for line in lines(source).filter(|line| !tables.iter().any(|table| table.contains(&line.start))) {
        let text = line.text.trim();
        let lower = text.to_ascii_lowercase();
        if let Some(end) = until {
            if lower == end {
                until = None;
            }
        } else if is_verbatim && !lower.starts_with("#+end_") {
            builder.end_line();
            builder.push(line.start..line.end());
        } else if let Some(level) = level(line.text) {
            heading(&mut builder, &line, level);
        } else if let Some(setting) = text.strip_prefix("#+") {
            if let Some((name, value)) = setting.split_once(':') {
                let values = match name.eq_ignore_ascii_case("filetags") {
                    true => value.split(':').map(|tag| tag.trim().to_owned()).collect(),
                    false => vec![value.trim().to_owned()],
                };
                front.set(&name.to_lowercase(), values);
            }
            is_verbatim = ["begin_src", "begin_example", "begin_export"]
                .iter()
                .any(|name| lower[2..].starts_with(name));
            if lower.starts_with("#+begin_comment") {
                until = Some("#+end_comment");
            }
        } else if lower == ":properties:" || lower == ":logbook:" {
            until = Some(":end:");
        } else if text == "#" || text.starts_with("# ") || text.starts_with("|-") {
            // A comment, or a rule in a table.
        } else if text.is_empty() {
            builder.end_paragraph();
        } else {
            builder.end_line();
            inline(&mut builder, &line, 0, line.text.len());
        }
    }
    builder.title = front.title;
    builder.fields = front.fields;
    builder.finish()
}

/// The number of stars before a heading.
fn level(line: &str) -> Option<usize> {
    let stars = line.len() - line.trim_start_matches('*').len();
    (stars > 0 && line[stars..].starts_with([' ', '\t'])).then_some(stars)
}

fn heading(builder: &mut Builder<'_>, line: &Line<'_>, level: usize) {
    let mut start = level + (line.text[level..].len() - line.text[level..].trim_start().len());
    for _ in 0..2 {
        let word = line.text[start..].split_whitespace().next().unwrap_or_default();
        if STATES.contains(&word) || word.starts_with("[#") && word.ends_with(']') {
            start += word.len();
            start += line.text[start..].len() - line.text[start..].trim_start().len();
        }
    }
    let mut end = line.text.trim_end().len().max(start);
    // Tags stand at the end, as `:home:work:`.
    let last = line.text[start..end].rsplit([' ', '\t']).next().unwrap_or_default();
    if last.len() > 2 && last.starts_with(':') && last.ends_with(':') && last.len() < end - start {
        end -= last.len();
        end = start + line.text[start..end].trim_end().len();
    }
    builder.end_paragraph();
    let from = builder.text.len();
    inline(builder, line, start, end);
    builder.end_heading(from, u8::try_from(level).unwrap_or(u8::MAX));
}

/// Adds a part of a line, of links `[[target][words]]` their words.
fn inline(builder: &mut Builder<'_>, line: &Line<'_>, start: usize, end: usize) {
    let mut at = start;
    while let Some(open) = line.text[at..end].find("[[").map(|open| at + open) {
        let Some(close) = line.text[open..end].find("]]").map(|close| open + close) else { break };
        builder.push(line.start + at..line.start + open);
        let words = line.text[open..close].find("][").map_or(open + 2, |between| open + between + 2);
        builder.push(line.start + words..line.start + close);
        at = close + 2;
    }
    builder.push(line.start + at..line.start + end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_links_and_code_are_read_and_settings_are_fields() {
        let text = "#+TITLE: Pumps\n#+FILETAGS: :water:home:\n#+DATE: <2024-05-31 Fri>\n# a comment\n\n* TODO [#A] \
            Reset :urgent:\n\
                    :PROPERTIES:\n:ID: 7\n:END:\nSee [[file:a.org][the panel]] and [[b]].\n#+begin_src sh\n* no \
                        heading\n#+end_src\n** Lamp\nGoes out.\n";
        let extracted = extract(text);
        assert_eq!(extracted.text, "Reset\n\nSee the panel and b.\n* no heading\n\nLamp\n\nGoes out.");
        let titles: Vec<_> =
            extracted.outline.headings().iter().map(|h| (h.level, h.title.as_str())).collect();
        assert_eq!(titles, [(1, "Reset"), (2, "Lamp")]);
        assert_eq!(extracted.title.as_deref(), Some("Pumps"));
        assert_eq!(extracted.fields["tags"], ["water", "home"]);
        assert_eq!(extracted.fields["date"], ["2024-05-31"]);
        let range = extracted.positions.in_file(7..extracted.text.find(" and").unwrap());
        assert_eq!(&text[range.start as usize..range.end as usize], "See [[file:a.org][the panel");
    }

    #[test]
    fn a_list_of_links_is_no_text() {
        let text = "* Pumps\n\n- [[file:a.org][Reset]]\n- [[file:b.org][Lamp]]\n\nThe pump hums.\n";
        assert_eq!(extract(text).text, "Pumps\n\nThe pump hums.");
    }
}
