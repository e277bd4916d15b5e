//! What the service is doing, and when it was last asked for something; events for those who listen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::access::Line;
use crate::access::api::Indexing;
use crate::engine::WatchEvent;

/// Events that a slow reader may be behind.
const BEHIND: usize = 64;

/// What is told to everybody who listens.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// The status, as JSON.
    Status(Arc<str>),
    /// The index has changed.
    Changed,
    /// A round has ended.
    Round,
}

/// Shared by requests and the indexer.
pub(super) struct Activity {
    asked: Mutex<Instant>,
    encoding: Mutex<Option<Encoding>>,
    pub(super) events: broadcast::Sender<Event>,
    /// What watching the folders tells, for programs.
    pub(super) watching: broadcast::Sender<Arc<Line>>,
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
            watching: broadcast::channel(BEHIND).0,
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
    pub(super) fn watched(&self, event: WatchEvent) {
        let line = match event {
            WatchEvent::Changed(report) => {
                self.tell(Event::Changed);
                Line::Changed(Box::new(report))
            }
            WatchEvent::Encoding { done, total } => {
                self.encoded(done, total);
                Line::Encoded(done, total)
            }
            WatchEvent::WithoutEvents(error) | WatchEvent::Failed(error) => {
                tracing::warn!(%error, "watching");
                Line::Missed(error.to_string())
            }
            _ => return,
        };
        // Nobody may be listening.
        _ = self.watching.send(Arc::new(line));
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody may be listening.
        _ = self.events.send(event);
    }

    pub(super) fn indexing(&self) -> Option<Indexing> {
        let Encoding { began, done, total } = (*lock(&self.encoding))?;
        let rate = done as f64 / began.elapsed().as_secs_f64();
        Some(Indexing { done, total, eta_s: (done > 0).then(|| (total - done) as f64 / rate) })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
