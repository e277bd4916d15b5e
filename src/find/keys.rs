//! What each key does.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::line::Edit;

/// What a user asks for by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Edit(Edit),
    Up,
    Down,
    /// A page of the preview, or of the results where there is none.
    PageUp,
    PageDown,
    /// A line of the preview.
    LineUp,
    LineDown,
    Open,
    NotThis,
    RightAnswer,
    NextFilter,
    PreviousFilter,
    Help,
    Suspend,
    Redraw,
    /// Leaves what is open (help, filters), or the finder.
    Back,
    Leave,
}

/// The keys at the bottom, the most important first: as many as fit are shown.
pub(super) const SHORT: &[(&str, &str)] = &[
    ("Enter", "open"),
    ("^D", "not this"),
    ("Tab", "filters"),
    ("F1", "keys"),
    ("Esc", "leave"),
    ("^Y", "right answer"),
    ("PgDn", "read on"),
    ("↑↓", "select"),
];

/// All keys, for help.
pub(super) const ALL: &[(&str, &str)] = &[
    ("Enter", "open the document at the line: a pick, unless you are back at once"),
    ("Ctrl-Y", "the right answer; again: take it back"),
    ("Ctrl-D", "not what I looked for; again: take it back"),
    ("↑ ↓  Ctrl-P Ctrl-N", "select a result; the last one brings more (Ctrl-K Ctrl-J, too)"),
    ("PgUp PgDn", "page through the preview (Shift-↑ Shift-↓: by a line)"),
    ("Tab Shift-Tab", "filters: type, folder, date, words or meaning; ← → choose"),
    ("← → Home End", "move in the line (Ctrl-B Ctrl-F Ctrl-A Ctrl-E; by words: Alt-B Alt-F)"),
    ("Ctrl-W Ctrl-U", "delete the word, or all, before the cursor (Alt-D: the next word)"),
    ("Ctrl-Z Ctrl-L", "suspend; draw the screen anew"),
    ("F1  ?", "these keys (? where nothing is typed yet)"),
    ("Esc Ctrl-C Ctrl-G", "leave"),
];

/// What a key that is pressed asks for.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return with_control(key.code);
    }
    if key.modifiers.contains(KeyModifiers::ALT) {
        return with_alt(key.code).map(Action::Edit);
    }
    let by_line = key.modifiers.contains(KeyModifiers::SHIFT);
    Some(match key.code {
        KeyCode::Char(c) => Action::Edit(Edit::Insert(c.into())),
        KeyCode::Up if by_line => Action::LineUp,
        KeyCode::Down if by_line => Action::LineDown,
        KeyCode::Up => Action::Up,
        KeyCode::Down => Action::Down,
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown => Action::PageDown,
        KeyCode::Left => Action::Edit(Edit::Left),
        KeyCode::Right => Action::Edit(Edit::Right),
        KeyCode::Home => Action::Edit(Edit::Home),
        KeyCode::End => Action::Edit(Edit::End),
        KeyCode::Backspace => Action::Edit(Edit::Backspace),
        KeyCode::Delete => Action::Edit(Edit::Delete),
        KeyCode::Enter => Action::Open,
        KeyCode::Tab => Action::NextFilter,
        KeyCode::BackTab => Action::PreviousFilter,
        KeyCode::F(1) => Action::Help,
        KeyCode::Esc => Action::Back,
        _ => return None,
    })
}

fn with_control(code: KeyCode) -> Option<Action> {
    let KeyCode::Char(letter) = code else {
        return match code {
            KeyCode::Left => Some(Action::Edit(Edit::WordLeft)),
            KeyCode::Right => Some(Action::Edit(Edit::WordRight)),
            KeyCode::Backspace => Some(Action::Edit(Edit::DeleteWordBefore)),
            _ => None,
        };
    };
    Some(match letter.to_ascii_lowercase() {
        'a' => Action::Edit(Edit::Home),
        'b' => Action::Edit(Edit::Left),
        'c' => Action::Leave,
        'd' => Action::NotThis,
        'e' => Action::Edit(Edit::End),
        'f' => Action::Edit(Edit::Right),
        'g' => Action::Back,
        'h' => Action::Edit(Edit::Backspace),
        'j' | 'n' => Action::Down,
        'k' | 'p' => Action::Up,
        'l' => Action::Redraw,
        'm' => Action::Open,
        'u' => Action::Edit(Edit::DeleteBefore),
        'w' => Action::Edit(Edit::DeleteWordBefore),
        'y' => Action::RightAnswer,
        'z' => Action::Suspend,
        _ => return None,
    })
}

fn with_alt(code: KeyCode) -> Option<Edit> {
    match code {
        KeyCode::Char('b') | KeyCode::Left => Some(Edit::WordLeft),
        KeyCode::Char('f') | KeyCode::Right => Some(Edit::WordRight),
        KeyCode::Char('d') => Some(Edit::DeleteWordAfter),
        KeyCode::Backspace => Some(Edit::DeleteWordBefore),
        _ => None,
    }
}
