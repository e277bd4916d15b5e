//! `feedback export | import` and `model export`.

use std::fs;
use std::path::Path;

use super::harness::{documents, has, json, refused, retune, stderr, stdout};

/// A folder whose index has answered a query that was judged.
fn asked(folder: &Path) {
    documents(folder);
    json(folder, &["index", "."]);
    let answer = json(folder, &["search", "descaled kettle"]);
    let id = answer["query_id"].as_str().unwrap().to_string();
    json(folder, &["judge", &id, "kettle.md", "--opened"]);
    json(folder, &["judge", &id, "kettle.md", "--chosen"]);
}

#[test]
fn a_log_goes_from_one_index_to_another() {
    let [from, into] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    asked(from.path());
    documents(into.path());
    json(into.path(), &["index", "."]);
    for (format, lines) in [("ubi", 3), ("trec-session", 1)] {
        let printed = retune(from.path(), &["feedback", "export", "--format", format]);
        assert!(printed.status.success(), "{}", stderr(&printed));
        assert_eq!(stdout(&printed).lines().count(), lines);
        let file = into.path().join(format!("{format}.jsonl"));
        let report =
            json(from.path(), &["feedback", "export", "--format", format, "-o", file.to_str().unwrap()]);
        assert_eq!((&report["queries"], &report["judgements"]), (&1.into(), &2.into()));
        assert_eq!(fs::read_to_string(&file).unwrap(), stdout(&printed));
    }
    let report = json(into.path(), &["feedback", "import", "ubi.jsonl"]);
    has(&report, &["queries", "judgements", "known_queries", "other_actions", "missing_documents"]);
    assert_eq!((&report["queries"], &report["judgements"]), (&1.into(), &2.into()));
    let again = retune(into.path(), &["feedback", "import", "ubi.jsonl", "trec-session.jsonl"]);
    assert_eq!(
        stdout(&again),
        "imported 0 queries and 0 judgements\nknown already: 2 queries and 4 judgements\n"
    );
    assert_eq!(
        stdout(&retune(into.path(), &["feedback", "export"])),
        fs::read_to_string(into.path().join("ubi.jsonl")).unwrap()
    );
}

#[test]
fn what_is_passed_over_is_said_and_a_bad_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let query =
        r#"{"query_id":"q","user_query":"lamp","timestamp":1,"query_response_hit_ids":["lamp.md","x"]}"#;
    let event = |action: &str, document: &str| {
        format!(r#"{{"action_name":"{action}","query_id":"q","timestamp":2,"#)
            + &format!(r#""event_attributes":{{"object":{{"object_id":"{document}"}}}}}}"#)
    };
    let lines = [query.to_string(), event("hover", "x"), event("like", "lamp.md")].join("\n");
    fs::write(folder.path().join("clicks.jsonl"), lines).unwrap();
    let done = retune(folder.path(), &["feedback", "import", "clicks.jsonl", "--action", "like=relevant"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let said = stdout(&done);
    assert_eq!(said.lines().next().unwrap(), "imported 1 query and 1 judgement");
    assert!(
        said.contains("hover (1)") && said.contains("1 of 2 documents are not in the index: x\n"),
        "{said}"
    );

    fs::write(folder.path().join("bad.jsonl"), format!("{query}\nnot JSON\n")).unwrap();
    let said = refused(folder.path(), &["feedback", "import", "clicks.jsonl", "bad.jsonl"]);
    assert!(said.contains("bad.jsonl:2: expected"), "{said}");
    for (args, word) in [
        (&["feedback", "import", "x", "--action", "like"][..], "verdict"),
        (&["feedback", "import", "x", "--action", "like=great"], "not-relevant"),
        (&["feedback", "export", "--format", "csv"], "trec-session"),
        (&["feedback", "import"], "FILE"),
    ] {
        let output = retune(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(word), "{args:?}: {}", stderr(&output));
    }
    let said = refused(folder.path(), &["feedback", "export", "-o", "none/log.jsonl"]);
    assert!(said.contains("folder that exists"), "{said}");
}

#[test]
fn an_index_that_has_not_learnt_exports_the_model_that_it_was_made_with() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let exported = json(folder.path(), &["model", "export", "out/model"]);
    has(&exported, &["folder", "generation", "weights"]);
    assert_eq!((&exported["generation"], &exported["trained"]), (&1.into(), &false.into()));
    assert!(folder.path().join("out/model/README.md").is_file());
    let said = refused(folder.path(), &["model", "export", "out/model"]);
    assert!(said.contains("not empty"), "{said}");
    let said = refused(folder.path(), &["model", "export", "other", "--generation", "5"]);
    assert!(said.contains("no generation 5"), "{said}");
    let index = retune(folder.path(), &["--json", "status", "--model", "out/model"]);
    assert!(index.status.success(), "{}", stderr(&index));
}
