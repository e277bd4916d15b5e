//! A document that is written again and again for as long as its holder is alive.
//!
//! Who finds it watches: if it changes, the holder is alive; if it stays as it is for longer than a holder would wait,
//! it may be taken over, by a write that fails if it has changed since. So nobody's clock is compared with another's.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use serde_json::Value as Json;

use super::versioned::{Version, Versioned};
use crate::error::{Error, Result};

const EVERY: Duration = Duration::from_secs(2);
/// A holder that has not written for so long is taken for dead.
pub(super) const LONGEST: Duration = Duration::from_secs(12);
/// How long a holder waits for a cluster that is too busy to take its writes.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(200);

/// A thread that writes the document.
pub(super) struct Beating {
    document: Arc<Versioned>,
    lost: Arc<AtomicBool>,
    /// When the last write began that has succeeded.
    renewed: Arc<Mutex<Instant>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Version>>,
}

impl Beating {
    /// Goes on from a write that began at `begun` and made this version. `body` makes what is written.
    pub(super) fn begin(
        document: Versioned,
        version: Version,
        begun: Instant,
        body: impl Fn() -> Json + Send + 'static,
    ) -> Result<Beating> {
        let (lost, renewed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(begun)));
        let (stop, stopped) = bounded(1);
        let document = Arc::new(document);
        let thread = thread::Builder::new().name("retune-beat".into()).spawn({
            let (document, lost, renewed) = (Arc::clone(&document), Arc::clone(&lost), Arc::clone(&renewed));
            move || {
                let mut version = version;
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    let begun = Instant::now();
                    match document.write(Some(version), &body()) {
                        Ok(Some(now)) => {
                            version = now;
                            *renewed.lock().unwrap_or_else(PoisonError::into_inner) = begun;
                        }
                        Ok(None) => {
                            lost.store(true, Ordering::Release);
                            return version;
                        }
                        // Whoever takes it over will be noticed by the next write, or by the time.
                        Err(error) => tracing::warn!(%error, "a heartbeat was not written"),
                    }
                }
                version
            }
        });
        let thread = Some(thread.map_err(Error::io("start the thread", &PathBuf::from("retune-beat")))?);
        Ok(Beating { document, lost, renewed, stop: Some(stop), thread })
    }

    /// Why somebody else may hold the document by now: he has it, or no write has succeeded for nearly as long as
    /// others wait.
    pub(super) fn doubt(&self) -> Option<String> {
        let since = self.renewed.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        if self.is_lost() {
            return Some("in the hands of another process, which took this one for dead".into());
        }
        (since > LONGEST - EVERY)
            .then(|| format!("not renewed for {} s: another process may have taken it", since.as_secs()))
    }

    /// As [`doubt`](Beating::doubt), once the next writes have not cleared it: those of a busy cluster take long, and
    /// one that succeeds proves that nobody has taken the document in between.
    pub(super) fn lasting_doubt(&self) -> Option<String> {
        let begun = Instant::now();
        loop {
            let doubt = self.doubt()?;
            if self.is_lost() || begun.elapsed() > PATIENCE {
                return Some(doubt);
            }
            thread::sleep(LOOK);
        }
    }

    /// Whether somebody else has written the document, or deleted it.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Writes no more. The version that was written last; `None` if somebody else has the document.
    pub(super) fn stop(&mut self) -> Option<Version> {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = &ended {
            tracing::warn!("the thread of a heartbeat has panicked");
        }
        ended?.ok().filter(|_| !self.is_lost())
    }

    /// Writes no more, and deletes the document.
    pub(super) fn end(&mut self) {
        if let Some(version) = self.stop()
            && let Err(error) = self.document.delete(version)
        {
            tracing::warn!(%error, "a heartbeat was not taken back: it ends by itself");
        }
    }

    /// Writes no more after this. Returns whether the document was still this process's.
    pub(super) fn end_with(&mut self, last: &Json) -> Result<bool> {
        match self.stop() {
            Some(version) => Ok(self.document.write(Some(version), last)?.is_some()),
            None => Ok(false),
        }
    }
}

/// This process, in a way that no other is called.
pub(super) fn holder() -> String {
    #[cfg(unix)]
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let machine = std::env::var("COMPUTERNAME").unwrap_or_default();
    format!("process {} on {machine} ({:08x})", std::process::id(), rand::random::<u32>())
}
