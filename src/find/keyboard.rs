//! What is pressed, and signals of the system, as events.

use std::thread::Builder;

use crossbeam_channel::{Sender, bounded};
use ratatui::crossterm::event::{Event as Input, read};

use super::event::Event;
use crate::error::{Error, Result};

/// Lets the keyboard be read on.
pub(super) struct Permit(Sender<()>);

impl Permit {
    /// What was read is done with.
    pub(super) fn give(&self) {
        // The thread has ended if the terminal is gone.
        let _ = self.0.send(());
    }
}

/// Reads the keyboard on a thread of its own. After each event it waits for a permit: what is typed into an editor
/// is the editor's. The thread ends with the process.
pub(super) fn listen(events: Sender<Event>) -> Result<Permit> {
    let (permit, permitted) = bounded(1);
    let listen = move || {
        loop {
            let event = match read() {
                Ok(Input::Key(key)) => Event::Key(key),
                Ok(Input::Paste(text)) => Event::Paste(text),
                Ok(Input::Resize(columns, rows)) => Event::Resized { columns, rows },
                Ok(_) => continue,
                Err(source) => {
                    let path = "the terminal".into();
                    Event::End(Some(Error::Io { doing: "read from", path, source }))
                }
            };
            let is_end = matches!(event, Event::End(_));
            if events.send(event).is_err() || is_end || permitted.recv().is_err() {
                return;
            }
        }
    };
    spawn("find-keys", listen)?;
    Ok(Permit(permit))
}

/// Ends the finder when the system asks for it, or the terminal is gone. Ctrl-C is a key here; as a signal it comes
/// from a program that has borrowed the terminal, and is that one's.
#[cfg(unix)]
pub(super) fn heed_signals(events: Sender<Event>) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT]);
    let mut signals =
        signals.map_err(|source| Error::Io { doing: "listen for", path: "signals".into(), source })?;
    spawn("find-signals", move || {
        for signal in signals.forever().filter(|&signal| signal != SIGINT) {
            tracing::debug!(signal, "the finder is asked to end");
            if events.send(Event::End(None)).is_err() {
                return;
            }
        }
    })
}

#[cfg(not(unix))]
pub(super) fn heed_signals(_: Sender<Event>) -> Result<()> {
    Ok(())
}

fn spawn(name: &'static str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = Builder::new().name(name.into()).spawn(run);
    thread.map(drop).map_err(|source| Error::Io { doing: "start the thread", path: name.into(), source })
}
