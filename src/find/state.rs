//! What the finder knows.

use std::time::{Duration, Instant};

use time::Date;

use super::event::{Effect, Picked};
use super::excerpt::place_of;
use super::filters::Filters;
use super::found::{Found, PAGE};
use super::layout::Layout;
use super::line::Line;
use super::preview::Preview;
use crate::access::api::{ReadRequest, SearchRequest};
use crate::ids::ChunkId;
use crate::search::Mode;

/// A query that rests so long is meant, and goes into the log.
const REST: Duration = Duration::from_secs(1);

/// Whether the model that reads queries is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// Until it is loaded, words are searched.
    Loading,
    Ready,
    /// Words alone are searched.
    Missing,
}

/// A document that is open in another program.
#[derive(Debug)]
pub(super) struct Looking {
    pub(super) number: u64,
    pub(super) document: String,
    /// Whether nothing was said of it before.
    pub(super) is_first: bool,
}

/// All that the screen shows, and what is waited for.
#[derive(Debug)]
pub(super) struct State {
    pub(super) line: Line,
    pub(super) filters: Filters,
    /// The answer on the screen. While another one is on its way it is that to an earlier query.
    pub(super) found: Option<Found>,
    pub(super) preview: Option<Preview>,
    /// A line for the user, until the next key.
    pub(super) note: Option<String>,
    pub(super) is_helping: bool,
    pub(super) model: Model,
    /// Documents of the index.
    pub(super) documents: Option<usize>,
    /// Whether it lies on a cluster, which has no files.
    pub(super) is_on_cluster: bool,
    pub(super) layout: Layout,
    pub(super) looking: Option<Looking>,
    /// Whether the selected document is to be opened as soon as it is known where it is.
    pub(super) is_opening: bool,
    /// Whether what is picked is the finder's result, and opens nothing.
    pub(super) is_giving: bool,
    size: (u16, u16),
    session: String,
    /// The number of the query that was asked last, and of the last that was answered.
    asked: u64,
    pub(super) answered: u64,
    rests_at: Option<Instant>,
}

/// What a finder begins with.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) query: String,
    pub(super) session: String,
    pub(super) is_loaded: bool,
    pub(super) is_giving: bool,
    pub(super) columns: u16,
    pub(super) rows: u16,
    pub(super) today: Date,
}

impl State {
    pub(super) fn new(beginning: Beginning) -> State {
        let Beginning { query, session, is_loaded, is_giving, columns, rows, today } = beginning;
        State {
            line: Line::new(&query),
            filters: Filters::new(today),
            found: None,
            preview: None,
            note: None,
            is_helping: false,
            model: if is_loaded { Model::Ready } else { Model::Loading },
            documents: None,
            is_on_cluster: false,
            layout: Layout::of(columns, rows, false),
            looking: None,
            is_opening: false,
            is_giving,
            size: (columns, rows),
            session,
            asked: 0,
            answered: 0,
            rests_at: None,
        }
    }

    pub(super) fn resize(&mut self, columns: u16, rows: u16) {
        self.size = (columns, rows);
        self.lay_out();
    }

    /// Gives everything its place on the screen.
    pub(super) fn lay_out(&mut self) {
        self.layout = Layout::of(self.size.0, self.size.1, self.filters.focus.is_some());
        if let Some(preview) = &mut self.preview {
            preview.fit(self.layout.preview.width.saturating_sub(2), self.layout.preview.height);
        }
        if let Some(found) = &mut self.found {
            found.keep_in(self.layout.room());
        }
    }

    /// When [`Event::Time`](super::event::Event::Time) is to come.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.rests_at
    }

    /// Whether the answer to what is typed is still to come.
    pub(super) fn is_searching(&self) -> bool {
        self.answered != self.asked
    }

    /// The number of the query that was asked last.
    pub(super) fn last_asked(&self) -> u64 {
        self.asked
    }

    /// What is typed, with the filters.
    pub(super) fn request(&self) -> SearchRequest {
        let mut request = SearchRequest::new(self.line.text());
        request.limit = PAGE;
        request.log = false;
        request.session = Some(self.session.clone());
        self.filters.apply(&mut request);
        if self.model != Model::Ready {
            request.mode = Mode::Lexical;
        }
        request
    }

    /// Asks what is typed. An empty line shows nothing.
    pub(super) fn ask(&mut self, now: Instant) -> Vec<Effect> {
        self.asked += 1;
        if self.line.text().trim().is_empty() {
            self.answered = self.asked;
            (self.found, self.preview, self.rests_at) = (None, None, None);
            return Vec::new();
        }
        self.rests_at = Some(now + REST);
        vec![Effect::Search { number: self.asked, request: self.request().into() }]
    }

    /// The answer on the screen is meant: it goes into the log, unless it is there.
    pub(super) fn mean(&mut self) -> Vec<Effect> {
        let Some(found) = self.found.as_mut().filter(|found| !found.is_meant && !found.hits().is_empty())
        else {
            return Vec::new();
        };
        found.is_meant = true;
        let request = SearchRequest { log: true, ..found.request.clone() };
        let effect = Effect::Log { number: found.number, request: request.into() };
        if !self.is_searching() {
            self.rests_at = None;
        }
        vec![effect]
    }

    /// The query has rested.
    pub(super) fn rest(&mut self, now: Instant) -> Vec<Effect> {
        if self.rests_at.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.rests_at = None;
        // What was found by words alone is asked again once the model is there; only what somebody acts on is logged.
        let is_whole = !self.is_searching() && self.model != Model::Loading;
        if is_whole { self.mean() } else { Vec::new() }
    }

    /// Asks for the text around the selected result, unless it is there.
    pub(super) fn look(&mut self) -> Vec<Effect> {
        let Some(hit) = self.found.as_ref().and_then(Found::hit) else {
            self.preview = None;
            return Vec::new();
        };
        if let Some(preview) = self.preview.as_mut().filter(|preview| preview.passage == hit.passage) {
            preview.mark(hit);
            return Vec::new();
        }
        let mut request = ReadRequest::new(&hit.document);
        request.passage = Some(hit.passage);
        vec![Effect::Read(request.into())]
    }

    /// The preview, if it is that of this passage.
    pub(super) fn preview_of(&self, passage: ChunkId) -> Option<&Preview> {
        self.preview.as_ref().filter(|preview| preview.passage == passage)
    }

    /// What opening the selected result opens. `None` as long as that is not known; an error for the user if it can't
    /// be opened.
    pub(super) fn picked(&self) -> Option<Result<Picked, String>> {
        let hit = self.found.as_ref()?.hit()?;
        let preview = self.preview_of(hit.passage)?;
        let Some(path) = &preview.answer.path else {
            let why = match self.is_on_cluster {
                true => "a cluster has its text, no file",
                false => "its file is gone, or an application has added it",
            };
            return Some(Err(format!("{} can't be opened: {why}", hit.document)));
        };
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let is_member = !hit.document.ends_with(name);
        let place = if is_member { Default::default() } else { place_of(hit) };
        Some(Ok(Picked { document: hit.document.clone(), path: path.into(), place }))
    }
}
