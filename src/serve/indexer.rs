//! The thread that keeps the index in step with its folders. Everything that reads folders happens there, one thing at
//! a time: other jobs interrupt watching, and it goes on behind them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use std::ops::ControlFlow;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::activity::{Activity, Event};
use crate::engine::{Engine, WatchOptions};
use crate::error::{Error, Result};

const THREAD: &str = "retune-indexer";
/// Jobs that may wait.
const WAITING: usize = 16;
/// How often watching is tried again where there is nothing to watch.
const AGAIN: Duration = Duration::from_secs(1);

/// Something to do with the folders. It may use the flag to learn that the service stops.
pub(super) type Job = Box<dyn FnOnce(&Engine, &AtomicBool) + Send>;

/// Takes jobs.
#[derive(Clone)]
pub(super) struct Jobs(Sender<Job>);

/// The thread.
pub(super) struct Indexer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Jobs {
    /// Hands over a job. Returns whether there was room for it.
    pub(super) fn give(&self, job: Job) -> bool {
        self.0.try_send(job).is_ok()
    }

    /// Has the folders looked at now.
    pub(super) fn look(&self, activity: &Arc<Activity>) -> bool {
        self.follow(Vec::new(), activity)
    }

    /// Has folders read that are followed from now on, or all without any. Encoding is left to watching.
    pub(super) fn follow(&self, folders: Vec<PathBuf>, activity: &Arc<Activity>) -> bool {
        let activity = Arc::clone(activity);
        self.give(Box::new(move |engine, stop| {
            let read = engine.read_words(&folders, &mut |at| {
                activity.indexed(at);
                going_on(stop)
            });
            activity.read_all();
            match read {
                Ok(_) => activity.tell(Event::Changed),
                Err(Error::Cancelled { .. }) => {}
                Err(error) => tracing::warn!(%error, "the folders could not be read"),
            }
        }))
    }
}

impl Indexer {
    pub(super) fn start(engine: Engine, activity: Arc<Activity>) -> Result<(Indexer, Jobs)> {
        let (give, jobs) = bounded(WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || run(&engine, &activity, &jobs, &stopped))
            .map_err(Error::io("start the thread", Path::new(THREAD)))?;
        Ok((Indexer { stop, thread }, Jobs(give)))
    }

    /// Stops what it is doing and waits for the thread. What was committed stays.
    pub(super) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().map_err(|_| Error::Panicked { thread: THREAD, message: "see the log".into() })
    }
}

fn run(engine: &Engine, activity: &Activity, jobs: &Receiver<Job>, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        while let Ok(job) = jobs.try_recv() {
            if catch_unwind(AssertUnwindSafe(|| job(engine, stop))).is_err() {
                tracing::error!("a job on the folders panicked; this is a bug in retune: please report it");
            }
        }
        let watched = engine.watch(&WatchOptions::default(), &mut |event| {
            activity.watched(event);
            if jobs.is_empty() { going_on(stop) } else { ControlFlow::Break(()) }
        });
        if let Err(error) = watched {
            // Nothing is followed yet.
            tracing::debug!(%error, "not watching");
            wait(jobs, stop);
        }
    }
}

/// Waits for a while, or until something is to be done.
fn wait(jobs: &Receiver<Job>, stop: &AtomicBool) {
    const STEP: Duration = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    while waited < AGAIN && jobs.is_empty() && !stop.load(Ordering::Acquire) {
        std::thread::sleep(STEP);
        waited += STEP;
    }
}

fn going_on(stop: &AtomicBool) -> ControlFlow<()> {
    if stop.load(Ordering::Acquire) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}
