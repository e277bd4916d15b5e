//! The threads that keep up the vector index.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::ThreadPool;

use super::worker::panic_message;
use crate::error::{Error, Result};

/// The threads, from when there is something to do.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    pub(super) tasks: Mutex<Vec<Task>>,
    /// Held for the length of a merge: one at a time. Shared, so that the thread that merges need not hold
    /// the engine.
    pub(super) merging: Arc<Mutex<()>>,
    /// What merges in the background compute on.
    pub(super) pool: OnceLock<Arc<ThreadPool>>,
}

#[derive(Debug)]
pub(super) struct Task {
    name: &'static str,
    wake: Sender<()>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    failure: Receiver<Error>,
}

impl Upkeep {
    /// Cancels what is going on, joins the threads and returns what failed first.
    pub(super) fn stop(&self) -> Result<()> {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.iter().for_each(|task| task.stop.store(true, Ordering::Release));
        let joined: Vec<Result<()>> = tasks.into_iter().map(Task::join).collect();
        joined.into_iter().collect()
    }
}

impl Task {
    /// `work` must not hold the engine: a forgotten one must not be kept open by its own threads.
    pub(super) fn start(
        name: &'static str,
        work: impl Fn(&AtomicBool) -> Result<bool> + Send + 'static,
    ) -> Result<Task> {
        let (wake, woken) = bounded(1);
        let (failed, failure) = bounded(1);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                while woken.recv().is_ok() {
                    while !stopped.load(Ordering::Acquire) {
                        let done = catch_unwind(AssertUnwindSafe(|| work(&stopped)));
                        let done = done.unwrap_or_else(|panic| {
                            Err(Error::Panicked { thread: name, message: panic_message(&*panic) })
                        });
                        match done {
                            Ok(true) => {}
                            Ok(false) | Err(Error::Cancelled { .. } | Error::Closed { .. }) => break,
                            Err(error) => {
                                tracing::error!(%error, "searches of the vector index are right, and slower");
                                // The first failure is the one that `close` returns.
                                let _ = failed.try_send(error);
                                break;
                            }
                        }
                    }
                }
            })
            .map_err(|source| Error::Io { doing: "start the thread", path: name.into(), source })?;
        Ok(Task { name, wake, stop, thread, failure })
    }

    /// Wakes the thread.
    pub(super) fn wake(&self) {
        // Full: it has been woken and not looked yet.
        _ = self.wake.try_send(());
    }

    fn join(self) -> Result<()> {
        drop(self.wake);
        if std::thread::current().id() == self.thread.thread().id() {
            // The last handle was dropped by the thread itself.
            return Ok(());
        }
        match (self.thread.join(), self.failure.try_recv()) {
            (Err(panic), _) => Err(Error::Panicked { thread: self.name, message: panic_message(&*panic) }),
            (Ok(()), Ok(error)) => Err(error),
            (Ok(()), Err(_)) => Ok(()),
        }
    }
}
