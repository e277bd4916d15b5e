//! An index that is kept in step while its folder changes.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};

use crate::common::{ids, open, options};
use retune::folders::{WatchEvent, WatchOptions};
use retune::{Engine, Error, Mode, Query, Reader};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn quick() -> WatchOptions {
    WatchOptions::default().with_rest(Duration::from_millis(300))
}

/// What the watch tells of changes, until `stop` is dropped.
fn watch(
    engine: &Engine,
    options: WatchOptions,
) -> (std::thread::JoinHandle<()>, Receiver<String>, Sender<()>) {
    let (told, events) = unbounded();
    let (stop, stopped) = unbounded::<()>();
    let engine = engine.clone();
    let thread = std::thread::spawn(move || {
        let watched = engine.watch(&options, &mut |event| {
            let line = match event {
                WatchEvent::Watching(_) => "watching".into(),
                WatchEvent::WithoutEvents(_) => "without events".into(),
                WatchEvent::Changed(report) => format!("{} read, {} removed", report.read, report.removed),
                WatchEvent::Failed(error) => error.to_string(),
                _ => String::new(),
            };
            if !line.is_empty() {
                _ = told.send(line); // nobody may listen any more
            }
            match stopped.try_recv() {
                Err(TryRecvError::Disconnected) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        watched.unwrap();
    });
    (thread, events, stop)
}

/// Waits until `holds`.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 50 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not come");
}

fn indexed(folder: &Path) -> Engine {
    fs::create_dir_all(folder.join("files/sub")).unwrap();
    fs::write(folder.join("files/a.md"), "# River\n\nThe kettle is descaled.\n").unwrap();
    let engine = open(folder);
    engine.index_folder(&folder.join("files"), &mut |_| ControlFlow::Continue(())).unwrap();
    engine
}

#[test]
fn what_is_written_renamed_and_removed_is_found_soon() {
    let folder = tempfile::tempdir().unwrap();
    let engine = indexed(folder.path());
    let files = folder.path().join("files");
    let (thread, events, stop) = watch(&engine, quick());
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), "watching");
    let found = |word: &str| ids(&engine, &Query::new(word).with_mode(Mode::Lexical));
    fs::write(files.join("sub/b.md"), "# River\n\nThe lamp burns.\n").unwrap();
    until("the new file", || found("lamp") == ["sub/b.md"]);
    until("its vector", || engine.coverage().is_complete());
    fs::rename(files.join("sub/b.md"), files.join("c.md")).unwrap();
    until("the new name", || found("lamp") == ["c.md"]);
    assert!(engine.coverage().is_complete(), "the vector was kept");
    fs::create_dir_all(files.join("new/deep")).unwrap();
    fs::write(files.join("new/deep/d.md"), "The rope is frayed.").unwrap();
    until("the file in a new folder", || found("rope") == ["new/deep/d.md"]);
    fs::remove_file(files.join("a.md")).unwrap();
    until("the removal", || found("kettle").is_empty());
    drop(stop);
    thread.join().unwrap();
    engine.close().unwrap();
}

/// Writes a file line by line, and returns the longest time between two writes.
fn write_slowly(path: &Path) -> Duration {
    let (mut text, mut longest, mut before) = (String::new(), Duration::ZERO, Instant::now());
    for line in 0..10 {
        text.push_str(&format!("Entry {line}.\n"));
        let now = Instant::now();
        fs::write(path, &text).unwrap();
        longest = longest.max(before.elapsed());
        before = now;
        std::thread::sleep(Duration::from_millis(100));
    }
    longest
}

#[test]
fn a_file_that_is_being_written_is_left_until_it_rests() {
    let folder = tempfile::tempdir().unwrap();
    let engine = indexed(folder.path());
    let rest = Duration::from_millis(1500);
    let (thread, events, stop) = watch(&engine, quick().with_rest(rest));
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), "watching");
    let is_whole = |name: &str| {
        let stored = engine.get(name).unwrap();
        stored.is_some_and(|log| log.passages[0].text.contains("Entry 9."))
    };
    for attempt in 0.. {
        assert!(attempt < 20, "this machine is never quick enough");
        let name = format!("log{attempt}.txt");
        let longest = write_slowly(&folder.path().join("files").join(&name));
        // A busy machine may have let the file rest in between.
        if longest * 2 < rest {
            assert_eq!(events.recv_timeout(PATIENCE).unwrap(), "1 read, 0 removed");
            assert!(is_whole(&name), "one run reads it, when it is whole");
            break;
        }
        until("the whole file", || is_whole(&name));
        while events.recv_timeout(rest * 4).is_ok() {}
    }
    drop(stop);
    thread.join().unwrap();
}

#[test]
fn a_look_every_so_often_finds_changes_too() {
    let folder = tempfile::tempdir().unwrap();
    let engine = indexed(folder.path());
    let files = folder.path().join("files");
    let (thread, _events, stop) = watch(&engine, quick().with_full_look(Duration::from_millis(500)));
    fs::write(files.join("new.md"), "The fog horn is sounded.").unwrap();
    until("the new file", || !ids(&engine, &Query::new("horn").with_mode(Mode::Lexical)).is_empty());
    drop(stop);
    thread.join().unwrap();
}

#[test]
fn an_index_that_follows_nothing_is_not_watched() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let refused = engine.watch(&quick(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_and_sigterm_end_the_program_when_nothing_is_half_done() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.md"), "The kettle is descaled.").unwrap();
    super::harness::json(folder.path(), &["index", "."]);
    for signal in ["-INT", "-TERM"] {
        let mut watch = Command::new(env!("CARGO_BIN_EXE_retune"))
            .args(["watch"])
            .current_dir(folder.path())
            .env("RETUNE_MODEL", crate::common::tiny_model())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().starts_with("watching"));
        fs::write(folder.path().join("b.md"), format!("The lamp burns: {signal}.")).unwrap();
        assert!(lines.next().unwrap().unwrap().starts_with("1 files read"));
        let sent = Command::new("kill").args([signal, &watch.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(watch.wait().unwrap().code(), Some(0), "{signal}");
    }
    assert_eq!(
        ids(
            &Reader::open(folder.path().join(".retune"), options()).unwrap(),
            &Query::new("lamp").with_mode(Mode::Lexical)
        )[0],
        "b.md"
    );
}

#[test]
fn reading_is_told_while_it_goes_on_and_before_what_it_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let engine = indexed(folder.path());
    let texts = ["The lamp burns.\n", "The kettle boils, and then some more.\n"];
    for (at, text) in texts.iter().enumerate() {
        fs::write(folder.path().join(format!("files/new{at}.txt")), text).unwrap();
    }
    let mut read = Vec::new();
    let options = quick().with_rest(Duration::ZERO);
    engine
        .watch(&options, &mut |event| match event {
            WatchEvent::Reading(at) => {
                read.push((at.bytes, at.total_bytes));
                ControlFlow::Continue(())
            }
            WatchEvent::Changed(report) => {
                assert_eq!(report.read, 2);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        })
        .unwrap();
    // All that is read, the file that was there before among it where its time is too new to be trusted.
    let total = read[0].1;
    assert!(total >= texts.iter().map(|text| text.len() as u64).sum(), "{read:?}");
    assert_eq!((read.first(), read.last()), (Some(&(0, total)), Some(&(total, total))));
    assert!(read.len() > 2 && read.is_sorted(), "{read:?}");
}
