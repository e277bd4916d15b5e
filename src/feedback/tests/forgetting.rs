//! Tests of forgetting.

use std::collections::HashSet;

use super::super::forget::{Forget, Pass, rewrite};
use super::*;

/// Whether any file in the folder contains the text.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// A log with twelve queries in several segments, each with a judgement. Every third query is secret.
fn with_secrets(folder: &Path) -> FeedbackLog {
    let log = open_small(folder);
    for id in 0..12 {
        log.log_impression(impression(id, if id % 3 == 0 { "Secret  Plans" } else { "harmless" }));
    }
    for id in 0..12 {
        log.append_judgement(judgement(id, if id == 4 { "second document" } else { "first document" }))
            .unwrap();
    }
    assert!(segments(folder).len() > 3);
    log
}

#[test]
fn what_is_forgotten_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_secrets(folder.path());
    assert!(holds(folder.path(), "Secret"));
    assert_eq!(log.forget_query(" secret PLANS ", WAIT).unwrap(), 8);
    assert!(!holds(folder.path(), "Secret"));
    assert_eq!((log.stats().impressions, log.stats().judgements), (8, 8));
    assert!(
        log.replay().unwrap().judgements.iter().all(|one| one.query_id.0 % 3 != 0),
        "theirs are gone too"
    );

    assert_eq!(log.forget_query_id(QueryId(1), WAIT).unwrap(), 2);
    assert!(log.find_impression(QueryId(1)).unwrap().is_none());
    assert!(!holds(folder.path(), &QueryId(1).to_string()));

    assert_eq!(log.forget_document("second document", WAIT).unwrap(), 7 + 1);
    assert!(!holds(folder.path(), "second document"));
    let replay = log.replay().unwrap();
    assert_eq!(ids(&replay), [2, 4, 5, 7, 8, 10, 11]);
    assert!(
        replay.impressions.iter().all(|one| one.hits.len() == 1 && one.hits[0].document == "first document")
    );
    assert!(replay.judgements.iter().all(|one| one.query_id != QueryId(4)));

    log.log_impression(impression(99, "written after forgetting"));
    log.close().unwrap();
    assert!(holds(folder.path(), "written after forgetting"));
    assert_eq!(open(folder.path()).forget_query("never asked", WAIT).unwrap(), 0);
}

#[test]
fn what_was_handed_over_just_before_is_forgotten_too_and_what_comes_after_stays() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    (0..100).for_each(|id| log.log_impression(impression(id, "secret")));
    log.forget_query("secret", WAIT).unwrap();
    log.log_impression(impression(100, "secret"));
    log.flush().unwrap();
    assert_eq!(ids(&log.replay().unwrap()), [100]);
    assert_eq!(log.stats().impressions, 1);
}

#[test]
fn damaged_bytes_of_every_segment_go_since_they_might_hold_it() {
    let folder = tempfile::tempdir().unwrap();
    drop(with_secrets(folder.path()));
    let secret = |bytes: &[u8]| bytes.windows(6).position(|window| window == b"Secret");
    let mut paths = segments(folder.path()).into_iter();
    let path = paths.find(|path| secret(&fs::read(path).unwrap()).is_some()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = secret(&bytes).unwrap();
    bytes[at + 8] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let log = open_small(folder.path());
    assert!(log.stats().damaged_bytes > 0);
    // This query might be the damaged one.
    assert_eq!(log.forget_query("another", WAIT).unwrap(), 0);
    assert_eq!(log.stats().damaged_bytes, 0);
    log.forget_query("secret plans", WAIT).unwrap();
    assert!(!holds(folder.path(), "Secret"));
    assert_eq!(log.replay().unwrap().impressions.len(), 8);
}

#[test]
fn left_over_temporary_files_of_a_killed_process_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_secrets(folder.path());
    fs::write(folder.path().join(".tmp-left"), "Secret").unwrap();
    log.forget_query("secret plans", WAIT).unwrap();
    assert!(!holds(folder.path(), "Secret"));
    log.close().unwrap();
    fs::write(folder.path().join(".tmp-left"), "Secret").unwrap();
    drop(open(folder.path()));
    assert!(!holds(folder.path(), "Secret"));
}

#[test]
fn forgetting_cut_short_at_any_segment_leaves_a_log_that_opens_and_can_be_asked_again() {
    let what = Forget::Query("secret plans".into());
    let secret: HashSet<QueryId> = [0, 3, 6, 9].map(QueryId).into();
    let mut done = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        drop(with_secrets(folder.path()));
        drop(open_small(folder.path()));
        let paths = segments(folder.path());
        let passes = [Pass::Judgements, Pass::Impressions];
        let steps = passes.into_iter().flat_map(|pass| paths.iter().map(move |path| (pass, path)));
        for (pass, path) in steps.take(done) {
            rewrite(&opened(path), &what, &secret, pass).unwrap();
        }
        let log = open_small(folder.path());
        let replay = log.replay().unwrap();
        assert!(replay.damage.is_empty());
        assert_eq!(replay.impressions.iter().filter(|one| one.query == "harmless").count(), 8);
        log.forget_query("secret plans", WAIT).unwrap();
        assert!(!holds(folder.path(), "Secret"));
        let replay = log.replay().unwrap();
        assert_eq!((replay.impressions.len(), replay.judgements.len()), (8, 8), "after {done} steps");
        if done == 2 * paths.len() {
            return;
        }
        done += 1;
    }
}

#[test]
fn losses_stay_counted_when_something_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.log_impression(impression(1, &"x".repeat(16 << 20)));
    log.log_impression(impression(2, "secret"));
    log.flush().unwrap();
    log.forget_query("secret", WAIT).unwrap();
    assert_eq!((log.stats().impressions, log.stats().dropped), (0, 1));
    log.close().unwrap();
    assert_eq!(open(folder.path()).stats().dropped, 1);
}
