//! The program over a cluster.

use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::common::{documents, open, tiny_model};
use crate::support::{Index, index, saying};

pub fn retune(index: &Index, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
    command.args(args).env("RETUNE_MODEL", tiny_model()).env("RETUNE_STORE", index.store());
    command.output().unwrap()
}

pub fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn migrate_and_search_print_what_they_do() {
    let Some(index) = index("program") else { return };
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("local");
    saying(&local, "anchor", 30).close().unwrap();
    let place = ["--index", local.to_str().unwrap()];
    let migrated = text(&retune(&index, &["migrate", place[0], place[1], "--shards", "2"]));
    assert!(
        migrated.contains("on the cluster: generation 1 serves") && migrated.contains("30 passages"),
        "{migrated}"
    );
    let shown = text(&retune(&index, &["search", "anchor", "number", "17", "-n", "3"]));
    assert!(shown.contains("anchor-17") && shown.contains("query "), "{shown}");
    let json = |args: &[&str]| {
        let mut answer: Json = serde_json::from_str(&text(&retune(&index, args))).unwrap();
        for changing in ["took_ms", "query_id", "logged"] {
            answer.as_object_mut().unwrap().remove(changing);
        }
        let scores = answer["hits"].as_array_mut().unwrap().iter_mut().flat_map(|hit| {
            hit.as_object_mut()
                .unwrap()
                .iter_mut()
                .filter(|(name, _)| ["score", "lexical", "dense"].contains(&name.as_str()))
        });
        scores.for_each(|(_, score)| *score = Json::from((score.as_f64().unwrap() * 1e3).round()));
        answer
    };
    let query = ["--json", "search", "anchor", "17"];
    let (far, near) = (json(&query), json(&[&query[..], &place[..]].concat()));
    assert_eq!(far, near);
    let status = text(&retune(&index, &["status"]));
    assert!(status.contains("30 documents, 30 chunks") && status.contains("3 nodes"), "{status}");
    let counted = ["--json", "search", "anch* \"number 17\" -path:docs", "--facets", "extension"];
    assert_eq!(json(&counted), json(&[&counted[..], &place[..]].concat()));
    assert_eq!(json(&counted)["total"], 1);
    let shown = text(&retune(&index, &["search", "anchor", "--facets", "extension"]));
    assert!(shown.contains("30 documents"), "{shown}");
    let nobody = retune(&index, &["search", "anchor", "--store", "http://127.0.0.1:9/x"]);
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(said.contains("could not") && said.contains("http://127.0.0.1:9"), "{said}");
}

#[test]
fn documents_are_listed_and_read_as_those_of_a_folder() {
    let Some(index) = index("papers") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("gate.md", "# Sea gate\n\nThe mitre gap is measured at low water.\n"),
        ("pump.txt", "Prime the pump before it is started.\nThen open the valve.\n"),
        ("log.csv", "day,level\nMonday,3\nTuesday,4\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let dir = folder.path().to_str().unwrap();
    text(&retune(&index, &["index", dir]));
    text(&retune(&index, &["migrate", dir]));
    let here = ["--dir", dir];
    for args in [
        &["files"][..],
        &["--json", "files"],
        &["files", "--filter", "extension=md"],
        &["files", "--filter", "extension=none"],
        &["get", "pump.txt"],
        &["get", "pump.txt:2"],
        &["get", "pump.txt:1:1"],
        &["get", "log.csv#row=2"],
        &["--json", "get", "log.csv#row=2"],
    ] {
        let (far, near) = (retune(&index, args), retune(&index, &[args, &here].concat()));
        assert_eq!(text(&far), text(&near), "{args:?}");
    }
    let listed = text(&retune(&index, &["files", "--filter", "extension=md"]));
    assert!(listed.starts_with("gate.md\t1\t1\t2") && listed.lines().count() == 1, "{listed}");
    assert_eq!(text(&retune(&index, &["get", "pump.txt:2"])), "Then open the valve.\n");
    for (args, expected) in [
        (&["get", "pumps.txt"][..], "retune files"),
        (&["get", "pump.txt:9"], "it has 2 lines"),
        (&["files", "--filter", "depth=3"], "depth"),
    ] {
        let output = retune(&index, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected), "{args:?}: {said}");
    }
    // What was skipped is known where the index was made.
    let store = index.store();
    assert_eq!(retune(&index, &["files", "--skipped", "--store", &store]).status.code(), Some(2));
    assert_eq!(text(&retune(&index, &[&["files", "--skipped"], &here[..]].concat())), "");
}

#[test]
fn what_is_searched_and_judged_on_the_cluster_is_imported_learnt_from_and_forgotten() {
    let Some(index) = index("desk") else { return };
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("index");
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    engine.close().unwrap();
    let place = ["--index", local.to_str().unwrap()];
    let store = index.store();
    text(&retune(&index, &[&["migrate"], &place[..]].concat()));
    let mut ids = Vec::new();
    for document in documents() {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        for asked in [words[..5].join(" "), words[words.len() - 5..].join(" ")] {
            let answer: Json = from(&retune(&index, &["--json", "search", "--plain", &asked]));
            assert_eq!(answer["logged"], true);
            let id = answer["query_id"].as_str().unwrap().to_string();
            let said = text(&retune(&index, &["judge", &id[..13], &document.id, "--chosen"]));
            assert!(said.contains(&id) && said.contains(&document.id), "{said}");
            ids.push(id);
        }
    }
    let last = retune(&index, &["judge", "last", "1", "--chosen"]);
    let said = String::from_utf8_lossy(&last.stderr).into_owned();
    assert!(!last.status.success() && said.contains("its id"), "{said}");
    let import = |args: &[&str]| -> Json {
        from(&retune(&index, &[&["--json", "feedback", "import", "--store", &store], args].concat()))
    };
    let report = import(&place);
    assert_eq!((&report["queries"], &report["judgements"]), (&16.into(), &16.into()));
    let round: Json = from(&retune(&index, &[&["--json", "learn", "--dry-run"], &place[..]].concat()));
    let held_out = round["held_out"].as_u64().unwrap();
    assert!(held_out > 0 && round["evidence"]["queries"].as_u64().unwrap() + held_out == 16, "{round}");
    for place in [&[][..], &place] {
        let args = [&["--json", "forget", "--query-id", &ids[0][..13]], place].concat();
        assert_eq!(from(&retune(&index, &args))["records"], 2);
    }
    let again = import(&place);
    assert_eq!((&again["queries"], &again["known_queries"]), (&0.into(), &15.into()));
    let both = retune(&index, &[&["feedback", "import", "file", "--store", &store], &place[..]].concat());
    assert_eq!(both.status.code(), Some(2));
}

fn from(output: &Output) -> Json {
    serde_json::from_str(&text(output)).unwrap()
}
