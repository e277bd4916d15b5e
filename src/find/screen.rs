//! The terminal, taken over and given back.

use std::io::{self, Write, stderr, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use ratatui::{Frame, Terminal};

use crate::error::{Error, Result};

/// The stream that leads to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error, where standard output takes a result.
    Error,
}

impl Stream {
    fn writer(self) -> Box<dyn Write> {
        match self {
            Stream::Output => Box::new(stdout()),
            Stream::Error => Box::new(stderr()),
        }
    }
}

/// The whole screen, in raw mode. It is given back when this is dropped, and before a panic is told.
pub(super) struct Screen {
    stream: Stream,
    terminal: Terminal<CrosstermBackend<Box<dyn Write>>>,
    is_ours: Arc<AtomicBool>,
}

impl Screen {
    pub(super) fn take(stream: Stream) -> Result<Screen> {
        let is_ours: Arc<AtomicBool> = Arc::default();
        restore_on_panic(stream, Arc::clone(&is_ours));
        let terminal = enter(stream, &is_ours).map_err(failed("take over"))?;
        Ok(Screen { stream, terminal, is_ours })
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> Result<(u16, u16)> {
        size().map_err(failed("measure"))
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<()> {
        self.terminal.draw(draw).map(drop).map_err(failed("draw on"))
    }

    /// Draws everything anew from now on.
    pub(super) fn renew(&mut self) -> Result<()> {
        self.terminal = enter(self.stream, &self.is_ours).map_err(failed("take over"))?;
        Ok(())
    }

    /// Lets another program have the terminal.
    pub(super) fn lend<T>(&mut self, to: impl FnOnce() -> T) -> Result<T> {
        leave(self.stream, &self.is_ours);
        let done = to();
        self.renew().map(|()| done)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave(self.stream, &self.is_ours);
    }
}

fn enter(stream: Stream, is_ours: &AtomicBool) -> io::Result<Terminal<CrosstermBackend<Box<dyn Write>>>> {
    is_ours.store(true, Ordering::Release);
    enable_raw_mode()?;
    let mut writer = stream.writer();
    execute!(writer, EnterAlternateScreen, EnableBracketedPaste, Clear(ClearType::All))?;
    Terminal::new(CrosstermBackend::new(writer))
}

/// Does what it can: the terminal may be gone.
fn leave(stream: Stream, is_ours: &AtomicBool) {
    if is_ours.swap(false, Ordering::AcqRel) {
        let _ = execute!(stream.writer(), DisableBracketedPaste, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// A panic of this thread ends the finder. Those of other threads are errors of what they were asked, and are not to
/// write over the screen.
fn restore_on_panic(stream: Stream, is_ours: Arc<AtomicBool>) {
    let ours = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == ours {
            leave(stream, &is_ours);
        } else if is_ours.load(Ordering::Acquire) {
            return tracing::error!("{panic}");
        }
        before(panic);
    }));
}

fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, path: PathBuf::from("the terminal"), source }
}
