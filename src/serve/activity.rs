//! What the service is doing, and when it was last asked for something.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::events::Event;
use super::state::State;
use crate::access::api::{Indexing, StatusAnswer};
use crate::engine::WatchEvent;
use crate::error::Result;

/// Events that a slow reader may be behind.
const BEHIND: usize = 64;

/// Shared by requests and the indexer.
pub(super) struct Activity {
    asked: Mutex<Instant>,
    encoding: Mutex<Option<Encoding>>,
    pub(super) events: broadcast::Sender<Event>,
}

/// Passages that are given their vectors.
#[derive(Debug, Clone, Copy)]
struct Encoding {
    began: Instant,
    done: usize,
    total: usize,
}

impl Activity {
    pub(super) fn new() -> Activity {
        Activity {
            asked: Mutex::new(Instant::now()),
            encoding: Mutex::default(),
            events: broadcast::channel(BEHIND).0,
        }
    }

    /// Somebody has asked for something.
    pub(super) fn touch(&self) {
        *lock(&self.asked) = Instant::now();
    }

    /// How long nobody has asked for anything.
    pub(super) fn idle(&self) -> Duration {
        lock(&self.asked).elapsed()
    }

    /// Passages were given their vectors.
    pub(super) fn encoded(&self, done: usize, total: usize) {
        let mut encoding = lock(&self.encoding);
        let began =
            encoding.filter(|before| before.done <= done).map_or_else(Instant::now, |before| before.began);
        *encoding = (done < total).then_some(Encoding { began, done, total });
    }

    /// Takes what watching the folders tells.
    pub(super) fn watched(&self, event: &WatchEvent) {
        match event {
            WatchEvent::Changed(_) => self.tell(Event::Changed),
            WatchEvent::Encoding { done, total } => self.encoded(*done, *total),
            WatchEvent::WithoutEvents(error) | WatchEvent::Failed(error) => {
                tracing::warn!(%error, "watching")
            }
            _ => {}
        }
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody may be listening.
        _ = self.events.send(event);
    }

    fn indexing(&self) -> Option<Indexing> {
        let Encoding { began, done, total } = (*lock(&self.encoding))?;
        let rate = done as f64 / began.elapsed().as_secs_f64();
        Some(Indexing { done, total, eta_s: (done > 0).then(|| (total - done) as f64 / rate) })
    }
}

/// The status of the index and of what the service does with it.
pub(super) fn status(state: &State) -> Result<StatusAnswer> {
    let mut status = state.own.status()?;
    // The encoder may have been stopped half-way by other work.
    status.indexing = state.activity.indexing().filter(|_| status.coverage.covered < status.coverage.chunks);
    Ok(status)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
