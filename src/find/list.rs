//! The results: two lines each.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::excerpt::{Excerpt, place_of};
use super::found::Found;
use super::layout::HIT;
use super::theme::Theme;
use crate::access::api::FoundDocument;
use crate::feedback::Verdict;
use crate::terminal::{end_of, escaped, stands, start_of};

/// Before what is said of a result.
const INDENT: &str = "  ";
/// Columns that a date takes, with the gap before it.
const DATE: usize = 12;
/// With fewer columns there is no date.
const DATED: usize = 60;

/// Draws the results that have room.
pub(super) fn draw_hits(found: &Found, part: Rect, theme: Theme, buffer: &mut Buffer) {
    let columns = usize::from(part.width);
    let shown = found.hits().iter().enumerate().skip(found.top).take(usize::from(part.height / HIT));
    for ((at, hit), row) in shown.zip((part.y..).step_by(HIT.into())) {
        let is_selected = at == found.selected;
        let head = head(hit, said(found, hit), is_selected, columns, theme);
        buffer.set_line(part.x, row, &head, part.width);
        if is_selected {
            buffer.set_style(Rect::new(part.x, row, part.width, 1), theme.selected());
        }
        buffer.set_line(part.x, row + 1, &excerpt(hit, columns, theme), part.width);
    }
}

/// What was said of a document, in words.
fn said(found: &Found, hit: &FoundDocument) -> &'static str {
    match found.said(&hit.document) {
        Some(Verdict::NotRelevant) => "not this",
        Some(Verdict::Chosen | Verdict::Relevant) => "right answer",
        Some(Verdict::Opened) => "opened",
        _ => "",
    }
}

/// The title with the headings below it, what was said, the place, the date.
fn head(hit: &FoundDocument, said: &str, is_selected: bool, columns: usize, theme: Theme) -> Line<'static> {
    let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
    let mut date = String::new();
    if columns >= DATED {
        date = format!("{:>DATE$}", hit.date.as_deref().map(escaped).unwrap_or_default());
    }
    let room = columns.saturating_sub(INDENT.len() + said.width() + date.width() + 1);
    let title = title(hit);
    let place = escaped(&stands(&hit.document, &place_of(hit))).into_owned();
    // The title gets what it needs as far as the place keeps a good third.
    let for_title = title.width().min(room.saturating_sub(place.width().min(room * 2 / 5) + 2));
    let title = start_of(&title, for_title);
    let place = end_of(&place, room.saturating_sub(title.width() + 2));
    let gap = columns
        .saturating_sub(INDENT.len() + title.width() + said.width() + place.width() + date.width())
        .max(1);
    let mark = if is_selected { "> " } else { INDENT };
    Line::from(vec![
        Span::raw(mark),
        Span::styled(title, theme.title()),
        Span::styled(said, theme.said()),
        Span::raw(" ".repeat(gap)),
        Span::styled(place, theme.place()),
        Span::styled(date, theme.aside()),
    ])
}

fn title(hit: &FoundDocument) -> String {
    let heading = hit.heading.as_deref().map(|heading| heading.replace(" > ", " › "));
    let title = match heading {
        Some(heading) if !hit.title.is_empty() => format!("{} › {heading}", hit.title),
        Some(heading) => heading,
        None => hit.title.clone(),
    };
    escaped(&title).into_owned()
}

/// A line of the passage.
fn excerpt(hit: &FoundDocument, columns: usize, theme: Theme) -> Line<'static> {
    let room = columns.saturating_sub(INDENT.len() + 4);
    let Excerpt { words, highlights, first } = Excerpt::of(hit, room);
    let mut line = vec![Span::raw(if first > 0 { format!("{INDENT}… ") } else { INDENT.into() })];
    let mut used = 0;
    for (at, word) in words.iter().enumerate().skip(first) {
        let gap = usize::from(word.spaced && at > first);
        if used + gap + word.columns > room {
            line.push(Span::raw(" …"));
            break;
        }
        used += gap + word.columns;
        line.push(Span::raw(" ".repeat(gap)));
        line.extend(pieces(&hit.text, word.bytes.clone(), &highlights, theme));
    }
    Line::from(line)
}

/// The bytes of a passage, those that match in their style.
fn pieces(text: &str, bytes: Range<usize>, highlights: &[Range<usize>], theme: Theme) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut at = bytes.start;
    let mut add = |bytes: Range<usize>, style: Style| {
        if let Some(part) = text.get(bytes).filter(|part| !part.is_empty()) {
            spans.push(Span::styled(escaped(part).into_owned(), style));
        }
    };
    for range in highlights {
        let (start, end) = (range.start.clamp(at, bytes.end), range.end.clamp(at, bytes.end));
        if start < end {
            add(at..start, Style::new());
            add(start..end, theme.matching());
            at = end;
        }
    }
    add(at..bytes.end, Style::new());
    spans
}
