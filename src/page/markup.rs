//! Pieces of HTML. Every tag is closed, so a page is well-formed XML too.

use std::fmt::Write;

use plotters::style::RGBColor;

use super::colours::css;

/// The most characters of a text in a table.
const LONGEST: usize = 160;
/// The class of tables whose rows become blocks on a phone.
const TEXTS: &str = "texts";

/// Text for use between tags and in attributes. Characters that XML forbids become U+FFFD.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{0}'..'\u{9}' | '\u{b}' | '\u{c}' | '\u{e}'..' ' | '\u{fffe}' | '\u{ffff}' => {
                escaped.push('\u{fffd}')
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// A section with its heading.
pub(super) fn section(id: &str, title: &str, content: &str) -> String {
    format!("<section id=\"{id}\">\n<h2>{}</h2>\n{content}</section>\n", escape(title))
}

/// A heading within a section.
pub(super) fn heading(text: &str) -> String {
    format!("<h3>{}</h3>\n", escape(text))
}

/// A difference with its sign; without one if it rounds to 0.
pub(super) fn signed(difference: f64) -> String {
    let text = format!("{difference:+.4}");
    if text[1..] == *"0.0000" { "0.0000".into() } else { text }
}

/// A text that fits into a table: the end of a long one is cut off.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_string(),
    }
}

pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A table of numbers. The first cell of each row is its heading. Empty if there are no rows.
pub(super) fn table(caption: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    table_of("numbers", caption, head, rows)
}

/// A table of texts, which may wrap and have several lines. On a phone each row becomes a block.
pub(super) fn prose(caption: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    table_of("texts prose", caption, head, rows)
}

/// A table of numbers whose first column holds texts. On a phone each row becomes a block.
pub(super) fn texts(caption: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    table_of(TEXTS, caption, head, rows)
}

fn table_of(class: &str, caption: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<div class=\"wide\"><table class=\"{class}\"><caption>{}</caption>\n<thead><tr>",
        escape(caption)
    );
    for cell in head {
        // Writing to a `String` never fails.
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(cell));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            let cell = escape(cell);
            let _ = match (place, head.get(place)) {
                (0, _) => write!(html, "<th scope=\"row\">{cell}</th>"),
                (_, Some(name)) if class.starts_with(TEXTS) => {
                    write!(html, "<td data-label=\"{}\">{cell}</td>", escape(name))
                }
                _ => write!(html, "<td>{cell}</td>"),
            };
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// A colour in a legend, and its meaning.
pub(super) struct Key<'a> {
    colour: RGBColor,
    meaning: &'a str,
}

/// An entry of a legend.
pub(super) fn key(colour: RGBColor, meaning: &str) -> Key<'_> {
    Key { colour, meaning }
}

/// A plot under its title and legend.
pub(super) fn figure(title: &str, legend: &[Key<'_>], svg: &str) -> String {
    let mut html = format!("<figure><figcaption>{}", escape(title));
    for Key { colour, meaning } in legend {
        let colour = css(*colour);
        let _ = write!(
            html,
            " <span class=\"key\"><span class=\"colour\" style=\"background:{colour}\"></span>{}</span>",
            escape(meaning)
        );
    }
    let _ = write!(html, "</figcaption>\n{svg}</figure>\n");
    html
}

/// Plots and narrow tables side by side, as many as fit.
pub(super) fn figures(figures: &[String]) -> String {
    format!("<div class=\"figures\">\n{}</div>\n", figures.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let bad = "<b title='\"'>&";
        let good = "&lt;b title=&#39;&quot;&#39;&gt;&amp;";
        assert_eq!(escape(bad), good);
        let row = vec![vec![bad.to_string(), bad.to_string()]];
        let legend = [key(RGBColor(0, 0, 0), bad)];
        let html = [
            section("id", bad, ""),
            heading(bad),
            paragraph(bad),
            table(bad, &[bad], &row),
            texts(bad, &["", bad], &row),
            figure(bad, &legend, ""),
        ];
        assert_eq!(html.concat().matches(good).count(), 14);
        assert!(!html.concat().contains("<b"));
        assert_eq!(escape("a\u{0}\u{1f}\u{b}\t\n é"), "a\u{fffd}\u{fffd}\u{fffd}\t\n é");
    }

    #[test]
    fn a_difference_has_a_sign_if_it_is_one() {
        let found = [0.25, -0.00006, -0.00004, 0.0, 10.0].map(signed);
        assert_eq!(found, ["+0.2500", "-0.0001", "0.0000", "0.0000", "+10.0000"]);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "ü".repeat(LONGEST + 1);
        assert_eq!(cut(&long), "ü".repeat(LONGEST) + "…");
        assert_eq!(cut(&long[2..]), long[2..]);
    }
}
