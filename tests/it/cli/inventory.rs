//! What an index holds: texts of documents, lists of them, what became of a file.

use std::fs;
use std::path::Path;

use super::harness::{json, refused, retune, stderr, stdout};

fn library(folder: &Path) {
    fs::create_dir_all(folder.join("node_modules/left")).unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.join(name), text).unwrap();
    write(
        "lock.md",
        b"# Locks\n\nTo open the gate, turn the windlass.\n\n## Sluices\n\n\tRaise the paddle.\n",
    );
    write("page.html", b"<h1>Buoys</h1><p>A buoy &amp; its chain</p>");
    write("blank.txt", b" \n");
    write("node_modules/left/pad.js", b"module.exports = 1");
    json(folder, &["index", "."]);
}

#[test]
fn get_gives_texts_lines_and_places() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let get = |document: &str| {
        let output = retune(folder.path(), &["get", document]);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let file = fs::read_to_string(folder.path().join("lock.md")).unwrap();
    assert_eq!(get("lock.md"), file, "the file's own bytes, tabs too");
    assert_eq!(get("./lock.md"), file);
    assert_eq!(get(folder.path().join("lock.md").to_str().unwrap()), file);
    assert_eq!(get("lock.md:7"), "\tRaise the paddle.\n");
    assert_eq!(get("lock.md:3:2"), "To open the gate, turn the windlass.\n\n");
    assert!(get("page.html").ends_with("A buoy & its chain\n"), "what was extracted: {}", get("page.html"));
    // A file that has changed no longer has the passages: those of the index are shown.
    fs::write(folder.path().join("lock.md"), "Something else.").unwrap();
    assert!(get("lock.md").contains("turn the windlass"), "{}", get("lock.md"));
    let document = json(folder.path(), &["get", "lock.md:1:1"]);
    assert_eq!((document["id"].as_str(), document["text"].as_str()), (Some("lock.md"), Some("# Locks\n")));
    assert_eq!(document["passages"][0]["place"]["line"], 1);
    for (wrong, words) in [
        ("no.md", vec!["no.md", "retune files"]),
        ("lock.md:99", vec!["line 99", "lock.md", "it has "]),
        ("lock.md#page=3", vec!["page 3", "nothing in it has a page"]),
    ] {
        let said = refused(folder.path(), &["get", wrong]);
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

#[test]
fn files_lists_documents_for_programs_and_what_was_skipped() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let list = |args: &[&str]| stdout(&retune(folder.path(), &[&["files"], args].concat()));
    let all = list(&[]);
    let fields: Vec<Vec<&str>> = all.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(fields.iter().map(|one| one[0]).collect::<Vec<_>>(), ["lock.md", "page.html"]);
    assert!(fields.iter().all(|one| one.len() == 4 && one[1] == one[2] && one[3].ends_with('Z')), "{all}");
    assert_eq!(list(&["--filter", "extension=html"]).lines().count(), 1);
    let skipped = list(&["--skipped"]);
    assert!(skipped.contains("blank.txt\thas no text\n"), "{skipped}");
    assert!(skipped.contains("node_modules\tis left out"), "{skipped}");
    let documents = json(folder.path(), &["files"]);
    assert_eq!(documents["documents"][0]["document"], "lock.md");
    assert_eq!(documents["documents"][0]["passages"], documents["documents"][0]["encoded"]);
}

#[test]
fn status_of_a_file_says_how_it_was_cut_or_why_it_was_not() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let status = |file: &str| {
        let output = retune(folder.path(), &["status", file]);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let text = status("lock.md");
    assert!(
        text.starts_with("lock.md: ") && text.contains("indexed: 1 passage, all with vectors\n"),
        "{text}"
    );
    assert!(text.contains("  line 1: Locks"), "{text}");
    assert!(status("blank.txt").contains("skipped: blank.txt has no text"), "{}", status("blank.txt"));
    let left = status("node_modules/left/pad.js");
    assert!(left.contains("not indexed") && left.contains("`--include dependencies`"), "{left}");
    let report = json(folder.path(), &["status", "lock.md"]);
    assert_eq!(report["coverage"]["chunks"], report["cut"][0]["passages"].as_array().unwrap().len());
    assert!(refused(folder.path(), &["status", "new.md"]).contains("retune index"));
}
