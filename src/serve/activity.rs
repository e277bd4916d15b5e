//! What the service is doing, and when it was last asked for something; events for those who listen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::access::Line;
use crate::access::api::{Indexing, IndexingStage};
use crate::engine::{IndexProgress, WatchEvent};

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
    /// Bytes of files that are read.
    reading: Mutex<Option<Work>>,
    /// Passages that are given their vectors.
    encoding: Mutex<Option<Work>>,
    pub(super) events: broadcast::Sender<Event>,
    /// What watching the folders tells, for programs.
    pub(super) watching: broadcast::Sender<Arc<Line>>,
}

/// Something that is being done.
#[derive(Debug, Clone, Copy)]
struct Work {
    began: Instant,
    done: u64,
    total: u64,
}

impl Work {
    /// What `work` is now; a new one where less is done than before.
    fn go_on(work: &Mutex<Option<Work>>, done: u64, total: u64) {
        let mut work = lock(work);
        let before = work.filter(|before| before.done <= done);
        let began = before.map_or_else(Instant::now, |before| before.began);
        *work = (done < total).then_some(Work { began, done, total });
    }

    fn told(self, stage: IndexingStage) -> Indexing {
        let Work { began, done, total } = self;
        let rate = done as f64 / began.elapsed().as_secs_f64();
        Indexing { stage, done, total, eta_s: (done > 0).then(|| (total - done) as f64 / rate) }
    }
}

impl Activity {
    pub(super) fn new() -> Activity {
        Activity {
            asked: Mutex::new(Instant::now()),
            reading: Mutex::default(),
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

    /// A run over folders is so far.
    pub(super) fn indexed(&self, at: IndexProgress) {
        if at.total_chunks > 0 {
            self.read_all();
            self.encoded(at.chunks, at.total_chunks);
        } else if at.total_bytes > 0 {
            Work::go_on(&self.reading, at.bytes, at.total_bytes);
        }
    }

    /// No files are being read any more.
    pub(super) fn read_all(&self) {
        *lock(&self.reading) = None;
    }

    /// Whether files are being read.
    pub(super) fn is_reading(&self) -> bool {
        lock(&self.reading).is_some()
    }

    /// Passages were given their vectors. With the last ones answers are others.
    fn encoded(&self, done: usize, total: usize) {
        Work::go_on(&self.encoding, done as u64, total as u64);
        if done > 0 && done == total {
            self.tell(Event::Changed);
        }
    }

    /// Takes what watching the folders tells.
    pub(super) fn watched(&self, event: WatchEvent) {
        if let WatchEvent::Reading(at) = event {
            return self.indexed(at);
        }
        self.read_all();
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

    /// Files that are read come first: what they hold is encoded behind all else.
    pub(super) fn indexing(&self) -> Option<Indexing> {
        let reading = lock(&self.reading).map(|work| work.told(IndexingStage::Reading));
        reading.or_else(|| lock(&self.encoding).map(|work| work.told(IndexingStage::Encoding)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(bytes: u64, chunks: usize) -> IndexProgress {
        let mut at = IndexProgress::default();
        (at.bytes, at.total_bytes) = (bytes, 100);
        (at.chunks, at.total_chunks) = (chunks, if chunks > 0 { 8 } else { 0 });
        at
    }

    fn told(activity: &Activity) -> Option<(IndexingStage, u64, u64)> {
        activity.indexing().map(|indexing| (indexing.stage, indexing.done, indexing.total))
    }

    #[test]
    fn reading_is_told_until_something_else_is_done() {
        let activity = Activity::new();
        activity.watched(WatchEvent::Reading(at(0, 0)));
        assert_eq!((told(&activity), activity.is_reading()), (Some((IndexingStage::Reading, 0, 100)), true));
        assert_eq!(activity.indexing().unwrap().eta_s, None);
        activity.watched(WatchEvent::Reading(at(40, 0)));
        assert_eq!(told(&activity), Some((IndexingStage::Reading, 40, 100)));
        assert!(activity.indexing().unwrap().eta_s.is_some());
        activity.watched(WatchEvent::Waiting);
        assert_eq!((told(&activity), activity.is_reading()), (None, false));
    }

    #[test]
    fn a_run_reads_and_then_encodes_and_its_end_changes_answers() {
        let activity = Activity::new();
        let mut events = activity.events.subscribe();
        activity.indexed(at(60, 0));
        activity.indexed(at(100, 3));
        assert_eq!(told(&activity), Some((IndexingStage::Encoding, 3, 8)));
        assert!(events.is_empty());
        activity.indexed(at(100, 8));
        assert_eq!(told(&activity), None);
        assert!(matches!(events.try_recv(), Ok(Event::Changed)));
    }
}
