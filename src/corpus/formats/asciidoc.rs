//! Reads AsciiDoc. Comments, attributes and the lines that fence blocks are left out.

use super::builder::Builder;
use super::front_matter::{self, FrontMatter};
use crate::corpus::lines::{Line, lines};
use crate::corpus::outline::Extracted;

pub(super) fn extract(source: &str) -> Extracted<'static> {
    let mut builder = Builder::new(source);
    let (mut front, skipped) = front_matter::at_start(source).unwrap_or_default();
    let lines: Vec<Line<'_>> = lines(source).filter(|line| line.start >= skipped || skipped == 0).collect();
    // The fence that ends a block whose lines mean nothing.
    let mut fence: Option<&str> = None;
    let mut in_header = false;
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        let text = line.text.trim_end();
        index += 1;
        if let Some(open) = fence {
            if text == open {
                fence = None;
            } else if !open.starts_with('/') {
                builder.end_line();
                builder.push(line.start..line.start + text.len());
            }
        } else if text.is_empty() {
            in_header = false;
            builder.end_paragraph();
        } else if let Some(level) = level(text) {
            heading(&mut builder, line, level + 1, level);
            let is_title = level == 1 && front.title.is_none();
            in_header = is_title;
            if is_title {
                front.set("title", vec![text[1..].trim().to_owned()]);
            }
        } else if let Some(level) = lines.get(index).and_then(|under| underlined(text, under.text.trim_end()))
        {
            heading(&mut builder, line, 0, level);
            index += 1;
        } else if is_verbatim_fence(text) {
            fence = Some(text);
        } else if let Some((name, value)) = attribute(text) {
            let values = vec![value.to_owned()];
            front.set(if name == "revdate" { "date" } else { name }, values);
        } else if in_header {
            header_line(&mut front, text);
        } else if !is_left_out(text) {
            builder.end_line();
            builder.push(line.start..line.start + text.len());
        }
    }
    builder.title = front.title;
    builder.fields = front.fields;
    builder.finish()
}

/// The number of signs before a heading.
fn level(line: &str) -> Option<usize> {
    ['=', '#'].into_iter().find_map(|sign| {
        let signs = line.len() - line.trim_start_matches(sign).len();
        ((1..=6).contains(&signs) && line[signs..].starts_with(' ')).then_some(signs)
    })
}

/// The level of a heading in two lines.
fn underlined(line: &str, under: &str) -> Option<usize> {
    let sign = under.chars().next()?;
    let level = "=-~^+".find(sign)? + 1;
    let is_line = under.len() >= 3 && under.chars().all(|c| c == sign);
    let fits = under.len().abs_diff(line.chars().count()) <= 1 && line.starts_with(char::is_alphanumeric);
    (is_line && fits).then_some(level)
}

fn heading(builder: &mut Builder<'_>, line: &Line<'_>, from: usize, level: usize) {
    let title = line.text[from..].trim();
    let start = line.start + from + (line.text[from..].len() - line.text[from..].trim_start().len());
    builder.end_paragraph();
    let at = builder.text.len();
    builder.push(start..start + title.len());
    builder.end_heading(at, u8::try_from(level).unwrap_or(u8::MAX));
}

/// Fences around listings, literal blocks, passed text and comments.
fn is_verbatim_fence(line: &str) -> bool {
    line.len() >= 4 && ["-", ".", "+", "/"].iter().any(|sign| line.replace(sign, "").is_empty())
        || line.starts_with("```")
}

/// `:name: value`.
fn attribute(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix(':')?.split_once(':')?;
    let is_name =
        name.trim_start_matches('!').chars().all(|c| c.is_ascii_alphanumeric() || "-_!".contains(c));
    (is_name && !name.is_empty() && (value.is_empty() || value.starts_with(' ')))
        .then_some((name, value.trim()))
}

/// The author and the revision under the document's title.
fn header_line(front: &mut FrontMatter, line: &str) {
    if line.starts_with("//") {
        return;
    }
    let day = line.split([',', ' ']).find_map(front_matter::date);
    match day {
        Some(day) => front.set("date", vec![day]),
        None if !front.fields.contains_key("author") => {
            let authors =
                line.split(';').map(|author| author.split('<').next().unwrap_or_default().trim().to_owned());
            front.set("author", authors.collect());
        }
        None => {}
    }
}

/// Comments, block attributes, anchors, fences of other blocks, and macros that stand for something else.
fn is_left_out(line: &str) -> bool {
    let is_fence = |sign: char| line.len() >= 4 && line.chars().all(|c| c == sign);
    line.starts_with("//")
        || line.starts_with('[') && line.ends_with(']') && !line.contains("://")
        || ["=", "*", "_"].iter().any(|sign| sign.chars().all(is_fence))
        || ["|===", "!===", ",===", "--", "+", "<<<", "'''"].contains(&line)
        || ["include::", "toc::", "ifdef::", "ifndef::", "ifeval::", "endif::"]
            .iter()
            .any(|name| line.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_text_are_read_and_the_rest_is_left_out() {
        let text = "= The pump\nAda Lovelace <ada@a.org>; Bo\nv1.0, 2024-05-31\n:toc:\n:keywords: water, home\n\n// \
            no\n[[reset]]\n\
                    == Reset\n\n[source,sh]\n----\n== no heading\n----\n\n////\nhidden\n////\n|===\n|a |b\n|===\n\n\
                        Lamp\n~~~~\nGoes out.\n";
        let extracted = extract(text);
        assert_eq!(extracted.text, "The pump\n\nReset\n\n== no heading\n\n|a |b\n\nLamp\n\nGoes out.");
        let titles: Vec<_> =
            extracted.outline.headings().iter().map(|h| (h.level, h.title.as_str())).collect();
        assert_eq!(titles, [(1, "The pump"), (2, "Reset"), (3, "Lamp")]);
        assert_eq!(extracted.fields["author"], ["Ada Lovelace", "Bo"]);
        assert_eq!(
            (&extracted.fields["date"][0], &extracted.fields["tags"][1]),
            (&"2024-05-31".into(), &"home".into())
        );
    }
}
