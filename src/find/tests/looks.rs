//! What is on the screen.

use ratatui::crossterm::event::KeyCode;
use ratatui::style::{Color, Modifier};

use super::stand::{Stand, hit, hits};
use crate::find::theme::Theme;

const SCREEN: &str = "\
> warm oil
  2 of 3 results · 8 ms
  Sea gate › Alarms                         gates/sea-gate-oil.md:14  2024-01-31
  The oil of the gate is too warm. Stop the pump.
> Storm gate › Alarms (not this)          gates/storm-gate-oil.md:14  2024-01-31
  The oil of the gate is too warm. Stop the pump.
  Pump 1 › Alarms                                 pumps/pump-1.md:14  2024-01-31
  The oil of the gate is too warm. Stop the pump.




── gates/storm-gate-oil.md:14 ─────────────────────────────────────────────── ↓
  What comes before.

▌ ## Alarms
▌
▌ The oil of the gate is too warm.
▌ Stop the pump.

  What follows.


Enter open  ^D not this  Tab filters  F1 keys  Esc leave  ^Y right answer
";

#[test]
fn results_and_the_passage_share_80_by_24() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("warm oil");
    finder.answer(&hits());
    finder.key(KeyCode::Down);
    finder.read();
    finder.control('d');
    finder.state.note = None;
    assert_eq!(finder.screen(), SCREEN);
}

#[test]
fn nothing_is_told_by_colour_alone() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("oil");
    finder.answer(&hits());
    let plain = finder.buffer();
    assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    finder.theme = Theme { is_coloured: true };
    let coloured = finder.buffer();
    assert!(coloured.content.iter().any(|cell| cell.fg != Color::Reset));
    let symbols = |buffer: &ratatui::buffer::Buffer| {
        buffer.content.iter().map(|cell| cell.symbol().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(symbols(&plain), symbols(&coloured));
    // The selected result has a mark, and is reversed; words that match are underlined.
    let row = |y: u16| (0..80).map(move |x| (x, y));
    assert!(row(2).all(|at| plain[at].modifier.contains(Modifier::REVERSED)));
    assert_eq!(plain[(0, 2)].symbol(), ">");
    let underlined: String = row(3)
        .filter(|&at| plain[at].modifier.contains(Modifier::UNDERLINED))
        .map(|at| plain[at].symbol().to_string())
        .collect();
    assert_eq!(underlined, "oil");
}

#[test]
fn any_size_is_drawn() {
    for (columns, rows) in
        [(1, 1), (2, 2), (3, 9), (10, 4), (40, 12), (49, 14), (80, 5), (120, 40), (300, 90)]
    {
        let mut finder = Stand::new(columns, rows);
        finder.type_in("oil");
        finder.answer(&hits());
        finder.control('d');
        finder.screen();
        finder.key(KeyCode::Tab);
        finder.screen();
        finder.key(KeyCode::F(1));
        finder.screen();
    }
    let mut finder = Stand::new(40, 12);
    finder.type_in("oil");
    finder.answer(&hits());
    let screen = finder.screen();
    assert!(screen.contains("> Sea gate › Alarms") && screen.contains("  Pump 1 › Alarms"), "{screen}");
    assert!(!screen.contains("Stop the pump.\n▌"), "no room for a preview");
}

#[test]
fn nothing_from_outside_acts_on_the_terminal() {
    let evil = "ev\x1b[2J\x07il\u{9b}31m\u{202e}x";
    let mut finder = Stand::new(120, 24);
    finder.type_in("oil");
    let mut one = hit(1, &format!("{evil}.md"), evil, &format!("{evil} oil {evil}"));
    one["heading"] = evil.into();
    one["date"] = evil.into();
    finder.answer(&[one]);
    finder.state.note = Some(format!("an error of {evil}"));
    let screen = finder.screen();
    assert!(screen.contains("ev\\u{1b}[2J\\u{7}il\\u{9b}31m\\u{202e}x"), "{screen}");
    let harmless = |c: char| c == '\n' || !crate::terminal::acts(c);
    assert!(screen.chars().all(harmless), "{screen:?}");
}

#[test]
fn wide_and_combining_characters_keep_the_columns() {
    let mut finder = Stand::new(80, 24);
    finder.type_in("水門 e\u{301}");
    let text = "水門の油 oil が熱い。ポンプを止める。".repeat(4);
    finder.answer(&[
        hit(1, "門/水門.md", "水門の手引き", &text),
        hit(2, "עברית.md", "שער הים", "השמן oil חם מדי"),
        hit(3, "e\u{301}.md", "Cafe\u{301}", "e\u{301}e\u{301} oil"),
    ]);
    let buffer = finder.buffer();
    for row in [2, 4, 6] {
        let line: String = (0..80).map(|x| buffer[(x, row)].symbol()).collect();
        assert!(line.trim_end().ends_with("2024-01-31"), "{line}");
    }
    // Two wide characters, a space, one narrow one.
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| crate::find::draw::draw(&finder.state, finder.theme, frame)).unwrap();
    terminal.backend_mut().assert_cursor_position((2 + 6, 0));
}

#[test]
fn help_has_every_key() {
    let mut finder = Stand::new(80, 24);
    finder.key(KeyCode::F(1));
    let screen = finder.screen();
    for (key, _) in crate::find::keys::ALL {
        assert!(screen.contains(key), "{key}: {screen}");
    }
    // Of the short list as many keys as fit, whole.
    let finder = Stand::new(40, 12);
    let screen = finder.screen();
    assert!(screen.ends_with("Enter open  ^D not this  Tab filters\n"), "{screen}");
}
