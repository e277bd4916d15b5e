//! What decides which files are read: configurations, ignore files; and what is told of each file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::harness::{json, refused, retune, stderr, stdout};
use crate::common::options;
use retune::Reader;
use retune::folders::SkipReason;

fn put(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn ids(root: &Path) -> Vec<String> {
    Reader::open(root.join(".retune"), options()).unwrap().documents().unwrap()
}

#[test]
fn a_configuration_and_an_ignore_file_choose_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(
        root,
        &[
            ("a.md", "One."),
            ("a.txt", "Two."),
            ("drafts/b.md", "Three."),
            ("docs/c.md", "Four."),
            ("docs/private/d.md", "Five."),
            ("docs/.retuneignore", "private/\n"),
            ("target/e.md", "Six."),
            ("docs/large.md", &"Seven. ".repeat(100)),
        ],
    );
    json(root, &["index", "."]);
    assert_eq!(ids(root), ["a.md", "a.txt", "docs/c.md", "docs/large.md", "drafts/b.md"]);
    // In the folder it narrows; what is read no more is removed.
    put(root, &[("retune.toml", "exclude = [\"drafts/\"]\nextensions = [\"md\"]\nmax_file_bytes = 100\n")]);
    let report = json(root, &["index"]);
    assert_eq!((ids(root), &report["removed"]), (vec!["a.md".into(), "docs/c.md".into()], &3.into()));
    put(root, &[("retune.toml", "include = [\"*.txt\"]\n")]);
    json(root, &["index"]);
    assert_eq!(ids(root), ["a.txt"]);
    // It can't ask for more, nor for anything that nobody knows.
    for (text, word) in [("read = [\"build\"]\n", "narrow"), ("run = \"touch x\"\n", "unknown field")] {
        put(root, &[("retune.toml", text)]);
        let said = refused(root, &["index"]);
        assert!(said.contains(word) && said.contains("retune.toml"), "{said}");
    }
    assert_eq!(ids(root), ["a.txt"], "nothing was changed");
    // In the index it is the user's own.
    fs::remove_file(root.join("retune.toml")).unwrap();
    put(root, &[(".retune/retune.toml", "read = [\"build\"]\ninclude = [\"target/**\"]\n")]);
    json(root, &["index"]);
    assert_eq!(ids(root), ["target/e.md"]);
}

#[test]
fn a_configuration_may_be_there_before_the_index() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        &[("a.md", "One."), ("b.md", "Two."), (".retune/retune.toml", "exclude = [\"b.md\"]\n")],
    );
    assert_eq!(json(folder.path(), &["index", "."])["documents"], 1);
}

#[test]
fn each_file_has_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, &[("a.md", "One."), ("sub/b.dat", "\0\0"), ("node_modules/x.md", "Two.")]);
    json(root, &["index", "."]);
    let reader = Reader::open(root.join(".retune"), options()).unwrap();
    let files = reader.files().unwrap();
    assert_eq!(files.iter().map(|file| file.id.as_str()).collect::<Vec<_>>(), ["a.md", "sub/b.dat"]);
    assert_eq!((files[0].bytes, &files[0].documents), (4, &vec!["a.md".to_string()]));
    assert_eq!((files[0].coverage.chunks, files[0].coverage.encoded), (1, 1));
    let id = reader.id_of_file(&root.join("sub/b.dat")).unwrap().unwrap();
    let file = reader.file(&id).unwrap().unwrap();
    assert!(file.documents.is_empty() && file.skipped[0].reason == SkipReason::Binary, "{file:?}");
    assert_eq!(reader.file("nowhere.md").unwrap(), None);
    assert_eq!(reader.file("a.md/inside.txt").unwrap().unwrap().id, "a.md", "as in a container");
    assert_eq!(reader.passed_over().unwrap()[0].document, "node_modules");
    assert_eq!(reader.path_of("a.md").unwrap().unwrap(), root.canonicalize().unwrap().join("a.md"));
    assert_eq!(reader.id_of_file(Path::new("/")).unwrap(), None);
}

#[test]
fn a_search_says_what_has_changed_since() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, &[("a.md", "One kettle."), ("b.md", "Two."), ("sub/c.md", "Three.")]);
    json(root, &["index", "."]);
    let said = || stderr(&retune(root, &["search", "--mode", "lexical", "kettle"]));
    assert_eq!(said(), "");
    put(root, &[("a.md", "One kettle, changed."), ("sub/new.md", "Four."), ("sub/.hidden", "Five.")]);
    fs::remove_file(root.join("b.md")).unwrap();
    let note = said();
    assert!(note.contains("1 changed, 1 new, 1 gone") && note.lines().count() == 1, "{note}");
    json(root, &["index"]);
    assert_eq!(said(), "");
}

#[test]
fn a_catalogue_of_any_length_is_compared_as_far_as_there_is_time() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, &[("a.md", "One."), ("b.md", "Two.")]);
    json(root, &["index", "."]);
    let path = root.join(".retune/files.json");
    let text = fs::read_to_string(&path).unwrap();
    let more: String = (0..60_000)
        .map(|number| {
            format!("\"x/{number:0100}.md\":{{\"bytes\":1,\"modified\":1,\"changed\":1,\"sure\":true}},")
        })
        .collect();
    let text = text.replacen("\"files\":{", &format!("\"files\":{{{more}"), 1);
    assert!(text.len() > 8 << 20);
    fs::write(&path, text).unwrap();
    put(root, &[("a.md", "One, changed.")]);
    let reader = Reader::open(root.join(".retune"), options()).unwrap();
    let all = reader.changes(Duration::from_secs(600)).unwrap();
    assert_eq!((all.complete, all.compared, all.changed, all.gone), (true, 60_002, 1, 60_000));
    let none = reader.changes(Duration::ZERO).unwrap();
    assert!(!none.complete && none.compared < 100, "{none:?}");
}

#[test]
fn rules_that_nothing_fits_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, &[("a.md", "One."), ("docs/b.md", "Two."), ("env/c.md", "Three."), ("env/pyvenv.cfg", "")]);
    let warnings = |args: &[&str]| {
        let report = json(root, &[&["index"], args].concat());
        report["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(warnings(&["."]), [""; 0]);
    let said = warnings(&["--include", "dependancies,env,generated,vendor"]);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("\"dependancies\"") && said[0].contains("dependencies, build and generated"));
    assert_eq!(ids(root), ["a.md", "docs/b.md", "env/c.md"]);
    // It is kept, and said, until it is taken back.
    assert_eq!(warnings(&[]).len(), 1);
    put(root, &[("retune.toml", "include = [\"docs/**\", \"doc/**\"]\nextensions = [\"md\", \"mdown\"]\n")]);
    let said = warnings(&["--include", "none"]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("\"doc/**\"") && said[0].contains("retune.toml") && said[1].contains("\"mdown\"")
    );
    let text = stdout(&retune(root, &["index"]));
    assert!(text.contains("no file has the extension \"mdown\""), "{text}");
    put(root, &[("retune.toml", "exclude = [\"./docs\"]\n")]);
    assert!(refused(root, &["index"]).contains("which fits no path"));
}
