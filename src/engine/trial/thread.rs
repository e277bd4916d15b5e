//! The thread that keeps a trial going.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::upgrade;
use crate::clock::now_ms;
use crate::engine::Inner;
use crate::engine::worker::panic_message;
use crate::error::{Error, Result};

const NAME: &str = "retune-trial";
/// How often it looks for new documents and votes.
const LOOK: Duration = Duration::from_secs(1);

/// Handle of the thread. It runs from the first trial of an engine until that is closed.
#[derive(Debug)]
pub(super) struct TrialThread {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl TrialThread {
    /// Weak: a forgotten engine must not be kept open by its own thread.
    pub(super) fn start(engine: Weak<Inner>) -> Result<TrialThread> {
        let (stop, stopped) = bounded::<()>(0);
        let work = move || {
            let mut wait = Duration::ZERO;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = upgrade(&engine) else { return };
                let done = catch_unwind(AssertUnwindSafe(|| engine.advance_trial(now_ms())));
                let done = done.unwrap_or_else(|panic| {
                    Err(Error::Panicked { thread: NAME, message: panic_message(&*panic) })
                });
                wait = LOOK;
                if let Err(error) = done
                    && !matches!(error, Error::Closed { .. } | Error::RoundRunning { .. })
                {
                    tracing::error!(%error, "a trial goes on, but could not be advanced");
                    // What made it fail may last.
                    wait = 60 * LOOK;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name(NAME.into())
            .spawn(work)
            .map_err(|source| Error::Io { doing: "start the thread", path: NAME.into(), source })?;
        Ok(TrialThread { stop, thread })
    }

    /// Ends the thread after the step that it is in.
    pub(super) fn stop(self) -> Result<()> {
        drop(self.stop);
        if std::thread::current().id() == self.thread.thread().id() {
            // The last handle was dropped by the thread itself.
            return Ok(());
        }
        self.thread.join().map_err(|panic| Error::Panicked { thread: NAME, message: panic_message(&*panic) })
    }
}
