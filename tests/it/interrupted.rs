//! Indexing that is cut short: words are searched at once, and what was encoded is not encoded again.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};

use retune::folders::{IndexProgress, IndexReport};
use retune::{Engine, Error, Mode, Query};

use crate::common;

const FOLDER: &str = "RETUNE_INTERRUPTED_TEST_FOLDER";
/// More than two steps of the fastest machine.
const FILES: usize = 200;

fn write_files(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..FILES {
        fs::write(folder.join(format!("{number:03}.txt")), format!("Entry {number} of the log.")).unwrap();
    }
}

fn index(engine: &Engine, files: &Path, most: usize) -> retune::Result<IndexReport> {
    engine.index_folder(files, &mut |progress| match progress.chunks < most {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    })
}

/// Every file is found by its words, whether it has a vector or not.
fn finds_all_words(engine: &Engine) {
    for number in [0, 7, FILES - 1] {
        let query = Query::new(format!("{number} log")).with_limit(FILES);
        for mode in [Mode::Lexical, Mode::Hybrid] {
            let found = common::ids(engine, &query.clone().with_mode(mode));
            assert!(found.contains(&format!("{number:03}.txt")), "{mode:?} {number}");
        }
    }
}

#[test]
fn a_cancelled_run_keeps_what_was_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    write_files(&files);
    let engine = common::open(folder.path());
    assert!(matches!(index(&engine, &files, 20), Err(Error::Cancelled { .. })));
    let covered = engine.status().unwrap().coverage;
    assert!(covered.chunks == FILES && (20..FILES).contains(&covered.encoded), "{covered:?}");
    finds_all_words(&engine);
    drop(engine);
    let engine = common::open(folder.path());
    assert_eq!(engine.status().unwrap().coverage, covered, "opening encodes nothing");
    finds_all_words(&engine);
    let report = index(&engine, &files, usize::MAX).unwrap();
    assert_eq!((report.read, report.unchanged), (0, FILES));
    assert_eq!(report.chunks_encoded, FILES - covered.encoded);
    assert!(engine.status().unwrap().coverage.is_complete());
    let query = Query::new("007.txt Entry 7 of the log.").with_mode(Mode::Dense);
    assert_eq!(common::ids(&engine, &query)[0], "007.txt");
}

/// The child: ends its process in the middle of a run. Does nothing when it isn't called by the test below.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let engine = common::open(Path::new(&folder));
    let _ = engine.index_folder(&Path::new(&folder).join("files"), &mut |progress| {
        if progress.chunks >= 40 {
            std::process::abort();
        }
        ControlFlow::Continue(())
    });
}

#[test]
fn a_killed_process_does_too() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    write_files(&files);
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["interrupted::child", "--exact", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success(), "{status}");
    let engine = common::open(folder.path());
    assert_eq!(engine.status().unwrap().documents, FILES);
    finds_all_words(&engine);
    let report = index(&engine, &files, usize::MAX).unwrap();
    assert!((1..=FILES - 40).contains(&report.chunks_encoded), "{report:?}");
}

#[test]
fn progress_never_goes_back_and_ends_at_its_total() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    write_files(&files);
    let long: String = (0..400).map(|n| format!("# A\n\nThe text {n} is one of many words.\n")).collect();
    fs::write(files.join("long.md"), long).unwrap();
    fs::write(files.join("none.md"), "# A\n\nTODO\n").unwrap();
    let engine = common::open(folder.path());
    let mut seen: Vec<IndexProgress> = Vec::new();
    let report = engine.index_folder(&files, &mut |progress| {
        seen.push(progress);
        ControlFlow::Continue(())
    });
    for pair in seen.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        assert!(before.files <= after.files && before.bytes <= after.bytes && before.chunks <= after.chunks);
        assert!(before.total_bytes == 0 || before.total_bytes == after.total_bytes);
    }
    let last = seen.last().unwrap();
    assert_eq!((last.files, last.bytes), (FILES + 2, last.total_bytes));
    assert_eq!(last.chunks, report.unwrap().chunks_encoded);
    let halfway = seen.iter().any(|at| at.bytes > 0 && at.bytes < last.total_bytes);
    assert!(halfway, "{} steps", seen.len());
}
