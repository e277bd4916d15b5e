//! Tests of a log that several handles have open at once. Each handle is as good as a process: they share only files.

use std::collections::BTreeSet;

use super::super::append::create_on_disk;
use super::*;

fn appending(folder: &Path) -> FeedbackLog {
    FeedbackLog::open(folder, FeedbackOptions::default().with_segment_bytes(8192), Role::Appending).unwrap()
}

#[test]
fn handles_that_log_and_judge_while_others_merge_and_forget_lose_nothing_and_double_nothing() {
    const HANDLES: u64 = 4;
    const RECORDS: u64 = 300;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let done = AtomicBool::new(false);
    scope(|scope| {
        let merging = scope.spawn(|_| {
            let mut merges = 0;
            while !done.load(Ordering::SeqCst) {
                let log = open_small(path);
                log.forget_query("nobody asked this", WAIT).unwrap();
                merges += 1;
            }
            merges
        });
        let reading = scope.spawn(|_| {
            let mut seen = 0;
            while !done.load(Ordering::SeqCst) {
                let replay = replay::replay(path).unwrap();
                let found = replay.impressions.len();
                assert!(found >= seen, "a reader lost {seen} of which {found} are left");
                assert_eq!(
                    ids(&replay).into_iter().collect::<BTreeSet<_>>().len(),
                    found,
                    "none is read twice"
                );
                assert_eq!(replay.damage, []);
                seen = found;
            }
        });
        let writing: Vec<_> = (0..HANDLES)
            .map(|handle| {
                scope.spawn(move |_| {
                    let mut log = appending(path);
                    for id in (0..RECORDS).map(|record| handle * RECORDS + record) {
                        log.log_impression(impression(id, "q"));
                        assert!(log.find_impression(QueryId(id)).unwrap().is_some(), "{id} can be judged");
                        log.append_judgement(judgement(id, "d")).unwrap();
                        if id % 50 == 49 {
                            log = appending(path);
                        }
                    }
                })
            })
            .collect();
        writing.into_iter().for_each(|handle| handle.join().unwrap());
        done.store(true, Ordering::SeqCst);
        reading.join().unwrap();
        assert!(merging.join().unwrap() > 1);
    })
    .unwrap();
    let log = open(path);
    let replay = log.replay().unwrap();
    assert_eq!(ids(&replay), (0..HANDLES * RECORDS).collect::<Vec<_>>());
    let judged: Vec<u64> = replay.judgements.iter().map(|one| one.query_id.0).collect();
    assert_eq!(judged, (0..HANDLES * RECORDS).collect::<Vec<_>>());
    assert_eq!((log.stats().dropped, log.stats().damaged_bytes, log.stats().torn_bytes), (0, 0, 0));
}

#[test]
fn a_handle_whose_segment_was_sealed_goes_on_with_another() {
    let folder = tempfile::tempdir().unwrap();
    let log = appending(folder.path());
    log.log_impression(impression(0, "before"));
    log.flush().unwrap();
    let live = segments(folder.path()).remove(0);
    let merging = open(folder.path());
    assert!(!live.exists() && segments(folder.path()).len() == 1);
    log.log_impression(impression(1, "after"));
    log.append_judgement(judgement(0, "d")).unwrap();
    assert_eq!(ids(&merging.replay().unwrap()), [0, 1]);
    assert_eq!(merging.judgements().unwrap().standing(), 1);
    // Nor does the handle restore what was forgotten in its segment.
    assert_eq!(merging.forget_query("before", WAIT).unwrap(), 2);
    log.log_impression(impression(2, "last"));
    log.close().unwrap();
    assert_eq!(ids(&open(folder.path()).replay().unwrap()), [1, 2]);
}

#[test]
fn an_appender_does_not_wait_for_one_who_takes_its_segment() {
    let folder = tempfile::tempdir().unwrap();
    let mut segment = create_on_disk(folder.path()).unwrap();
    assert!(segment.append(b"whole").unwrap());
    let path = segments(folder.path()).remove(0);
    let taking = fs::File::open(&path).unwrap();
    taking.lock().unwrap();
    assert!(!segment.append(b"refused").unwrap());
    taking.unlock().unwrap();
    assert!(segment.append(b"accepted").unwrap());
    fs::rename(&path, path.with_file_name("taken-0.log")).unwrap();
    assert!(!segment.append(b"refused").unwrap());
    let bytes = fs::read(path.with_file_name("taken-0.log")).unwrap();
    assert_eq!(&bytes[32..], b"wholeaccepted");
}

#[test]
fn forgetting_fails_while_a_segment_can_not_be_taken_and_merging_leaves_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = appending(folder.path());
    log.log_impression(impression(0, "secret"));
    log.flush().unwrap();
    // A process that was stopped in the middle of an append.
    let stopped = fs::File::open(segments(folder.path()).remove(0)).unwrap();
    stopped.lock().unwrap();
    let other = open(folder.path());
    assert!(matches!(other.forget_query("secret", Duration::ZERO), Err(Error::Locked { .. })));
    log.append_judgement(judgement(0, "d")).unwrap();
    assert_eq!((ids(&other.replay().unwrap()), other.judgements().unwrap().standing()), (vec![0], 1));
    stopped.unlock().unwrap();
    assert_eq!(other.forget_query("secret", WAIT).unwrap(), 2);
}

#[test]
fn sealing_that_was_cut_short_leaves_each_record_once() {
    let folder = tempfile::tempdir().unwrap();
    for handle in 0..3 {
        let log = appending(folder.path());
        (0..5).for_each(|record| log.log_impression(impression(5 * handle + record, "q")));
    }
    let left: Vec<_> =
        segments(folder.path()).iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    drop(open(folder.path()));
    let sealed = segments(folder.path());
    assert_eq!(sealed.len(), 1);
    // As if the process had died before removing what it had taken, and before sealing it.
    for (path, bytes) in &left {
        let name = path.file_name().unwrap().to_str().unwrap().replace("live-", "taken-");
        fs::write(path.with_file_name(name), bytes).unwrap();
    }
    let all: Vec<u64> = (0..15).collect();
    assert_eq!(ids(&replay::replay(folder.path()).unwrap()), all);
    assert_eq!(read_stats(folder.path()).impressions, 15);
    let log = open(folder.path());
    assert_eq!(segments(folder.path()), sealed);
    assert_eq!(ids(&log.replay().unwrap()), all);
    log.close().unwrap();
    fs::remove_file(&sealed[0]).unwrap();
    for (path, bytes) in &left {
        let name = path.file_name().unwrap().to_str().unwrap().replace("live-", "taken-");
        fs::write(path.with_file_name(name), bytes).unwrap();
    }
    assert_eq!(ids(&replay::replay(folder.path()).unwrap()), all);
    assert_eq!(ids(&open(folder.path()).replay().unwrap()), all);
    assert_eq!(segments(folder.path()).len(), 1);
}

#[test]
fn many_handles_leave_few_segments() {
    let folder = tempfile::tempdir().unwrap();
    for id in 0..300 {
        appending(folder.path()).log_impression(impression(id, "q"));
        assert!(segments(folder.path()).len() < 80, "after {id}: {}", segments(folder.path()).len());
    }
    assert_eq!(ids(&replay::replay(folder.path()).unwrap()), (0..300).collect::<Vec<_>>());
}

/// Runs `work` as a user that file permissions apply to, unlike root.
#[cfg(target_os = "linux")]
fn as_another_user<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    crossbeam_utils::thread::scope(|scope| {
        let user = scope.spawn(|_| {
            if rustix::process::geteuid().is_root() {
                // Only for this thread and the threads that it starts.
                rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65_534)).unwrap();
            }
            work()
        });
        user.join().unwrap()
    })
    .unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_segment_that_this_user_may_not_read_keeps_nobody_from_logging_and_judging() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let log = open(folder.path());
    log.log_impression(impression(1, "closed to others"));
    log.close().unwrap();
    let closed = segments(folder.path()).remove(0);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    as_another_user(|| {
        let log = open(folder.path());
        log.log_impression(impression(2, "q"));
        log.append_judgement(judgement(2, "first document")).unwrap();
        assert_eq!(log.find_impression(QueryId(2)).unwrap(), Some(impression(2, "q")));
        assert_eq!(ids(&log.replay().unwrap()), [2]);
        let stats = log.stats();
        assert_eq!((stats.impressions, stats.judgements, stats.unreadable_segments), (1, 1, 1));
        assert!(log.forget_query("closed to others", WAIT).is_err(), "it would stay");
        assert!(log.copy_to(&folder.path().join("copy"), WAIT).is_err(), "it would be missing");
        log.close().unwrap();
    });
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(ids(&open(folder.path()).replay().unwrap()), [1, 2]);
}

#[cfg(unix)]
#[test]
fn who_may_write_into_the_folder_may_read_and_write_its_segments() {
    use std::os::unix::fs::PermissionsExt;
    for (of_folder, of_segment) in [(0o777, 0o666), (0o770, 0o660)] {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(of_folder)).unwrap();
        let log = open(folder.path());
        for id in 0..2 {
            log.log_impression(impression(id, "q"));
            log.flush().unwrap();
            let mode = fs::metadata(&segments(folder.path())[0]).unwrap().permissions().mode();
            assert_eq!(mode & of_segment, of_segment, "{mode:o}");
        }
        log.close().unwrap();
    }
}

#[test]
fn a_folder_with_a_segments_name_is_none() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["000001.log", "live-x.log"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let log = open(folder.path());
    log.log_impression(impression(1, "q"));
    log.close().unwrap();
    assert_eq!(ids(&open(folder.path()).replay().unwrap()), [1]);
}

#[cfg(unix)]
#[test]
fn in_a_folder_of_its_owner_alone_segments_are_too() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for id in 0..2 {
        // The second one to open it seals what the first has left.
        let log = open(folder.path());
        log.log_impression(impression(id, "q"));
        log.close().unwrap();
        for segment in segments(folder.path()) {
            let mode = fs::metadata(&segment).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", segment.display());
        }
    }
}
