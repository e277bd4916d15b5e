//! Searching as people do: operators, pages, places, opening what was found.

use std::fs;
use std::path::Path;

use super::harness::{json, retune, retune_with, stderr, stdout};

/// Texts in two folders, and an index of them.
fn library(folder: &Path) {
    fs::create_dir_all(folder.join("guides/old")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("guides/lock.md", "# Locks\n\nTo open the gate, turn the windlass slowly.\n");
    write("guides/old/gate.md", "# Gates\n\nThe windlass opens a gate. Open it, the gate is heavy.\n");
    write("guides/sluice.txt", "A sluice has no windlass.\nIts paddle is raised by C++ code.\n");
    write("diary.txt", "\n\nYesterday the windlass froze; the gatekeeper's sluicing stopped.\n");
    json(folder, &["index", "."]);
}

/// The documents that a search by words finds, in the order of their names.
fn found(folder: &Path, query: &str) -> Vec<String> {
    let answer = json(folder, &["search", "--mode", "lexical", query]);
    let mut names: Vec<String> = answer["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["document"].as_str().unwrap().into())
        .collect();
    names.sort();
    names
}

#[test]
fn operators_restrict_what_words_find() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let (diary, lock, gate, sluice) =
        ("diary.txt", "guides/lock.md", "guides/old/gate.md", "guides/sluice.txt");
    for (query, documents) in [
        ("windlass", vec![diary, lock, gate, sluice]),
        (r#"windlass "open the gate""#, vec![lock]),
        ("windlass -gate", vec![diary, sluice]),
        (r#"windlass -"open the gate""#, vec![diary, gate, sluice]),
        ("windlass sluic*", vec![diary, sluice]),
        ("windlass gatek*", vec![diary]),
        ("windlass title:gates", vec![gate]),
        ("windlass path:guides", vec![lock, gate, sluice]),
        ("windlass path:old/", vec![gate]),
        ("windlass -path:guides", vec![diary]),
        ("windlass ext:md", vec![lock, gate]),
        ("windlass ext:md,txt path:guides -gate", vec![sluice]),
        ("windlass after:2020", vec![diary, lock, gate, sluice]),
        ("windlass before:2020-06-01", vec![]),
        ("windlass -before:2020-06", vec![diary, lock, gate, sluice]),
        // No operators.
        ("C++", vec![sluice]),
        ("paddle -5 title: ext:", vec![sluice]),
        ("gatekeeper's \"", vec![diary]),
    ] {
        assert_eq!(found(folder.path(), query), documents, "{query}");
    }
    // Vectors are restricted too.
    let dense = json(folder.path(), &["search", "--mode", "dense", "windlass ext:md -title:gates"]);
    assert_eq!(dense["hits"].as_array().unwrap().len(), 1, "{dense}");
    let plain = json(folder.path(), &["search", "--plain", "--mode", "lexical", "windlass -gate"]);
    assert_eq!(plain["hits"].as_array().unwrap().len(), 4, "{plain}");
    let nothing = retune(folder.path(), &["search", r#"windlass "gate the open""#]);
    assert!(stdout(&nothing).contains("nothing found\nsome of it was read as operators"), "{nothing:?}");
}

#[test]
fn the_log_has_what_was_typed_and_forgets_it() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let typed = r#"windlass "open the gate""#;
    json(folder.path(), &["search", typed]);
    let judged = json(folder.path(), &["judge", "last", "1", "--chosen"]);
    assert_eq!(
        (judged["query"].as_str(), judged["document"].as_str()),
        (Some(typed), Some("guides/lock.md"))
    );
    assert_eq!(json(folder.path(), &["forget", "--query", typed])["records"], 2);
}

#[test]
fn later_pages_belong_to_the_query_that_was_answered_last() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let page = |offset: &str| {
        json(folder.path(), &["search", "-n", "2", "--offset", offset, "--mode", "lexical", "windlass"])
    };
    let (first, second) = (page("0"), page("2"));
    assert_eq!(first["query_id"], second["query_id"]);
    let ranks = |answer: &serde_json::Value| -> Vec<u64> {
        answer["hits"].as_array().unwrap().iter().map(|hit| hit["rank"].as_u64().unwrap()).collect()
    };
    assert_eq!((ranks(&first), ranks(&second)), (vec![1, 2], vec![3, 4]));
    let least = first["hits"][0]["score"].to_string();
    let best = json(folder.path(), &["search", "--mode", "lexical", "--min-score", &least, "windlass"]);
    assert_eq!(ranks(&best), [1]);
    let counted = stdout(&retune(
        folder.path(),
        &["search", "--mode", "lexical", "--facets", "extension", "-n", "1", "windlass"],
    ));
    assert!(counted.ends_with("\n\n4 documents\nextension: md 2 · txt 2\n"), "{counted}");
}

#[test]
fn places_are_in_every_form_of_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let answer = json(folder.path(), &["search", "--mode", "lexical", "gatekeeper"]);
    assert_eq!(answer["hits"][0]["place"], serde_json::json!({"line": 3, "column": 1}));
    // As it was indexed.
    fs::remove_file(folder.path().join("diary.txt")).unwrap();
    let text = stdout(&retune(folder.path(), &["search", "--mode", "lexical", "gatekeeper"]));
    assert!(text.contains(" 1. diary.txt:3  score"), "{text}");
}

#[test]
fn names_are_links_where_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let linked = |when: &str, env: &[(&str, &str)]| {
        let args = ["search", "--mode", "lexical", "--hyperlink", when, "paddle"];
        stdout(&retune_with(folder.path(), &args, env))
    };
    let path = folder.path().canonicalize().unwrap().join("guides/sluice.txt");
    let text = linked("always", &[("CLICOLOR_FORCE", "1")]);
    let (_, link) = text.split_once("\x1b]8;;file://").unwrap();
    let (url, shown) = link.split_once("\x1b\\").unwrap();
    assert!(url.ends_with(path.to_str().unwrap()), "{url}");
    assert!(shown.contains("guides/sluice.txt:1") && shown.contains("\x1b]8;;\x1b\\"), "{shown:?}");
    for (when, env) in [("auto", &[("CLICOLOR_FORCE", "1")][..]), ("never", &[]), ("always", &[])] {
        assert!(!linked(when, env).contains("\x1b]8"), "{when}");
    }
    assert!(!linked("always", &[("CLICOLOR_FORCE", "0")]).contains('\x1b'));
}

#[cfg(unix)]
#[test]
fn what_was_found_opens_in_the_editor_at_its_line_and_counts_as_chosen() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    library(folder.path());
    let editor = folder.path().join("vim");
    fs::write(&editor, "#!/bin/sh\nprintf '%s|' \"$@\" > opened\n").unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let editor = format!("'{}' -R", editor.display());
    let open = |args: &[&str]| {
        let args = [&["search", "--mode", "lexical", "gatekeeper"], args].concat();
        let output = retune_with(folder.path(), &args, &[("VISUAL", &editor), ("EDITOR", "false")]);
        assert!(output.status.success(), "{}", stderr(&output));
        fs::read_to_string(folder.path().join("opened")).unwrap()
    };
    let diary = folder.path().canonicalize().unwrap().join("diary.txt");
    let judgements = || json(folder.path(), &["status"])["feedback"]["judgements"].as_u64().unwrap();
    assert_eq!(open(&["--open"]), format!("-R|+3|{}|", diary.display()));
    assert_eq!(judgements(), 0, "nobody looked at the list");
    assert_eq!(open(&["--open=1"]), format!("-R|+3|{}|", diary.display()));
    assert_eq!(judgements(), 1);
    let said = retune(folder.path(), &["search", "--mode", "lexical", "gatekeeper", "--open=7"]);
    assert!(stderr(&said).contains("rank"), "{}", stderr(&said));
    fs::remove_file(&diary).unwrap();
    let args = ["search", "--mode", "lexical", "gatekeeper", "--open"];
    let said = retune_with(folder.path(), &args, &[("EDITOR", "vi")]);
    assert_eq!(said.status.code(), Some(1));
    assert!(stderr(&said).contains("diary.txt"), "{}", stderr(&said));
}
