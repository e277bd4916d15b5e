//! A finder that is fed with keys and answers.

use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};
use time::{Date, Month};
use unicode_width::UnicodeWidthStr;

use crate::access::api::{ReadAnswer, SearchAnswer, SearchRequest};
use crate::find::draw::draw;
use crate::find::event::{Effect, Event, Judgement};
use crate::find::state::{Beginning, State};
use crate::find::theme::Theme;
use crate::ids::ChunkId;

pub struct Stand {
    pub state: State,
    pub now: Instant,
    pub theme: Theme,
    /// What was wanted and not yet taken.
    pub effects: Vec<Effect>,
    size: (u16, u16),
}

impl Stand {
    pub fn new(columns: u16, rows: u16) -> Stand {
        Stand::beginning(columns, rows, true)
    }

    pub fn loading() -> Stand {
        Stand::beginning(80, 24, false)
    }

    fn beginning(columns: u16, rows: u16, is_loaded: bool) -> Stand {
        let today = Date::from_calendar_date(2024, Month::March, 5).unwrap();
        let (query, session) = (String::new(), "find:1".into());
        let is_giving = false;
        let state = State::new(Beginning { query, session, is_loaded, is_giving, columns, rows, today });
        let theme = Theme { is_coloured: false };
        Stand { state, now: Instant::now(), theme, effects: Vec::new(), size: (columns, rows) }
    }

    pub fn happen(&mut self, event: Event) {
        let effects = self.state.update(event, self.now);
        self.effects.extend(effects);
    }

    pub fn key(&mut self, code: KeyCode) {
        self.happen(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    pub fn control(&mut self, letter: char) {
        self.happen(Event::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)));
    }

    pub fn type_in(&mut self, text: &str) {
        text.chars().for_each(|c| self.key(KeyCode::Char(c)));
    }

    pub fn wait(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
        self.happen(Event::Time);
    }

    /// The queries that were asked while somebody typed.
    pub fn searches(&mut self) -> Vec<(u64, SearchRequest)> {
        self.taken(|effect| match effect {
            Effect::Search { number, request } => Some((*number, (**request).clone())),
            _ => None,
        })
    }

    /// The queries that were asked for the log.
    pub fn logs(&mut self) -> Vec<(u64, SearchRequest)> {
        self.taken(|effect| match effect {
            Effect::Log { number, request } => Some((*number, (**request).clone())),
            _ => None,
        })
    }

    pub fn judgements(&mut self) -> Vec<Judgement> {
        self.taken(|effect| match effect {
            Effect::Judge(judgement) => Some(judgement.clone()),
            _ => None,
        })
    }

    fn taken<T>(&mut self, take: impl Fn(&Effect) -> Option<T>) -> Vec<T> {
        let mut taken = Vec::new();
        self.effects.retain(|effect| match take(effect) {
            Some(one) => {
                taken.push(one);
                false
            }
            None => true,
        });
        taken
    }

    /// Answers the query that was asked last with these hits, and reads what is asked for.
    pub fn answer(&mut self, hits: &[Value]) {
        self.searches();
        let number = self.state.last_asked();
        self.happen(Event::Found { number, result: Ok(answer(hits)) });
        self.read();
    }

    /// Reads what is asked for.
    pub fn read(&mut self) {
        let reads = self.taken(|effect| match effect {
            Effect::Read(request) => Some(request.clone()),
            _ => None,
        });
        for request in reads {
            let passage = request.passage.unwrap();
            let answer = text(&request.document, passage);
            self.happen(Event::Read { passage, result: Ok(answer).into() });
        }
    }

    pub fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| draw(&self.state, self.theme, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen, without spaces at the ends of lines.
    pub fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut screen = String::new();
        for row in 0..self.size.1 {
            let (mut line, mut column) = (String::new(), 0);
            while column < self.size.0 {
                let symbol = buffer[(column, row)].symbol();
                line.push_str(symbol);
                // A wide character hides the cell behind it.
                column += symbol.width().max(1) as u16;
            }
            screen.push_str(line.trim_end());
            screen.push('\n');
        }
        screen
    }
}

/// A hit whose passage has this number; the word `oil` in it matches.
pub fn hit(passage: u64, document: &str, title: &str, text: &str) -> Value {
    let at = text.find("oil").map(|at| text[..at].chars().count());
    let highlights: Vec<[usize; 2]> = at.map(|at| [at, at + 3]).into_iter().collect();
    json!({
        "rank": passage, "document": document, "title": title, "heading": "Alarms", "text": text,
        "highlights": highlights, "passage": passage, "place": {"line": 12, "column": 1, "label": "line 12"},
        "date": "2024-01-31", "kind": "md", "folder": null, "score": 0.5, "words": null, "meaning": null,
        "also": [],
    })
}

pub fn answer(hits: &[Value]) -> SearchAnswer {
    serde_json::from_value(json!({
        "query_id": null, "took_ms": 8.2, "mode": "hybrid", "generation": 1, "total": null,
        "coverage": {"covered": 9, "chunks": 9}, "notices": [], "hits": hits,
    }))
    .unwrap()
}

/// The text around a passage: what `hit` has of it, and more.
pub fn text(document: &str, passage: ChunkId) -> ReadAnswer {
    let part = |id: u64, text: &str, marked: bool| {
        json!({"passage": id, "heading": "", "text": text, "marked": marked,
               "place": {"line": 12, "column": 1, "label": "line 12"}})
    };
    let number: u64 = passage.to_string().parse().unwrap();
    serde_json::from_value(json!({
        "document": document, "title": "", "kind": "md", "date": null,
        "path": format!("/docs/{document}"), "file": true, "first_line": 1, "last_line": 30, "lines": 30,
        "cut": {"before": false, "after": true},
        "passages": [
            part(900, "What comes before.\n", false),
            part(number, "## Alarms\n\nThe oil of the gate is too warm.\nStop the pump.\n", true),
            part(901, "What follows.\n", false),
        ],
    }))
    .unwrap()
}

/// A few hits.
pub fn hits() -> Vec<Value> {
    let text = "## Alarms\n\nThe oil of the gate is too warm.\nStop the pump.\n";
    vec![
        hit(1, "gates/sea-gate-oil.md", "Sea gate", text),
        hit(2, "gates/storm-gate-oil.md", "Storm gate", text),
        hit(3, "pumps/pump-1.md", "Pump 1", text),
    ]
}
