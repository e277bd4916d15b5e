//! The program, as a user runs it.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the program in `folder` with the tiny model.
fn retune(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_retune"))
        .args(args)
        .current_dir(folder)
        .env("RETUNE_MODEL", common::tiny_model())
        .env_remove("RETUNE_LOG")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The JSON object that a successful run prints, and nothing else on either stream.
fn json(folder: &Path, args: &[&str]) -> Value {
    let output = retune(folder, &[&["--json"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    assert_eq!(stderr(&output), "", "{args:?}");
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "{field} is not among {:?}", keys(value));
    }
}

/// A folder with a few documents.
fn documents(folder: &Path) {
    for document in common::documents() {
        fs::write(
            folder.join(format!("{}.md", document.id)),
            format!("# {}\n\n{}\n", document.id, document.text),
        )
        .unwrap();
    }
    fs::write(folder.join("picture.png"), b"\x89PNG\0\0\0").unwrap();
    fs::write(folder.join("empty.txt"), b"").unwrap();
}

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
fn the_loop_closes_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    for document in common::documents() {
        for part in document.text.split_inclusive(' ').collect::<Vec<_>>().chunks(3).take(4) {
            let query = part.concat();
            let answer = json(folder.path(), &["search", &query]);
            let id = answer["query_id"].as_str().unwrap().to_string();
            let judged = json(folder.path(), &["judge", &id, &format!("{}.md", document.id), "--chosen"]);
            assert_eq!(judged["verdict"], "chosen");
        }
    }
    let round = json(folder.path(), &["learn", "--learning-rate", "1e-5", "--batch-size", "4"]);
    has(&round, &["round", "examples", "held_out", "sources", "loss", "gate", "generation", "seconds"]);
    has(&round["gate"], &["before", "after", "decision", "reason"]);
    assert_eq!(round["gate"]["decision"], "published", "{}", round["gate"]["reason"]);
    assert_eq!(json(folder.path(), &["search", "kettle"])["generation"], 2);

    let status = json(folder.path(), &["status"]);
    has(
        &status,
        &[
            "documents",
            "chunks",
            "generation",
            "kept_generations",
            "feedback",
            "last_round",
            "learning",
            "bytes",
        ],
    );
    assert_eq!(
        (&status["feedback"]["judgements"], &status["kept_generations"]),
        (&32.into(), &Value::from(vec![1]))
    );
    assert_eq!(json(folder.path(), &["rollback"])["generation"], 1);
    let forgotten = json(folder.path(), &["forget", "--document", "kettle.md"]);
    assert!(forgotten["records"].as_u64().unwrap() >= 4);
    assert_eq!(json(folder.path(), &["status"])["feedback"]["judgements"], 28);
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
fn a_collection_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let (mut corpus, mut queries, mut qrels) =
        (String::new(), String::new(), "query-id\tcorpus-id\tscore\n".to_string());
    for document in common::documents() {
        let words: Vec<&str> = document.text.split(' ').take(4).collect();
        corpus +=
            &format!("{}\n", serde_json::json!({"_id": document.id, "title": "", "text": document.text}));
        queries += &format!(
            "{}\n",
            serde_json::json!({"_id": format!("q-{}", document.id), "text": words.join(" ")})
        );
        qrels += &format!("q-{}\t{}\t1\n", document.id, document.id);
    }
    fs::create_dir(folder.path().join("qrels")).unwrap();
    fs::write(folder.path().join("corpus.jsonl"), corpus).unwrap();
    fs::write(folder.path().join("queries.jsonl"), queries).unwrap();
    fs::write(folder.path().join("qrels/test.tsv"), qrels).unwrap();
    let report = json(folder.path(), &["eval", "--collection", "."]);
    has(&report, &["collection", "split", "documents", "queries", "modes", "encode", "query_ms"]);
    assert_eq!(
        (&report["documents"], &report["queries"], &report["encode"]["documents"]),
        (&8.into(), &8.into(), &8.into())
    );
    for mode in ["lexical", "dense", "hybrid"] {
        has(&report["modes"][mode], &["ndcg@10", "mrr@10", "map", "recall@100"]);
    }
    assert_eq!(report["modes"]["lexical"]["mrr@10"], 1.0);
    assert_eq!(report["modes"]["dense"]["recall@100"], 1.0);
    assert_eq!(json(folder.path(), &["eval", "--collection", ".", "--limit", "3"])["queries"], 3);
    let missing = retune(folder.path(), &["eval", "--collection", ".", "--split", "dev"]);
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn errors_are_one_line_with_what_to_do_and_have_their_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    for (args, code, word) in [
        (&["search", "x"][..], 1, "retune index DIR"),
        (&["index", "no such folder"], 1, "no such folder"),
        (&["judge", "not an id", "x", "--chosen"], 2, "16 hexadecimal digits"),
        (&["judge", "0123456789abcdef", "x"], 2, "--chosen"),
        (&["forget"], 2, "--query"),
        (&["frobnicate"], 2, "frobnicate"),
        (&["eval", "--collection", "."], 1, "corpus.jsonl"),
        (&["index", ".", "--max-tokens", "1"], 1, "max_tokens"),
    ] {
        let output = retune(folder.path(), args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
        if code == 1 {
            assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        }
    }
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let unknown = retune(folder.path(), &["judge", "0123456789abcdef", "kettle.md", "--chosen"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("0123456789abcdef"), "{}", stderr(&unknown));
    let dense = retune(folder.path(), &["search", "x", "--dense-weight", "7"]);
    assert!(stderr(&dense).contains("0 to 1"), "{}", stderr(&dense));
}

#[test]
fn searching_beside_a_writer_answers_and_says_that_it_is_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let writer = retune::Engine::open(folder.path().join(".retune"), common::options()).unwrap();
    let output = retune(folder.path(), &["search", "descaled", "kettle"]);
    assert!(output.status.success());
    assert!(stdout(&output).contains("kettle.md"));
    assert!(stderr(&output).contains("not logged"), "{}", stderr(&output));
    let refused = retune(folder.path(), &["index", "."]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("open for writing"), "{}", stderr(&refused));
    drop(writer);
}
