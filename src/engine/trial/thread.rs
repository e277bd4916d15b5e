//! The thread that keeps a trial going.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

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
    /// Does `work` again and again.
    pub(super) fn start(work: impl Fn() -> Result<()> + Send + 'static) -> Result<TrialThread> {
        let (stop, stopped) = bounded::<()>(0);
        let run = move || {
            let mut wait = Duration::ZERO;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let done = catch_unwind(AssertUnwindSafe(&work));
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
            .spawn(run)
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
