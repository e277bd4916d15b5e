//! Keeping an index in step with its folders while they change.
//!
//! An event of the file system is only a reason to look: systems lose events, join them and send them for files that
//! did not change. What has changed is found as a run finds it, by the catalogue. A look every so often finds what no
//! event has told.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Engine;
use super::events::{Dirty, Events};
use super::look::Rest;
use super::report::{IndexProgress, IndexReport};
use super::source::Folder;
use crate::error::{Error, Result};

/// How often the caller is asked whether to go on.
const ASK: Duration = Duration::from_millis(200);
/// A look may take so much of the time at most.
const SHARE: u32 = 5;

/// When [`Engine::watch`] looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchOptions {
    /// A file is read when nobody has written to it for so long, and a look waits for so long after the last event.
    /// Default 2 s.
    pub rest: Duration,
    /// A look at everything, files that don't rest too, comes so long after the last one. Default 10 minutes.
    pub full_look: Duration,
    /// The same where the system can't watch the folders. Default 1 minute.
    pub without_events: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        WatchOptions {
            rest: Duration::from_secs(2),
            full_look: Duration::from_secs(600),
            without_events: Duration::from_secs(60),
        }
    }
}

impl WatchOptions {
    /// Sets [`rest`](WatchOptions::rest).
    pub fn with_rest(mut self, rest: Duration) -> WatchOptions {
        self.rest = rest;
        self
    }

    /// Sets [`full_look`](WatchOptions::full_look).
    pub fn with_full_look(mut self, time: Duration) -> WatchOptions {
        self.full_look = time;
        self
    }

    /// Sets [`without_events`](WatchOptions::without_events).
    pub fn with_without_events(mut self, time: Duration) -> WatchOptions {
        self.without_events = time;
        self
    }
}

/// What [`Engine::watch`] tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum WatchEvent {
    /// The folders are watched from now on.
    Watching(Vec<Folder>),
    /// The system can't watch them, for this reason: there is a look every so often instead.
    WithoutEvents(Error),
    /// Files that are new or have changed are being read.
    Reading(IndexProgress),
    /// Changes were committed, and can be found by their words.
    Changed(IndexReport),
    /// So many chunks of so many that had no vector have one.
    Encoding {
        /// Chunks that were given one.
        done: usize,
        /// All of them.
        total: usize,
    },
    /// A look failed, such as one at a folder that is not there for a while. The next one may not.
    Failed(Error),
    /// Nothing has happened. Told a few times a second.
    Waiting,
}

/// Is told what happens, and says whether to go on.
type Tell<'a> = dyn FnMut(WatchEvent) -> ControlFlow<()> + 'a;

impl Engine {
    /// Keeps the index in step with the folders that it follows until `tell` breaks, which it is asked a few times a
    /// second. Changes are committed first, and encoded while nothing else is to be done. A file that is being written
    /// is left until it rests. Searches go on meanwhile, in this process and others.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the index follows no folder. What fails later is told.
    pub fn watch(
        &self,
        options: &WatchOptions,
        tell: &mut dyn FnMut(WatchEvent) -> ControlFlow<()>,
    ) -> Result<()> {
        let folders = self.folders()?;
        if folders.is_empty() {
            return Err(Error::NotFound {
                what: "folder that is followed by",
                id: self.path().display().to_string(),
                remedy: "index one first: `retune index DIR`, or Engine::index_folder",
            });
        }
        let (events, dirty) = Events::of(self.path(), &folders);
        let told = match &events {
            Ok(_) => tell(WatchEvent::Watching(folders)),
            Err(reason) => tell(WatchEvent::WithoutEvents(unwatched(reason, &folders))),
        };
        let full = if events.is_ok() { options.full_look } else { options.without_events };
        let mut watch =
            Watch { engine: self, options: *options, full, dirty, last_full: Instant::now(), again: false };
        let ended = if told.is_break() { ControlFlow::Break(()) } else { watch.run(tell) };
        drop(events);
        _ = ended;
        Ok(())
    }
}

fn unwatched(reason: &notify::Error, folders: &[Folder]) -> Error {
    let path =
        reason.paths.first().or(folders.first().map(|folder| &folder.path)).cloned().unwrap_or_default();
    Error::Io { doing: "watch the folder", path, source: std::io::Error::other(reason.to_string()) }
}

/// The state of the loop.
struct Watch<'a> {
    engine: &'a Engine,
    options: WatchOptions,
    full: Duration,
    dirty: Dirty,
    last_full: Instant,
    /// Whether files were left to rest.
    again: bool,
}

impl Watch<'_> {
    fn run(&mut self, tell: &mut Tell<'_>) -> ControlFlow<()> {
        loop {
            let started = Instant::now();
            let full = self.last_full.elapsed() >= self.full;
            self.dirty.is.store(false, Ordering::Release);
            self.look(full, tell)?;
            if full {
                self.last_full = Instant::now();
            }
            let took = started.elapsed();
            self.encode(tell)?;
            self.wait(self.options.rest.max(took * SHARE), tell)?;
        }
    }

    fn look(&mut self, full: bool, tell: &mut Tell<'_>) -> ControlFlow<()> {
        let mut ended = ControlFlow::Continue(());
        let mut progress = |at: IndexProgress| {
            ended = tell(if at.total_bytes > 0 { WatchEvent::Reading(at) } else { WatchEvent::Waiting });
            ended
        };
        let rest = if full { Rest::None } else { Rest::For(self.options.rest) };
        let looked = self.engine.read_folders(&[], rest, &mut progress);
        let looked = looked.map(|run| (run.resting(), run.into_report()));
        ended?;
        match looked {
            Ok((resting, report)) => {
                self.again = resting;
                if report.read > 0 || report.removed > 0 {
                    return tell(WatchEvent::Changed(report));
                }
                ControlFlow::Continue(())
            }
            Err(error @ Error::Closed { .. }) => {
                _ = tell(WatchEvent::Failed(error));
                ControlFlow::Break(())
            }
            Err(error) => tell(WatchEvent::Failed(error)),
        }
    }

    /// Encodes until all is encoded or something else is to be done.
    fn encode(&mut self, tell: &mut Tell<'_>) -> ControlFlow<()> {
        if self.engine.coverage().is_complete() {
            return ControlFlow::Continue(());
        }
        let (mut ended, dirty) = (ControlFlow::Continue(()), &self.dirty.is);
        let encoded = self.engine.encode_pending(&mut |done, total| {
            ended = tell(WatchEvent::Encoding { done, total });
            if dirty.load(Ordering::Acquire) { ControlFlow::Break(()) } else { ended }
        });
        ended?;
        match encoded {
            Ok(_) | Err(Error::Cancelled { .. }) => ControlFlow::Continue(()),
            Err(error) => tell(WatchEvent::Failed(error)),
        }
    }

    /// Waits until it is time for the next look, and for at least `least`.
    fn wait(&self, least: Duration, tell: &mut Tell<'_>) -> ControlFlow<()> {
        let (began, mut quiet) = (Instant::now(), Instant::now());
        loop {
            if self.dirty.woken.recv_timeout(ASK).is_ok() {
                quiet = Instant::now();
            }
            tell(WatchEvent::Waiting)?;
            let rested = quiet.elapsed() >= self.options.rest;
            let waiting = self.dirty.is.load(Ordering::Acquire) || self.again;
            // Not for ever: somebody may always be writing.
            let long = began.elapsed() >= (least + self.options.rest) * SHARE;
            let due = waiting && began.elapsed() >= least && (rested || long);
            if due || self.last_full.elapsed() >= self.full {
                return ControlFlow::Continue(());
            }
        }
    }
}
