//! Disks that fail, hang or panic.

use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use super::super::append::{SegmentFile, create_on_disk};
use super::super::writer::Disk;
use super::*;
use crate::error::Result;

/// Switches that make the disk of a test fail.
#[derive(Default)]
struct Switches {
    no_open: AtomicBool,
    /// Writes fail after half of their bytes.
    no_append: AtomicBool,
    no_sync: AtomicBool,
    panic: AtomicBool,
    appends: AtomicU32,
    syncs: AtomicU32,
    opens: AtomicU32,
    sync_takes_ms: AtomicU64,
}

struct Failing {
    file: Box<dyn SegmentFile>,
    switches: Arc<Switches>,
}

fn full() -> Error {
    Error::io("append to", Path::new("segment"))(std::io::Error::other("no space left on device"))
}

impl SegmentFile for Failing {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<bool> {
        self.switches.appends.fetch_add(1, Ordering::SeqCst);
        if self.switches.panic.load(Ordering::SeqCst) {
            panic!("the disk is on fire");
        }
        if self.switches.no_append.load(Ordering::SeqCst) {
            self.file.append(&bytes[..bytes.len() / 2])?;
            return Err(full());
        }
        self.file.append(bytes)
    }

    fn sync(&mut self) -> Result<()> {
        self.switches.syncs.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(self.switches.sync_takes_ms.load(Ordering::SeqCst)));
        if self.switches.no_sync.load(Ordering::SeqCst) { Err(full()) } else { self.file.sync() }
    }
}

fn disk(switches: &Arc<Switches>, retry_after: Duration) -> Disk {
    let switches = Arc::clone(switches);
    let create = move |folder: &Path| -> Result<Box<dyn SegmentFile>> {
        switches.opens.fetch_add(1, Ordering::SeqCst);
        if switches.no_open.load(Ordering::SeqCst) {
            return Err(full());
        }
        Ok(Box::new(Failing { file: create_on_disk(folder)?, switches: Arc::clone(&switches) }))
    };
    Disk { create: Box::new(create), retry_after }
}

/// A log that does not retry a failed disk for an hour, unless a caller waits.
fn open_failing(folder: &Path) -> (FeedbackLog, Arc<Switches>) {
    let switches = Arc::<Switches>::default();
    let disk = disk(&switches, Duration::from_secs(3600));
    (FeedbackLog::open_with(folder, FeedbackOptions::default(), Role::Appending, disk).unwrap(), switches)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_full_disk_loses_impressions_fails_judgements_counts_and_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let (log, switches) = open_failing(folder.path());
    log.log_impression(impression(1, "before"));
    log.flush().unwrap();
    switches.no_append.store(true, Ordering::SeqCst);
    log.log_impression(impression(2, "lost"));
    assert!(log.append_judgement(judgement(1, "lost too")).is_err());
    log.log_impression(impression(3, "lost"));
    assert!(log.flush().is_err());
    let stats = log.stats();
    assert_eq!((stats.impressions, stats.judgements, stats.dropped), (1, 0, 2));
    assert!(stats.last_error.unwrap().contains("no space left"));
    assert_eq!(log.find_impression(QueryId(1)).unwrap(), Some(impression(1, "before")), "reading goes on");

    switches.no_append.store(false, Ordering::SeqCst);
    log.append_judgement(judgement(1, "after")).unwrap();
    log.log_impression(impression(4, "after"));
    log.close().unwrap();
    assert!(!log.replay().unwrap().damage.is_empty(), "half a record stands in the segment that failed");

    let log = open(folder.path());
    let replay = log.replay().unwrap();
    assert_eq!(ids(&replay), [1, 4]);
    assert_eq!(replay.judgements, [judgement(1, "after")]);
    let stats = log.stats();
    assert_eq!((stats.dropped, stats.impressions), (2, 2), "the log itself knows of its losses");
    assert!(stats.torn_bytes > 0);
}

#[test]
fn a_failed_disk_is_left_alone_for_a_while_and_then_tried_again_without_being_asked() {
    let folder = tempfile::tempdir().unwrap();
    let switches = Arc::<Switches>::default();
    switches.no_open.store(true, Ordering::SeqCst);
    let slow = disk(&switches, Duration::from_millis(300));
    let log =
        FeedbackLog::open_with(folder.path(), FeedbackOptions::default(), Role::Appending, slow).unwrap();
    for id in 0..200 {
        log.log_impression(impression(id, "lost"));
        std::thread::sleep(Duration::from_micros(100));
    }
    until("all are lost", || log.stats().dropped == 200);
    assert!(switches.opens.load(Ordering::SeqCst) < 20, "one attempt a while, not one an impression");
    assert_eq!(segments(folder.path()).len(), 0);
    switches.no_open.store(false, Ordering::SeqCst);
    until("the loss is written down", || read_stats(folder.path()).dropped == 200);
    log.log_impression(impression(200, "kept"));
    log.close().unwrap();
    assert_eq!((log.stats().dropped, log.stats().impressions), (200, 1));
    assert_eq!(segments(folder.path()).len(), 1);
}

#[test]
fn what_a_failed_sync_leaves_uncertain_is_counted_as_lost_and_the_segment_not_trusted_again() {
    let folder = tempfile::tempdir().unwrap();
    let (log, switches) = open_failing(folder.path());
    switches.no_sync.store(true, Ordering::SeqCst);
    log.log_impression(impression(1, "uncertain"));
    assert!(log.append_judgement(judgement(1, "uncertain")).is_err());
    assert_eq!(log.stats().dropped, 1, "it may or may not be on the disk");
    switches.no_sync.store(false, Ordering::SeqCst);
    log.append_judgement(judgement(1, "certain")).unwrap();
    assert_eq!(log.stats().dropped, 1);
    assert_eq!(segments(folder.path()).len(), 2);
}

#[test]
fn judgements_that_wait_together_share_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (log, switches) = open_failing(folder.path());
    switches.sync_takes_ms.store(100, Ordering::SeqCst);
    let start = Barrier::new(16);
    scope(|scope| {
        for id in 0..16 {
            let (log, start) = (&log, &start);
            scope.spawn(move |_| {
                start.wait();
                log.append_judgement(judgement(id, "d")).unwrap();
            });
        }
    })
    .unwrap();
    assert!(switches.syncs.load(Ordering::SeqCst) <= 8, "{:?} syncs for 16 judgements", switches.syncs);
    assert_eq!(replay::replay(folder.path()).unwrap().judgements.len(), 16, "acknowledged is on the disk");
}

#[test]
fn impressions_are_synced_after_the_interval_though_nobody_asks_and_not_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let switches = Arc::<Switches>::default();
    let options = FeedbackOptions::default().with_sync_interval_ms(100);
    let disk = disk(&switches, Duration::from_secs(1));
    let log = FeedbackLog::open_with(folder.path(), options, Role::Appending, disk).unwrap();
    let start = Instant::now();
    for id in 0..30 {
        log.log_impression(impression(id, "q"));
        assert!(log.find_impression(QueryId(id)).unwrap().is_some());
    }
    assert_eq!(switches.appends.load(Ordering::SeqCst), 30);
    until("the interval passes", || switches.syncs.load(Ordering::SeqCst) > 0);
    let intervals = start.elapsed().as_millis() / 100;
    assert!(u128::from(switches.syncs.load(Ordering::SeqCst)) <= intervals + 1);
}

/// A disk that hangs until it is released.
struct Waiting(crossbeam_channel::Receiver<()>, Box<dyn SegmentFile>);

impl SegmentFile for Waiting {
    fn len(&self) -> u64 {
        self.1.len()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<bool> {
        let _ = self.0.recv();
        self.1.append(bytes)
    }

    fn sync(&mut self) -> Result<()> {
        self.1.sync()
    }
}

#[test]
fn a_hanging_disk_never_blocks_and_every_loss_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (go, wait) = crossbeam_channel::unbounded();
    let create = move |folder: &Path| -> Result<Box<dyn SegmentFile>> {
        Ok(Box::new(Waiting(wait.clone(), create_on_disk(folder)?)))
    };
    let hanging = Disk { create: Box::new(create), ..Disk::default() };
    let options = FeedbackOptions::default().with_queue(8);
    let log = FeedbackLog::open_with(folder.path(), options, Role::Appending, hanging).unwrap();
    // This must return although the disk hangs.
    for id in 0..5000 {
        log.log_impression(impression(id, "q"));
    }
    let dropped = log.stats().dropped;
    assert!(dropped >= 5000 - 8 - 1024);
    drop(go);
    log.close().unwrap();
    let written = replay::replay(folder.path()).unwrap().impressions.len() as u64;
    assert_eq!(written + log.stats().dropped, 5000);
    assert_eq!(open_small(folder.path()).stats().dropped, 5000 - written, "told to later processes too");
}

#[test]
fn a_panic_of_the_thread_is_reported_and_searches_do_not_notice() {
    let folder = tempfile::tempdir().unwrap();
    let (log, switches) = open_failing(folder.path());
    log.log_impression(impression(1, "before"));
    log.flush().unwrap();
    switches.panic.store(true, Ordering::SeqCst);
    log.log_impression(impression(2, "in its hands"));
    let told = log.append_judgement(judgement(1, "a"));
    assert!(matches!(told, Err(Error::Panicked { message, .. }) if message == "the disk is on fire"));
    log.log_impression(impression(3, "nobody there"));
    let stats = log.stats();
    assert_eq!((stats.impressions, stats.dropped), (1, 2));
    assert!(stats.last_error.unwrap().contains("on fire"));
    assert_eq!(log.find_impression(QueryId(1)).unwrap(), Some(impression(1, "before")));
    assert!(matches!(log.flush(), Err(Error::Panicked { .. })));
    assert!(matches!(log.close(), Err(Error::Panicked { .. })));
}
