//! What a run keeps of files that were renamed or touched, or of which it got nothing.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use crate::common::{ids, options};
use retune::extract::{Content, Extractor, Found, Unreadable};
use retune::folders::{IndexReport, SkipReason};
use retune::{Engine, Mode, Query};

/// An index beside the folder `files`.
struct Indexed {
    folder: tempfile::TempDir,
    engine: Engine,
    asked: Arc<AtomicUsize>,
}

impl Indexed {
    fn new(files: &[(&str, &str)]) -> Indexed {
        let (folder, asked) = (tempfile::tempdir().unwrap(), Arc::<AtomicUsize>::default());
        let options = options().with_extractor(Arc::new(Counting(Arc::clone(&asked))));
        let engine = Engine::open(folder.path().join("index"), options).unwrap();
        let indexed = Indexed { folder, engine, asked };
        fs::create_dir(indexed.folder.path().join("files")).unwrap();
        for (name, text) in files {
            fs::write(indexed.file(name), text).unwrap();
            indexed.touch(name, 1_000);
        }
        indexed
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("files").join(name)
    }

    /// Says that a file was changed so many seconds after 2001.
    fn touch(&self, name: &str, seconds: u64) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(978_307_200 + seconds);
        fs::File::options().write(true).open(self.file(name)).unwrap().set_modified(time).unwrap();
    }

    fn index(&self) -> IndexReport {
        let files = self.folder.path().join("files");
        self.engine.index_folder(&files, &mut |_| ControlFlow::Continue(())).unwrap()
    }

    fn found(&self, typed: &str) -> Vec<String> {
        ids(&self.engine, &Query::parse(typed).with_mode(Mode::Lexical))
    }

    /// What was skipped of a file, by its status.
    fn skipped(&self, id: &str) -> Vec<String> {
        let file = self.engine.file(id).unwrap().unwrap();
        file.skipped.into_iter().map(|one| one.document).collect()
    }
}

/// Gives a text and something that can't be read of an archive, and nothing of anything else. Counts.
#[derive(Debug)]
struct Counting(Arc<AtomicUsize>);

impl Extractor for Counting {
    fn extract(&self, file: &Path, give: &mut dyn FnMut(Found) -> ControlFlow<()>) -> Result<(), Unreadable> {
        self.0.fetch_add(1, Ordering::AcqRel);
        if file.extension().is_none_or(|extension| extension != "zip") {
            return Err(Unreadable::NoText);
        }
        let inside = [
            ("inner/good.txt", Content::Text(b"The kettle is descaled.".to_vec())),
            ("node_modules/left.txt", Content::Text(b"The lamp burns.".to_vec())),
            ("inner/bad.pdf", Content::Unreadable(Unreadable::Encrypted)),
        ];
        for (path, content) in inside {
            if give(Found { path: path.into(), content }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[test]
fn a_renamed_file_keeps_its_vectors_though_its_name_is_its_title() {
    let indexed =
        Indexed::new(&[("kettle.txt", "It is descaled with vinegar."), ("b.py", "def fog(): pass")]);
    assert!(indexed.index().chunks_encoded >= 2);
    fs::rename(indexed.file("kettle.txt"), indexed.file("boiler.txt")).unwrap();
    fs::rename(indexed.file("b.py"), indexed.file("horn.py")).unwrap();
    let report = indexed.index();
    assert_eq!((report.read, report.removed, report.chunks_encoded), (2, 2, 0));
    assert!(indexed.engine.coverage().is_complete());
    // Words are those of the new name.
    assert_eq!(indexed.found("boiler"), ["boiler.txt"]);
    assert!(indexed.found("kettle").is_empty());
    // A file with that content under a third name too; one with another content is encoded.
    fs::copy(indexed.file("boiler.txt"), indexed.file("third.txt")).unwrap();
    fs::write(indexed.file("fourth.txt"), "It is descaled with citric acid.").unwrap();
    assert_eq!(indexed.index().chunks_encoded, 1);
}

#[test]
fn a_touched_file_gets_its_new_time_and_keeps_its_vectors() {
    let front = "---\ndate: 1999-05-05\n---\nThe fog horn is sounded.";
    let indexed = Indexed::new(&[("a.md", "The kettle is descaled."), ("own.md", front)]);
    indexed.index();
    let found = |typed: &str| indexed.found(typed);
    assert_eq!(found("kettle after:2001 before:2002"), ["a.md"]);
    indexed.touch("a.md", 10 * 366 * 86_400);
    indexed.touch("own.md", 10 * 366 * 86_400);
    let report = indexed.index();
    assert_eq!((report.read, report.unchanged, report.chunks_encoded), (0, 2, 0));
    assert_eq!(found("kettle after:2011"), ["a.md"]);
    assert!(found("kettle before:2002").is_empty());
    // A date that the document says of itself stays.
    assert_eq!(found("horn before:2000"), ["own.md"]);
    let stored = |id: &str, field: &str| {
        serde_json::to_string(&indexed.engine.get(id).unwrap().unwrap().fields[field]).unwrap()
    };
    assert!(stored("own.md", "modified").contains("2011") && stored("own.md", "date").contains("1999"));
    assert!(indexed.engine.coverage().is_complete());
    assert_eq!(ids(&indexed.engine, &Query::new("kettle").with_mode(Mode::Dense)).len(), 2);
    indexed.engine.close().unwrap();
    let again = crate::common::open(indexed.folder.path());
    assert_eq!(again.coverage().chunks, again.coverage().encoded);
}

#[test]
fn what_was_skipped_in_a_container_stays_listed_and_is_not_read_again() {
    let indexed = Indexed::new(&[("a.zip", "PK\x03\x04 one"), ("scan.pdf", "%PDF-1.4 scan")]);
    let first = indexed.index();
    assert_eq!(first.skipped.iter().filter(|one| one.new).count(), 3, "{:?}", first.skipped);
    assert_eq!(indexed.asked.load(Ordering::Acquire), 2);
    let listed = ["a.zip/node_modules/left.txt", "a.zip/inner/bad.pdf"];
    for touched in [false, false, true, true] {
        if touched {
            ["a.zip", "scan.pdf"].iter().for_each(|name| indexed.touch(name, 5_000));
        }
        let report = indexed.index();
        assert_eq!(indexed.skipped("a.zip"), listed);
        assert_eq!(indexed.skipped("scan.pdf"), ["scan.pdf"]);
        assert_eq!((report.skipped.len(), report.skipped.iter().any(|one| one.new)), (3, false));
        assert_eq!((report.read, report.unchanged), (0, 1));
    }
    assert_eq!(indexed.asked.load(Ordering::Acquire), 2, "none was extracted again");
    let skipped = indexed.engine.file("scan.pdf").unwrap().unwrap().skipped;
    assert_eq!(skipped[0].reason, SkipReason::NoText);
    assert_eq!(indexed.found("kettle"), ["a.zip/inner/good.txt"]);
}

#[test]
fn what_was_left_out_of_a_container_is_read_once_it_is_asked_for() {
    let indexed = Indexed::new(&[("a.zip", "PK\x03\x04 one")]);
    indexed.index();
    assert!(indexed.found("lamp").is_empty());
    fs::write(indexed.folder.path().join("index/retune.toml"), "read = [\"dependencies\"]\n").unwrap();
    indexed.index();
    assert_eq!(indexed.found("lamp"), ["a.zip/node_modules/left.txt"]);
}
