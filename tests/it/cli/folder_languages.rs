//! Folders with a language and a length of passages of their own.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::harness::{json, refused};
use crate::common::{ids, open, options};
use retune::{Document, Engine, Language, Mode, Query, Reader};

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn found(engine: &Reader, typed: &str) -> Vec<String> {
    let mut found = ids(engine, &Query::parse(typed).with_mode(Mode::Lexical));
    found.sort();
    found
}

#[test]
fn each_folder_may_have_a_language() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(&root.join("notes/a.md"), "# Houses\n\nThe old houses burnt.\n");
    put(&root.join("notizen/b.md"), "# Häuser\n\nDie alten Häuser brannten.\n");
    put(&root.join("notizen/retune.toml"), "exclude = [\"retune.toml\"]\nlanguage = \"german\"\n");
    json(root, &["index", "notes", "notizen"]);
    let index = root.join("notes/.retune");
    let german = Reader::open(&index, options()).unwrap();
    assert_eq!(found(&german, "house"), ["notes://a.md"]);
    assert_eq!(found(&german, "Haus"), ["notizen://b.md"], "by its stem");
    assert_eq!(found(&german, "title:haus"), ["notizen://b.md"]);
    assert_eq!(found(&german, "häuser -alt"), [""; 0]);
    let marked = german.search(&Query::new("das alte Haus").with_mode(Mode::Lexical)).unwrap();
    let words: Vec<&str> =
        marked.hits[0].highlights.iter().map(|word| &marked.hits[0].passage[word.clone()]).collect();
    assert_eq!(words, ["Häuser", "alten", "Häuser"]);
    // Another language: the file is read again, and not encoded again.
    put(&root.join("notizen/retune.toml"), "exclude = [\"retune.toml\"]\nlanguage = \"none\"\n");
    let report = json(root, &["index", "--index", "notes/.retune"]);
    assert_eq!((&report["read"], &report["chunks_encoded"]), (&1.into(), &0.into()));
    german.refresh().unwrap();
    assert_eq!(found(&german, "Haus"), [""; 0]);
    assert_eq!(found(&german, "häuser"), ["notizen://b.md"]);
    // The index's own configuration holds for the folders that say nothing.
    put(&index.join("retune.toml"), "language = \"german\"\n");
    fs::remove_file(root.join("notizen/retune.toml")).unwrap();
    json(root, &["index", "--index", "notes/.retune"]);
    german.refresh().unwrap();
    assert_eq!(found(&german, "Haus"), ["notizen://b.md"]);
}

#[test]
fn each_folder_may_have_its_length_of_passages() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(&root.join("a.md"), &"The kettle is descaled with vinegar every second Monday.\n\n".repeat(8));
    json(root, &["index", "."]);
    let passages = || {
        Reader::open(root.join(".retune"), options()).unwrap().get("a.md").unwrap().unwrap().passages.len()
    };
    let whole = passages();
    put(&root.join("retune.toml"), "max_tokens = 16\n");
    json(root, &["index"]);
    let short = passages();
    assert!(short > whole, "{short} {whole}");
    put(&root.join("retune.toml"), "max_tokens = 9999\n");
    let said = refused(root, &["index"]);
    assert!(
        said.contains("retune.toml with max_tokens = 9999") && said.contains("the encoder reads"),
        "{said}"
    );
    put(&root.join("retune.toml"), "language = \"klingon\"\n");
    let said = refused(root, &["index"]);
    assert!(said.contains("klingon") && said.contains("german") && said.contains("retune.toml"), "{said}");
    assert_eq!(passages(), short, "nothing was changed");
}

#[test]
fn an_application_names_the_language_of_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let german = Document::new("de", "Die alten Häuser brannten.").with_language(Language::German);
    engine.add(vec![german.clone(), Document::new("en", "The old houses burnt.")]).unwrap();
    assert_eq!((found(&engine, "Haus"), found(&engine, "house")), (vec!["de".into()], vec!["en".into()]));
    assert_eq!(engine.add(vec![german]).unwrap().unchanged, 1);
    // In another language it is another document.
    let plain = Document::new("de", "Die alten Häuser brannten.");
    let report = engine.add(vec![plain]).unwrap();
    assert_eq!((report.documents, report.chunks_encoded), (1, 0));
    assert_eq!(found(&engine, "Haus"), [""; 0]);
    engine.close().unwrap();
}

#[test]
fn the_languages_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("files/a.md"), "Die alten Häuser brannten.");
    put(&folder.path().join("files/retune.toml"), "language = \"german\"\n");
    let engine = open(folder.path());
    engine.index_folder(&folder.path().join("files"), &mut |_| ControlFlow::Continue(())).unwrap();
    engine.close().unwrap();
    let engine = Engine::open(folder.path().join("index"), options()).unwrap();
    assert_eq!(found(&engine, "Haus"), ["a.md"]);
    let field = engine.get("a.md").unwrap().unwrap().fields;
    assert!(field.keys().all(|name| !name.starts_with("retune.")), "{field:?}");
}
