//! What happens, one event after the other.

use std::time::Instant;

use ratatui::crossterm::event::{KeyEvent, KeyEventKind};

use super::event::{Effect, Event};
use super::found::{Found, PAGE};
use super::keys::{Action, action};
use super::line::Edit;
use super::preview::Preview;
use super::state::{Model, State};
use crate::access::api::{ReadAnswer, SearchAnswer, SearchRequest};
use crate::error::Result;
use crate::feedback::Verdict;
use crate::ids::ChunkId;

impl State {
    /// Takes an event in. Returns what is to be done, in this order. Never blocks.
    pub(super) fn update(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        let effects = match event {
            Event::Key(key) => self.key(key, now),
            Event::Paste(text) => self.edit(&Edit::Insert(text), now),
            Event::Resized { columns, rows } => {
                self.resize(columns, rows);
                Vec::new()
            }
            Event::Time => self.rest(now),
            Event::Found { number, result } => self.found(number, result, now),
            Event::Logged { number, result } => self.logged(number, result),
            Event::More { number, result } => {
                self.grow(number, result);
                Vec::new()
            }
            Event::Judged { judgement, result } => {
                self.judged(judgement, result);
                Vec::new()
            }
            Event::Read { passage, result } => self.read(passage, *result),
            Event::Model(result) => self.loaded(result, now),
            Event::Status(status) => {
                self.documents = Some(status.documents);
                self.is_on_cluster = status.cluster.is_some();
                self.filters.set_folders(status.folders.into_iter().map(|folder| folder.name).collect());
                Vec::new()
            }
            Event::Looked(result) => self.looked(result),
            Event::End(_) => vec![Effect::Leave(None)],
        };
        self.lay_out();
        effects
    }

    fn key(&mut self, key: KeyEvent, now: Instant) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let Some(action) = action(key) else { return Vec::new() };
        self.note = None;
        if std::mem::take(&mut self.is_helping) && !matches!(action, Action::Leave | Action::Suspend) {
            return Vec::new();
        }
        match action {
            Action::Edit(edit) => self.edit(&edit, now),
            Action::Up => self.select(-1),
            Action::Down => self.select(1),
            Action::PageUp => self.page(-1),
            Action::PageDown => self.page(1),
            Action::LineUp => self.scroll(|preview| preview.scroll(-1)),
            Action::LineDown => self.scroll(|preview| preview.scroll(1)),
            Action::Open if self.filters.focus.is_some() => {
                self.filters.focus = None;
                Vec::new()
            }
            Action::Open => self.open(),
            Action::NotThis => self.toggle(Verdict::NotRelevant),
            Action::RightAnswer => self.toggle(Verdict::Chosen),
            Action::NextFilter => {
                self.filters.next();
                Vec::new()
            }
            Action::PreviousFilter => {
                self.filters.previous();
                Vec::new()
            }
            Action::Help => {
                self.is_helping = true;
                Vec::new()
            }
            Action::Suspend => vec![Effect::Suspend],
            Action::Redraw => vec![Effect::Redraw],
            Action::Back if self.filters.focus.take().is_some() => Vec::new(),
            Action::Back | Action::Leave => vec![Effect::Leave(None)],
        }
    }

    fn edit(&mut self, edit: &Edit, now: Instant) -> Vec<Effect> {
        let step = match edit {
            Edit::Left => -1,
            Edit::Right => 1,
            _ => 0,
        };
        if self.filters.focus.is_some() && step != 0 {
            return if self.filters.choose(step) { self.ask(now) } else { Vec::new() };
        }
        if self.line.text().is_empty() && *edit == Edit::Insert("?".into()) {
            self.is_helping = true;
            return Vec::new();
        }
        // Who types on has chosen.
        self.filters.focus = None;
        self.is_opening = false;
        if self.line.edit(edit) { self.ask(now) } else { Vec::new() }
    }

    fn found(&mut self, number: u64, result: Result<SearchAnswer>, now: Instant) -> Vec<Effect> {
        // An answer to what was typed before is of no use.
        if number != self.last_asked() {
            return Vec::new();
        }
        self.answered = number;
        match result {
            Ok(answer) => self.found = Some(Found::new(number, self.request(), answer)),
            Err(error) => {
                self.note = Some(error.to_string());
                self.found = None;
                self.is_opening = false;
            }
        }
        let mut effects = self.look();
        if self.is_opening {
            effects.extend(self.open());
        } else {
            // It may have rested while it was answered.
            effects.extend(self.rest(now));
        }
        effects
    }

    fn logged(&mut self, number: u64, result: Result<SearchAnswer>) -> Vec<Effect> {
        let Some(found) = self.found.as_mut().filter(|found| found.number == number) else {
            return Vec::new();
        };
        match result {
            Ok(answer) => found.replace(answer),
            Err(error) => {
                // It can be tried again.
                found.is_meant = false;
                self.note = Some(error.to_string());
            }
        }
        self.look()
    }

    fn grow(&mut self, number: u64, result: Result<SearchAnswer>) {
        let Some(found) = self.found.as_mut().filter(|found| found.number == number) else { return };
        match result {
            Ok(answer) => found.append(answer.hits),
            Err(error) => {
                found.is_growing = false;
                self.note = Some(error.to_string());
            }
        }
    }

    fn read(&mut self, passage: ChunkId, result: Result<ReadAnswer>) -> Vec<Effect> {
        let Some(hit) = self.found.as_ref().and_then(Found::hit).filter(|hit| hit.passage == passage) else {
            return Vec::new();
        };
        match result {
            Ok(answer) => self.preview = Some(Preview::new(hit, answer)),
            Err(error) => {
                self.note = Some(error.to_string());
                (self.preview, self.is_opening) = (None, false);
            }
        }
        if self.is_opening { self.open() } else { Vec::new() }
    }

    fn loaded(&mut self, result: Result<()>, now: Instant) -> Vec<Effect> {
        match result {
            Ok(()) => self.model = Model::Ready,
            Err(error) => {
                self.model = Model::Missing;
                self.note = Some(format!("Found by words alone: {error}"));
                return if self.waits_until().is_none() { self.mean() } else { Vec::new() };
            }
        }
        // What somebody works with stays.
        match &self.found {
            Some(found) if found.is_meant => Vec::new(),
            _ => self.ask(now),
        }
    }

    fn select(&mut self, step: isize) -> Vec<Effect> {
        let Some(found) = &mut self.found else { return Vec::new() };
        let last = found.hits().len().saturating_sub(1);
        let is_beyond = step > 0 && found.selected == last && found.is_cut() && !found.is_growing;
        found.selected = found.selected.saturating_add_signed(step).min(last);
        found.is_growing |= is_beyond;
        let more = is_beyond.then(|| Effect::More {
            number: found.number,
            request: SearchRequest { offset: found.hits().len(), limit: PAGE, ..found.request.clone() }
                .into(),
        });
        self.is_opening = false;
        let mut effects = self.mean();
        effects.extend(more);
        effects.extend(self.look());
        effects
    }

    fn page(&mut self, pages: isize) -> Vec<Effect> {
        if self.layout.preview.is_empty() {
            return self.select(pages * self.layout.room().max(1) as isize);
        }
        self.scroll(|preview| preview.turn(pages))
    }

    /// Who reads on means what was found.
    fn scroll(&mut self, by: impl FnOnce(&mut Preview) -> bool) -> Vec<Effect> {
        match self.preview.as_mut().is_some_and(by) {
            true => self.mean(),
            false => Vec::new(),
        }
    }
}
