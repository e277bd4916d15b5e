//! Tests of the log on real folders.

mod damage;
mod failing;
mod finding;
mod forgetting;
mod sharing;
mod withdrawing;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_utils::thread::scope;

use super::segment::{self, Opened};
use super::*;
use crate::error::Error;
use crate::ids::{ChunkId, GenerationId, QueryId};

fn impression(id: u64, query: &str) -> Impression {
    let hit = |document: &str, chunk| ShownHit {
        document: document.into(),
        chunk: Some(ChunkId(chunk)),
        lexical: Some(1.5),
        dense: None,
        score: 0.25,
        standing: None,
    };
    Impression {
        query_id: QueryId(id),
        time_ms: 1000 + id,
        generation: GenerationId(1),
        query: query.into(),
        words: None,
        session: None,
        trial: None,
        hits: vec![hit("first document", 1), hit("second document", 2)],
    }
}

fn judgement(id: u64, document: &str) -> Judgement {
    Judgement {
        query_id: QueryId(id),
        time_ms: 2000 + id,
        document: document.into(),
        verdict: Verdict::Chosen,
    }
}

fn open(folder: &Path) -> FeedbackLog {
    FeedbackLog::open(folder, FeedbackOptions::default(), Role::Merging).unwrap()
}

/// A log with three or four records per segment.
fn open_small(folder: &Path) -> FeedbackLog {
    FeedbackLog::open(folder, FeedbackOptions::default().with_segment_bytes(1024), Role::Merging).unwrap()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    segment::list(folder).unwrap().into_iter().map(|one| one.path).collect()
}

fn opened(path: &Path) -> Opened {
    let segments = segment::list(path.parent().unwrap()).unwrap();
    Opened::new(segments.into_iter().find(|one| one.path == path).unwrap()).unwrap()
}

/// Long enough for every other thread of a test.
const WAIT: Duration = Duration::from_secs(60);

fn ids(replay: &Replay) -> Vec<u64> {
    replay.impressions.iter().map(|one| one.query_id.0).collect()
}

#[test]
fn what_was_logged_is_replayed_in_order_and_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    for id in 0..10 {
        log.log_impression(impression(id, &format!("query {id}")));
    }
    log.append_judgement(judgement(3, "first document")).unwrap();
    log.close().unwrap();
    for _ in 0..2 {
        let log = open(folder.path());
        let replay = log.replay().unwrap();
        assert_eq!(
            replay.impressions,
            (0..10).map(|id| impression(id, &format!("query {id}"))).collect::<Vec<_>>()
        );
        assert_eq!(replay.judgements, [judgement(3, "first document")]);
        assert!(replay.damage.is_empty());
        let stats = log.stats();
        assert_eq!((stats.impressions, stats.judgements, stats.dropped, stats.segments), (10, 1, 0, 1));
        assert_eq!(stats.bytes, fs::metadata(&segments(folder.path())[0]).unwrap().len());
        assert_eq!(log.find_impression(QueryId(7)).unwrap(), Some(impression(7, "query 7")));
        assert_eq!(log.find_impression(QueryId(70)).unwrap(), None);
    }
    assert_eq!(
        segments(folder.path()),
        [folder.path().join("000001.log")],
        "merged once, not at every opening"
    );
}

#[test]
fn an_impression_is_found_as_soon_as_it_was_handed_over_and_after_the_log_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    for id in 0..50 {
        log.log_impression(impression(id, "q"));
        assert_eq!(log.find_impression(QueryId(id)).unwrap(), Some(impression(id, "q")));
    }
    log.close().unwrap();
    assert_eq!(log.find_impression(QueryId(49)).unwrap(), Some(impression(49, "q")));
}

#[test]
fn a_full_segment_is_followed_by_another_and_statistics_count_all() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_small(folder.path());
    for id in 0..40 {
        log.log_impression(impression(id, "q"));
        log.append_judgement(judgement(id, "first document")).unwrap();
    }
    assert!(segments(folder.path()).len() > 3);
    assert!(segments(folder.path()).iter().all(|path| fs::metadata(path).unwrap().len() <= 1024));
    assert_eq!(ids(&log.replay().unwrap()), (0..40).collect::<Vec<_>>());
    assert_eq!(log.find_impression(QueryId(0)).unwrap(), Some(impression(0, "q")));
    log.close().unwrap();
    let log = open_small(folder.path());
    log.append_judgement(judgement(1, "x")).unwrap();
    let stats = log.stats();
    assert_eq!((stats.impressions, stats.judgements), (40, 41));
    assert_eq!((stats.damaged_bytes, stats.torn_bytes, stats.last_error), (0, 0, None));
    assert_eq!(read_stats(folder.path()).judgements, 41);
}

#[test]
fn unusable_options_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let default = FeedbackOptions::default;
    for bad in
        [default().with_queue(0), default().with_segment_bytes(10), default().with_sync_interval_ms(60_001)]
    {
        let opened = FeedbackLog::open(folder.path(), bad, Role::Appending);
        assert!(matches!(opened, Err(Error::Invalid { .. })));
    }
}

#[test]
fn a_log_that_is_not_there_is_empty_to_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    assert_eq!(replay::replay(&none).unwrap(), Replay::default());
    assert_eq!(read_stats(&none), FeedbackStats::default());
    assert!(!none.exists());
}

#[test]
fn a_reader_of_a_living_log_sees_whole_records_only_and_each_replay_goes_on_from_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let options = FeedbackOptions::default().with_segment_bytes(4096);
    let log = FeedbackLog::open(folder.path(), options, Role::Appending).unwrap();
    let done = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|_| {
            for id in 0..600 {
                log.log_impression(impression(id, "q"));
                if id % 20 == 0 {
                    log.append_judgement(judgement(id, "d")).unwrap();
                }
            }
            log.flush().unwrap();
            done.store(true, Ordering::SeqCst);
        });
        let mut seen = 0;
        loop {
            let last = done.load(Ordering::SeqCst);
            let replay = replay::replay(folder.path()).unwrap();
            assert_eq!(ids(&replay), (0..replay.impressions.len() as u64).collect::<Vec<_>>());
            assert!(replay.impressions.iter().all(|one| one.query == "q" && one.hits.len() == 2));
            assert!(replay.impressions.len() >= seen);
            seen = replay.impressions.len();
            if last {
                break;
            }
        }
        assert_eq!(seen, 600);
    })
    .unwrap();
}

#[test]
fn after_closing_judgements_are_refused_and_impressions_counted_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.close().unwrap();
    log.close().unwrap();
    assert!(matches!(log.append_judgement(judgement(1, "d")), Err(Error::Closed { .. })));
    log.log_impression(impression(1, "q"));
    assert_eq!(log.stats().dropped, 1);
}

#[test]
fn closing_amid_searches_loses_nothing_uncounted() {
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let options = FeedbackOptions::default().with_queue(4);
        let log = FeedbackLog::open(folder.path(), options, Role::Appending).unwrap();
        scope(|scope| {
            for thread in 0..3 {
                let log = &log;
                scope.spawn(move |_| {
                    (0..100).for_each(|id| log.log_impression(impression(thread * 100 + id, "q")))
                });
            }
            std::thread::sleep(std::time::Duration::from_micros(200 * round));
            log.close().unwrap();
        })
        .unwrap();
        let written = log.replay().unwrap().impressions.len() as u64;
        let stats = log.stats();
        assert_eq!((written + stats.dropped, stats.impressions), (300, written));
    }
}

#[test]
fn a_query_too_long_to_be_logged_is_lost_and_a_document_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let long = "x".repeat(16 << 20);
    log.log_impression(impression(1, &long));
    log.log_impression(impression(2, &"y".repeat(1 << 20)));
    assert!(matches!(log.append_judgement(judgement(2, &long)), Err(Error::Invalid { .. })));
    log.flush().unwrap();
    assert_eq!(ids(&log.replay().unwrap()), [2]);
    assert_eq!(log.stats().dropped, 1);
}
