//! The screen, as the state has it. All that comes from outside is escaped here.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::keys::{ALL, SHORT};
use super::list::draw_hits;
use super::preview::{Preview, Row};
use super::state::{Model, State};
use super::theme::Theme;
use crate::terminal::{end_of, escaped, start_of, width};

const PROMPT: &str = "> ";

/// Draws everything.
pub(super) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let layout = state.layout;
    draw_prompt(state, theme, frame);
    match state.filters.focus {
        Some(_) => draw_filters(state, theme, frame),
        None => put(frame, layout.about, 0, Line::styled(about(state, layout.about.width), theme.aside())),
    }
    if state.is_helping {
        return draw_help(state, theme, frame);
    }
    match &state.found {
        Some(found) if !found.hits().is_empty() => draw_hits(found, layout.hits, theme, frame.buffer_mut()),
        _ => draw_nothing(state, theme, frame),
    }
    if let Some(preview) = state.preview.as_ref().filter(|_| state.found.is_some()) {
        draw_preview(preview, state, theme, frame);
    }
    draw_foot(state, theme, frame);
}

/// Puts a line on a row of a part of the screen.
fn put(frame: &mut Frame<'_>, part: Rect, row: u16, line: Line<'_>) {
    if row < part.height {
        frame.buffer_mut().set_line(part.x, part.y + row, &line, part.width);
    }
}

fn draw_prompt(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let part = state.layout.prompt;
    let room = usize::from(part.width).saturating_sub(PROMPT.len() + 1);
    let before = escaped(state.line.before());
    // Of a long line, the part around the cursor.
    let before = end_of(&before, room);
    let after = escaped(&state.line.text()[state.line.before().len()..]).into_owned();
    let column = PROMPT.len() + before.width();
    let text = Style::new();
    put(
        frame,
        part,
        0,
        Line::from(vec![
            Span::styled(PROMPT, theme.prompt()),
            Span::styled(format!("{before}{after}"), text),
        ]),
    );
    if !part.is_empty() {
        let column = (column as u16).min(part.width.saturating_sub(1));
        frame.set_cursor_position(Position::new(part.x + column, part.y));
    }
}

/// What is said of the answer.
fn about(state: &State, columns: u16) -> String {
    let mut parts: Vec<String> = state.filters.active().into_iter().map(|name| format!("[{name}]")).collect();
    match (&state.found, state.is_searching()) {
        (_, true) => parts.push("searching…".into()),
        (Some(found), false) => {
            let count = found.hits().len();
            parts.push(match count {
                0 => String::new(),
                1 => "1 result".into(),
                _ if found.is_cut() => format!("{} of the first {count} results", found.selected + 1),
                _ => format!("{} of {count} results", found.selected + 1),
            });
            parts.push(format!("{:.0} ms", found.answer.took_ms.max(1.0)));
            parts.extend(found.answer.notices.iter().cloned());
        }
        (None, false) => parts.extend(state.documents.map(|count| format!("{count} documents"))),
    }
    let model = match state.model {
        Model::Loading => Some("by words; loading the model…"),
        Model::Missing => Some("by words alone"),
        Model::Ready => None,
    };
    parts.splice(0..0, model.map(str::to_string));
    parts.retain(|part| !part.is_empty());
    let text = format!("  {}", parts.join(" · "));
    start_of(&escaped(&text), columns.into()).to_string()
}

/// The filters, and the values of the one that has the focus.
fn draw_filters(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let filters = &state.filters;
    let part = state.layout.about;
    let mut chips = vec![Span::raw("  ")];
    for chip in filters.chips() {
        let options = filters.options(chip);
        let name = options.get(filters.chosen(chip)).copied().unwrap_or_default();
        let style = if filters.focus == Some(chip) { theme.selected() } else { theme.aside() };
        chips.extend([Span::styled(format!("[{}]", escaped(name)), style), Span::raw(" ")]);
    }
    put(frame, part, 0, Line::from(chips));
    let Some(chip) = filters.focus else { return };
    let options: Vec<String> =
        filters.options(chip).into_iter().map(|name| escaped(name).into_owned()).collect();
    let chosen = filters.chosen(chip);
    // Of many values, those up to the chosen one that fit.
    let room = usize::from(part.width).saturating_sub(4);
    let wide = |from: usize| options[from..=chosen].iter().map(|name| name.width() + 3).sum::<usize>();
    let first = (0..=chosen).find(|&from| wide(from) <= room).unwrap_or(chosen);
    let mut line = vec![Span::raw(if first > 0 { "‹ " } else { "  " })];
    for (at, name) in options.into_iter().enumerate().skip(first) {
        let style = if at == chosen { theme.selected() } else { Style::new() };
        line.extend([Span::styled(format!(" {name} "), style), Span::raw(" ")]);
    }
    put(frame, part, 1, Line::from(line));
}

fn draw_nothing(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let is_filtered = !state.filters.active().is_empty();
    let lines: &[&str] = match &state.found {
        Some(_) if is_filtered => &["Nothing found. The filters leave something out: Tab changes them."],
        Some(_) => &["Nothing found. Try other words, or fewer of them."],
        None if state.is_searching() => &[],
        None => &[
            "Type what you look for.",
            "\"exact words\"  -without  path:letters/  ext:pdf  after:2024-05",
            "Searching learns from what you open; F1 shows all keys.",
        ],
    };
    for (row, line) in (0..).zip(lines) {
        put(frame, state.layout.hits, row, Line::styled(format!("  {line}"), theme.aside()));
    }
}

fn draw_preview(preview: &Preview, state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let head = state.layout.head;
    let arrows = match preview.goes_on() {
        (false, false) => "",
        (true, false) => " ↑ ",
        (false, true) => " ↓ ",
        (true, true) => " ↑↓ ",
    };
    let room = usize::from(head.width).saturating_sub(arrows.width() + 6);
    let name = format!("── {} ", end_of(&escaped(&preview.place), room));
    let rule = usize::from(head.width).saturating_sub(name.width() + arrows.width());
    put(frame, head, 0, Line::styled(format!("{name}{}{arrows}", "─".repeat(rule)), theme.rule()));
    for (at, row) in (0..).zip(preview.shown()) {
        put(frame, state.layout.preview, at, row_line(row, theme));
    }
}

fn row_line(row: &Row, theme: Theme) -> Line<'_> {
    let bar = if row.marked { Span::styled("▌ ", theme.bar()) } else { Span::raw("  ") };
    let style = |matches| match (matches, row.marked) {
        (true, _) => theme.matching(),
        (false, true) => Style::new(),
        (false, false) => theme.aside(),
    };
    let pieces = row.pieces.iter().map(|piece| Span::styled(piece.text.as_str(), style(piece.matches)));
    Line::from_iter(std::iter::once(bar).chain(pieces))
}

fn draw_foot(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let part = state.layout.foot;
    if let Some(note) = &state.note {
        let note = start_of(&escaped(note), usize::from(part.width)).to_string();
        return put(frame, part, 0, Line::styled(note, theme.note()));
    }
    let mut room = usize::from(part.width);
    let mut keys = Vec::new();
    for (key, what) in SHORT {
        let what = if state.is_giving && *what == "open" { "take" } else { what };
        let needs = width(key) + width(what) + 3;
        if needs > room + 2 {
            break;
        }
        room = room.saturating_sub(needs);
        keys.extend([Span::styled(*key, theme.key()), Span::styled(format!(" {what}  "), theme.aside())]);
    }
    put(frame, part, 0, Line::from(keys));
}

fn draw_help(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let first = state.layout.hits;
    let last = state.layout.foot.bottom().max(first.bottom());
    let part = Rect::new(0, first.y, state.layout.prompt.width, last.saturating_sub(first.y));
    let names = |keys: &[(&str, &str)]| keys.iter().map(|(key, _)| key.width()).max().unwrap_or(0);
    let beside = |keys| usize::from(part.width).saturating_sub(names(keys) + 4);
    let keys = if beside(ALL) >= 30 { ALL } else { SHORT };
    let (names, beside) = (names(keys), beside(keys));
    let mut row = 0;
    for (key, what) in keys {
        let mut lead = Span::styled(format!("  {key}{}", " ".repeat(names - key.width())), theme.key());
        for line in folded(what, beside) {
            put(frame, part, row, Line::from(vec![lead, Span::raw(format!("  {line}"))]));
            lead = Span::raw(" ".repeat(names + 2));
            row += 1;
        }
    }
}

/// A text of the finder's own on lines of so many columns.
fn folded(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_word_bounds() {
        if let Some(line) = lines.last()
            && line.width() + word.width() > columns
        {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut()
            && !(line.is_empty() && word == " ")
        {
            line.push_str(word);
        }
    }
    lines
}
