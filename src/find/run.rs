//! The finder, from the first key to the last.

use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use time::OffsetDateTime;

use super::asking::Asking;
use super::draw::draw;
use super::event::{Effect, Event, Look, Picked};
use super::keyboard::{Permit, heed_signals, listen};
use super::screen::{Screen, Stream};
use super::source::Source;
use super::state::{Beginning, State};
use super::theme::Theme;
use crate::error::Result;
use crate::ids::QueryId;

/// How a finder begins, and what it does with what is picked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FindOptions {
    /// What is typed already. Default nothing.
    pub query: String,
    /// Whether colours are shown. Default true. Nothing is told by colour alone.
    pub is_coloured: bool,
    /// What leads to the terminal. Default standard output.
    pub stream: Stream,
    /// Whether the first pick ends the finder instead of being opened. Default false.
    pub is_giving: bool,
}

impl Default for FindOptions {
    fn default() -> FindOptions {
        FindOptions { query: String::new(), is_coloured: true, stream: Stream::Output, is_giving: false }
    }
}

impl FindOptions {
    /// Sets [`query`](FindOptions::query).
    pub fn with_query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    /// Sets [`is_coloured`](FindOptions::is_coloured).
    pub fn with_colours(mut self, is_coloured: bool) -> Self {
        self.is_coloured = is_coloured;
        self
    }

    /// The first pick ends the finder; `stream` leads to the terminal.
    pub fn giving(mut self, stream: Stream) -> Self {
        (self.is_giving, self.stream) = (true, stream);
        self
    }
}

/// Runs a finder in the terminal until its user leaves it, or the system asks the process to end. `open` shows a
/// document to the user; the terminal is free for it meanwhile. Returns what was picked, if that ends the finder.
///
/// The terminal is restored on every way out. The log is written when this returns.
///
/// # Errors
/// If the terminal fails. What fails in the index is shown to the user.
pub fn run(
    source: Source,
    options: &FindOptions,
    open: &mut dyn FnMut(&Picked) -> Result<Look>,
) -> Result<Option<Picked>> {
    let (events, happened) = unbounded();
    let mut screen = Screen::take(options.stream)?;
    let (columns, rows) = screen.size()?;
    let beginning = Beginning {
        query: options.query.clone(),
        session: format!("find:{}", QueryId::random()),
        is_loaded: source.is_served(),
        is_giving: options.is_giving,
        columns,
        rows,
        today: OffsetDateTime::now_utc().date(),
    };
    let mut finder = Finder {
        state: State::new(beginning),
        theme: Theme { is_coloured: options.is_coloured },
        asking: Asking::start(source, &events)?,
        open,
    };
    heed_signals(events.clone())?;
    let permit = listen(events)?;
    let left = finder.serve(&mut screen, &happened, &permit);
    drop(screen);
    finder.asking.finish().and(left)
}

struct Finder<'a> {
    state: State,
    theme: Theme,
    asking: Asking,
    open: &'a mut dyn FnMut(&Picked) -> Result<Look>,
}

/// Whether to go on.
enum Next {
    On,
    Leave(Option<Picked>),
}

impl Finder<'_> {
    fn serve(
        &mut self,
        screen: &mut Screen,
        happened: &Receiver<Event>,
        permit: &Permit,
    ) -> Result<Option<Picked>> {
        let first = self.state.ask(Instant::now());
        self.perform(first, screen)?;
        loop {
            screen.draw(|frame| draw(&self.state, self.theme, frame))?;
            let first = match self.state.waits_until() {
                Some(until) => happened.recv_deadline(until),
                None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let first = match first {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => Event::Time,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            };
            // All that has come is taken in before the screen is drawn again.
            for event in std::iter::once(first).chain(happened.try_iter()) {
                let is_input = matches!(event, Event::Key(_) | Event::Paste(_) | Event::Resized { .. });
                if let Event::End(Some(error)) = event {
                    return Err(error);
                }
                let effects = self.state.update(event, Instant::now());
                if let Next::Leave(picked) = self.perform(effects, screen)? {
                    return Ok(picked);
                }
                if is_input {
                    permit.give();
                }
            }
        }
    }

    fn perform(&mut self, effects: Vec<Effect>, screen: &mut Screen) -> Result<Next> {
        for effect in effects {
            match self.asking.take(effect) {
                None => {}
                Some(Effect::Open(picked)) => {
                    let looked = screen.lend(|| (self.open)(&picked))?;
                    let (columns, rows) = screen.size()?;
                    self.state.resize(columns, rows);
                    let effects = self.state.update(Event::Looked(looked), Instant::now());
                    effects.into_iter().for_each(|effect| drop(self.asking.take(effect)));
                }
                Some(Effect::Suspend) => {
                    screen.lend(suspend)?;
                    let (columns, rows) = screen.size()?;
                    self.state.resize(columns, rows);
                }
                Some(Effect::Redraw) => screen.renew()?,
                Some(Effect::Leave(picked)) => return Ok(Next::Leave(picked)),
                Some(_) => {}
            }
        }
        Ok(Next::On)
    }
}

/// Stops as Ctrl-Z does outside of raw mode, until the shell lets the program go on.
#[cfg(unix)]
fn suspend() {
    use rustix::process::{Signal, kill_current_process_group};
    // Where that is not allowed, nothing happens.
    let _ = kill_current_process_group(Signal::TSTP);
}

#[cfg(not(unix))]
fn suspend() {}
