//! An index of a folder: made, searched, kept in step, mended.

use std::fs;
use std::path::Path;

use super::harness::{documents, has, json, refused, retune, stderr, stdout};
use crate::common;

#[test]
fn a_folder_is_indexed_searched_and_kept_in_step() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    let report = json(folder.path(), &["index", "."]);
    has(
        &report,
        &[
            "index",
            "documents",
            "chunks",
            "read",
            "unchanged",
            "chunks_encoded",
            "chunks_kept",
            "removed",
            "skipped",
            "seconds",
        ],
    );
    assert_eq!((&report["documents"], &report["read"]), (&8.into(), &8.into()));
    assert_eq!(report["skipped"].as_array().unwrap().len(), 2);

    let again = json(folder.path(), &["index", "."]);
    assert_eq!(
        (&again["read"], &again["unchanged"], &again["chunks_encoded"]),
        (&0.into(), &8.into(), &0.into())
    );

    let answer = json(folder.path(), &["search", "descaled", "kettle"]);
    has(&answer, &["query_id", "generation", "mode", "took_ms", "hits"]);
    has(&answer["took_ms"], &["encode", "lexical", "dense", "fuse", "total"]);
    has(
        &answer["hits"][0],
        &["rank", "document", "title", "passage", "start", "end", "score", "lexical", "dense"],
    );
    assert_eq!(answer["hits"][0]["document"], "kettle.md");
    let (start, end) =
        (answer["hits"][0]["start"].as_u64().unwrap(), answer["hits"][0]["end"].as_u64().unwrap());
    let file = fs::read_to_string(folder.path().join("kettle.md")).unwrap();
    assert_eq!(answer["hits"][0]["passage"], file[start as usize..end as usize]);

    fs::write(folder.path().join("kettle.md"), "# kettle\n\nThe kettle has been scrapped.\n").unwrap();
    fs::remove_file(folder.path().join("fog.md")).unwrap();
    let changed = json(folder.path(), &["index", "."]);
    assert_eq!(
        (&changed["read"], &changed["removed"], &changed["documents"]),
        (&1.into(), &1.into(), &7.into())
    );
    assert!(
        json(folder.path(), &["search", "--mode", "lexical", "vinegar"])["hits"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    let text = stdout(&retune(folder.path(), &["search", "kettle"]));
    assert!(text.contains("kettle.md") && text.contains("scrapped"), "{text}");
}

#[test]
fn an_index_can_lie_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let index = elsewhere.path().join("index");
    let index = index.to_str().unwrap();
    json(folder.path(), &["index", ".", "--index", index]);
    assert!(!folder.path().join(".retune").exists());
    assert_eq!(
        json(elsewhere.path(), &["search", "--index", index, "kettle"])["hits"][0]["document"],
        "kettle.md"
    );
    json(folder.path(), &["index", "."]);
    let dir = folder.path().to_str().unwrap();
    assert_eq!(
        json(elsewhere.path(), &["search", "--dir", dir, "kettle"])["hits"][0]["document"],
        "kettle.md"
    );
}

#[test]
fn the_index_of_a_folder_above_is_found() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    let below = folder.path().join("notes/old");
    fs::create_dir_all(&below).unwrap();
    fs::write(below.join("kettle.txt"), "Another kettle.").unwrap();
    let said = refused(&below, &["index"]);
    assert!(said.contains("retune index DIR"), "{said}");
    assert_eq!(json(folder.path(), &["index", "--dir", "."])["documents"], 9);

    assert_eq!(json(&below, &["status"])["documents"], 9);
    assert_eq!(json(folder.path(), &["status", "--dir", "notes"])["documents"], 9);
    let found = json(&below, &["search", "another kettle"]);
    assert_eq!(found["hits"][0]["document"], "notes/old/kettle.txt");
    // Without a folder, that whose index is found is brought up to date.
    fs::write(folder.path().join("new.txt"), "A new one.").unwrap();
    assert_eq!(json(&below, &["index"])["documents"], 10);
    assert_eq!(json(folder.path(), &["index", "--dir", "notes/old"])["unchanged"], 10);
    assert!(!below.join(".retune").exists());
    // The nearest counts, and a folder that is named is indexed itself.
    assert_eq!(json(&below, &["index", "."])["documents"], 1);
    assert_eq!(json(&below, &["status"])["documents"], 1);
    assert_eq!(json(folder.path(), &["status"])["documents"], 10);

    for (args, word) in [
        (&["status", "--dir", "nowhere"][..], "nowhere"),
        (&["status", "--index", "notes"], "no index in notes"),
        (&["index", "--dir", "nowhere"], "nowhere"),
    ] {
        let said = refused(folder.path(), args);
        assert!(said.contains(word), "{args:?}: {said}");
    }
}

#[test]
fn git_does_not_see_an_index() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let path = folder.path().join(".retune/.gitignore");
    assert_eq!(fs::read_to_string(&path).unwrap(), "*\n");
    // Who removes it wants to see it.
    fs::remove_file(&path).unwrap();
    json(folder.path(), &["index", "."]);
    assert!(!path.exists());
}

#[test]
fn an_index_keeps_what_it_was_made_with() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    documents(a.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let index = elsewhere.path().join("x");
    let index = index.to_str().unwrap();
    json(a.path(), &["index", ".", "--index", index, "--language", "german", "--max-tokens", "64"]);
    for (folder, args, word) in [
        (a.path(), &["index", ".", "--index", index, "--language", "english"][..], "german"),
        (a.path(), &["index", ".", "--index", index, "--max-tokens", "65"], "64"),
        (a.path(), &["demo", "--index", index], "new folder"),
    ] {
        let said = refused(folder, args);
        assert!(said.contains(word), "{args:?}: {said}");
    }
    json(a.path(), &["index", ".", "--index", index, "--language", "german"]);
    assert_eq!(json(a.path(), &["status", "--index", index])["documents"], 8);
    // The folder with the index in it may be moved.
    json(a.path(), &["index", "."]);
    let moved = b.path().join("moved");
    fs::rename(a.path(), &moved).unwrap();
    assert_eq!(json(&moved, &["index", "."])["unchanged"], 8);
}

#[test]
fn an_index_follows_several_folders() {
    let place = tempfile::tempdir().unwrap();
    let at = |path: &str| place.path().join(path);
    for (path, text) in
        [("a/one.md", "The kettle."), ("b/one.md", "The lamp."), ("b/sub/two.md", "The rope.")]
    {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), text).unwrap();
    }
    let ids = |query: &str| -> Vec<String> {
        let hits = json(place.path(), &["search", "--dir", "a", "--mode", "lexical", query])["hits"].take();
        hits.as_array().unwrap().iter().map(|hit| hit["document"].as_str().unwrap().into()).collect()
    };
    json(place.path(), &["index", "a"]);
    assert_eq!(json(place.path(), &["index", "b", "--index", "a/.retune"])["documents"], 3);
    assert_eq!((ids("kettle"), ids("rope")), (vec!["one.md".into()], vec!["b://sub/two.md".into()]));
    // All of them are brought in step, from wherever the index is found.
    fs::write(at("a/new.md"), "The fog.").unwrap();
    fs::remove_file(at("b/sub/two.md")).unwrap();
    let report = json(&at("a"), &["index"]);
    assert_eq!(
        (&report["read"], &report["removed"], &report["unchanged"]),
        (&1.into(), &1.into(), &2.into())
    );
    assert!(refused(place.path(), &["index", "b/sub", "--index", "a/.retune"]).contains("apart from"));
    // One that is not there keeps its documents.
    fs::rename(at("b"), at("c")).unwrap();
    let report = json(&at("a"), &["index"]);
    assert_eq!((&report["removed"], report["skipped"].as_array().unwrap().len()), (&0.into(), 1));
    assert_eq!(ids("lamp"), ["b://one.md"]);
    let gone = at("b");
    assert_eq!(json(&at("a"), &["index", "--forget", gone.to_str().unwrap()])["removed"], 1);
    assert_eq!(json(&at("a"), &["index"])["documents"], 2);
    // Followed together from the beginning, both have a name.
    let report = json(place.path(), &["index", "a", "c", "--index", "both"]);
    assert_eq!(report["documents"], 3);
    let found = json(place.path(), &["search", "--index", "both", "--mode", "lexical", "kettle"]);
    assert_eq!(found["hits"][0]["document"], "a://one.md");
}

#[test]
fn a_file_is_read_again_only_if_it_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let catalogue = folder.path().join(".retune/files.json");
    let counts = || {
        let report = json(folder.path(), &["index"]);
        ["read", "unchanged", "removed", "chunks_encoded"].map(|name| report[name].as_u64().unwrap())
    };
    assert_eq!(counts(), [0, 8, 0, 0]);
    // Touched, or changed and changed back: its content decides.
    let kettle = folder.path().join("kettle.md");
    let text = fs::read(&kettle).unwrap();
    fs::write(&kettle, &text).unwrap();
    assert_eq!(counts(), [0, 8, 0, 0]);
    // Of the same length, at once after the look.
    let mut other = text.clone();
    let last = other.iter().rposition(u8::is_ascii_lowercase).unwrap();
    other[last] = if other[last] == b'x' { b'y' } else { b'x' };
    fs::write(&kettle, other).unwrap();
    assert_eq!(counts()[..3], [1, 7, 0]);
    fs::remove_file(&catalogue).unwrap();
    assert_eq!(counts(), [0, 8, 0, 0]);
    common::flip(&catalogue, 50);
    let again = retune(folder.path(), &["index"]);
    assert!(stderr(&again).contains("all files are read again"), "{}", stderr(&again));
    assert!(stdout(&again).starts_with("0 files read, 8 unchanged"), "{}", stdout(&again));
    assert_eq!(counts(), [0, 8, 0, 0]);
    // What the catalogue says is believed only as far as the index has it.
    fs::remove_dir_all(folder.path().join(".retune/lexical")).unwrap();
    let again = retune(folder.path(), &["index"]);
    assert!(stdout(&again).starts_with("8 files read, 0 unchanged"), "{}", stdout(&again));
}

#[test]
fn a_damaged_index_is_mended_as_the_messages_say() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let lexical = folder.path().join(".retune/lexical");
    let mut files = fs::read_dir(&lexical).unwrap().map(|entry| entry.unwrap().path());
    let store = files.find(|path| path.extension().is_some_and(|kind| kind == "store")).unwrap();
    let mut bytes = fs::read(&store).unwrap();
    bytes[20] ^= 0x55;
    fs::write(&store, bytes).unwrap();
    let status = retune(folder.path(), &["status"]);
    let said = stdout(&status) + &stderr(&status);
    assert!(said.contains("delete") && said.contains("index the documents again"), "{said}");
    fs::remove_dir_all(&lexical).unwrap();
    let again = retune(folder.path(), &["--json", "index", "."]);
    assert!(stderr(&again).contains("begins anew"), "{}", stderr(&again));
    assert!(again.status.success());
    let status = json(folder.path(), &["status"]);
    assert_eq!(status["documents"], 8);
    assert_eq!(status["damaged_files"], serde_json::json!([]));
    assert_eq!(json(folder.path(), &["search", "descaled kettle"])["hits"][0]["document"], "kettle.md");
}

#[test]
fn hits_are_filtered_and_fused_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    fs::create_dir(folder.path().join("notes")).unwrap();
    fs::write(folder.path().join("notes/kettle.TXT"), "A kettle of another kind.").unwrap();
    json(folder.path(), &["index", "."]);
    let found = |args: &[&str]| -> Vec<String> {
        let answer = json(folder.path(), &[&["search", "kettle", "--limit", "20"], args].concat());
        let hits = answer["hits"].as_array().unwrap().iter();
        hits.map(|hit| hit["document"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(found(&[]).len(), 9);
    assert_eq!(
        found(&["--filter", r#"{"equals":{"field":"extension","value":"txt"}}"#]),
        ["notes/kettle.TXT"]
    );
    assert_eq!(found(&["--filter", r#"{"equals":{"field":"path","value":"kettle.md"}}"#]), ["kettle.md"]);
    assert_eq!(found(&["--filter", "extension=txt path=notes/*"]), ["notes/kettle.TXT"]);
    assert_eq!(found(&["--filter", "path=kettle.md or path=fog.md"]), ["kettle.md", "fog.md"]);
    assert_eq!(found(&["--filter", "not extension=md"]), ["notes/kettle.TXT"]);
    assert_eq!(found(&["--rrf"]).len(), 9);
    let unknown = refused(folder.path(), &["search", "kettle", "--filter", "extensoin=md"]);
    assert!(unknown.contains("\"extensoin\"") && unknown.contains("extension, modified, path"), "{unknown}");
    for (args, word) in [
        (["--filter", "{}"], "equals"),
        (["--filter", "extension=md)"], "')' at character 13"),
        (["--dense-weight", "7"], "0 to 1"),
        (["--limit", "0"], "--limit"),
    ] {
        let refused = retune(folder.path(), &[&["search", "kettle"][..], &args].concat());
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(word), "{args:?}: {}", stderr(&refused));
    }
}

#[test]
fn a_query_without_a_word_finds_nothing_and_is_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    for query in ["", "   ", "?"] {
        assert_eq!(json(folder.path(), &["search", query])["hits"], serde_json::json!([]), "{query:?}");
    }
    assert_eq!(json(folder.path(), &["status"])["feedback"]["impressions"], 0);
    let fields = json(folder.path(), &["search", "kettle"])["hits"][0]["fields"].clone();
    assert_eq!((&fields["extension"], &fields["path"]), (&"md".into(), &"kettle.md".into()));
    has(&fields, &["extension", "modified", "path"]);
}

#[test]
fn queries_are_forgotten_by_text_and_by_id() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let ask = |query: &str| json(folder.path(), &["search", query])["query_id"].as_str().unwrap().to_string();
    let (first, _, _) = (ask("kettle"), ask("fog horn"), ask("Fog  horn"));
    assert_eq!(json(folder.path(), &["forget", "--query", "fog horn"])["records"], 2);
    assert_eq!(json(folder.path(), &["forget", "--query-id", &first])["records"], 1);
    assert_eq!(json(folder.path(), &["status"])["feedback"]["impressions"], 0);
}

#[test]
fn a_search_renews_the_lexical_index_of_an_earlier_version() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let lexical = folder.path().join(".retune/lexical");
    fs::remove_dir_all(&lexical).unwrap();
    let earlier = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/earlier/lexical-1");
    common::copy(&earlier, &lexical);
    let answer = retune(folder.path(), &["--json", "search", "--mode", "lexical", "kx4401"]);
    assert!(stderr(&answer).contains("earlier version"), "{}", stderr(&answer));
    let answer: serde_json::Value = serde_json::from_str(&stdout(&answer)).unwrap();
    assert_eq!(answer["hits"][0]["document"], "part.md");
    assert_eq!(json(folder.path(), &["search", "kx4401"])["hits"][0]["document"], "part.md");
}
