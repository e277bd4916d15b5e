//! An index of a folder, measured by judged stretches of its files.

use std::fs;
use std::path::Path;

use retune::Digest;
use serde_json::json as object;

use super::harness::{add_line, documents, has, json, refused, retune, stderr, stdout};
use crate::common;

const EVAL: [&str; 7] =
    ["eval", "--folder", "docs", "--queries", "queries.jsonl", "--passages", "passages.jsonl"];

/// Two sections that share no word; each is a passage of its own.
const MANUAL: &str = "# Sluices\n\nTo open a sluice turn its windlass slowly until water runs calmly below.\n\n\
                      # Eels\n\nAn eel ladder needs bristles, moss, and constant trickling from pipes above.\n";

/// A judgement of the stretch of a file that `text` is, as a line.
fn judgement(folder: &Path, query: &str, path: &str, text: &str) -> String {
    let file = fs::read_to_string(folder.join("docs").join(path)).unwrap();
    let start = file.find(text).unwrap();
    let digest = Digest::of(text.as_bytes()).to_string();
    let line = object!({
        "query": query, "path": path, "start": start, "end": start + text.len(), "grade": 2, "digest": digest[..16]
    });
    format!("{line}\n")
}

/// A folder `docs` with its index, and questions about it of which three are judged.
fn judged(folder: &Path) {
    let docs = folder.join("docs");
    fs::create_dir(&docs).unwrap();
    documents(&docs);
    fs::write(docs.join("manual.md"), MANUAL).unwrap();
    json(folder, &["index", "docs", "--max-tokens", "40"]);
    let mut queries = String::new();
    for (id, text) in [
        ("kettle", "descaled kettle"),
        ("sluice", "open a sluice"),
        ("eel", "open a sluice"),
        ("nobody judged this", "fog"),
    ] {
        add_line(&mut queries, &[("_id", id), ("text", text)]);
    }
    fs::write(folder.join("queries.jsonl"), queries).unwrap();
    let passages = [
        judgement(folder, "kettle", "kettle.md", "descaled with vinegar every second Monday"),
        judgement(folder, "sluice", "manual.md", "turn its windlass slowly until water runs calmly below"),
        // In the right file, but the passage that is shown of it is the other one.
        judgement(folder, "eel", "manual.md", "needs bristles, moss, and constant trickling"),
    ];
    fs::write(folder.join("passages.jsonl"), passages.concat()).unwrap();
}

#[test]
fn a_folder_is_measured_by_the_passages_that_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    let report = json(folder.path(), &[&EVAL[..], &["--per-query"]].concat());
    has(&report, &["folder", "documents", "chunks", "queries", "modes", "intervals", "per_query"]);
    assert_eq!(
        (&report["folder"], &report["documents"], &report["queries"]),
        (&"docs".into(), &9.into(), &3.into())
    );
    assert_eq!(report["chunks"], json(folder.path(), &["status", "--dir", "docs"])["chunks"]);
    for mode in ["lexical", "dense", "hybrid"] {
        has(&report["modes"][mode], &["ndcg@10", "mrr@10", "success@3", "recall@10"]);
        has(&report["intervals"][mode]["ndcg@10"], &["low", "high"]);
        assert_eq!(report["per_query"][mode].as_object().unwrap().len(), 3);
    }
    let lexical = &report["per_query"]["lexical"];
    for (query, value) in [("kettle", 1.0), ("sluice", 1.0), ("eel", 0.0)] {
        assert_eq!(lexical[query]["mrr@10"], value, "{query}");
    }
    assert_eq!(report["modes"]["lexical"]["success@3"], 2.0 / 3.0);
    let impressions = json(folder.path(), &["status", "--dir", "docs"])["feedback"]["impressions"].clone();
    assert_eq!(impressions, 0, "nothing is logged");

    let asked = json(folder.path(), &[&EVAL[..], &["--metrics", "precision@1"]].concat());
    assert_eq!(asked["modes"]["lexical"], object!({"precision@1": 2.0 / 3.0}));
    assert!(asked.get("per_query").is_none());
    let said = refused(folder.path(), &[&EVAL[..], &["--report", "none/page.html"]].concat());
    assert!(said.contains("none/page.html"), "{said}");
    let drawn = json(folder.path(), &[&EVAL[..], &["--per-query", "--report", "page.html"]].concat());
    assert_eq!(drawn, report);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert_eq!(common::html::check(&page), ["figures", "queries", "weights", "speed", "collection"]);
    // The hybrid of one side alone is that side.
    for (weight, mode) in [("0.00", "lexical"), ("1.00", "dense"), ("0.55, in use", "hybrid")] {
        let mean = report["modes"][mode]["ndcg@10"].as_f64().unwrap();
        let row = format!("<th scope=\"row\">{weight}</th><td>{mean:.4}</td>");
        assert!(page.contains(&row), "{row}");
    }
    fs::write(folder.path().join("nothing"), "").unwrap();
    assert!(refused(folder.path(), &[&EVAL[..6], &["nothing"]].concat()).contains("none in nothing"));
    let text = stdout(&retune(folder.path(), &EVAL));
    assert!(text.contains("9 documents") && text.contains("3 questions"), "{text}");
    fs::rename(folder.path().join("docs/.retune"), folder.path().join("elsewhere")).unwrap();
    assert!(refused(folder.path(), &EVAL).contains("retune index DIR"));
    let elsewhere = json(folder.path(), &[&EVAL[..], &["--index", "elsewhere", "--per-query"]].concat());
    assert_eq!(elsewhere, report);
}

#[test]
fn a_quote_finds_the_passage_that_contains_it() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    let digest = Digest::of(MANUAL.as_bytes()).to_string();
    let line = |query: &str, place: &str| {
        let digest = &digest[..16];
        format!(
            "{{\"query\":\"{query}\",\"path\":\"manual.md\",{place},\"grade\":1,\"digest\":\"{digest}\"}}\n"
        )
    };
    let path = folder.path().join("passages.jsonl");
    let lines = [line("sluice", "\"quote\":\"open  a sluice\""), line("eel", "\"quote\":\"needs bristles\"")];
    fs::write(&path, lines.concat()).unwrap();
    let report = json(folder.path(), &[&EVAL[..], &["--per-query"]].concat());
    assert_eq!(report["queries"], 2);
    let lexical = &report["per_query"]["lexical"];
    for (query, value) in [("sluice", 1.0), ("eel", 0.0)] {
        assert_eq!(lexical[query]["mrr@10"], value, "{query}");
    }

    fs::write(&path, line("eel", "\"page\":1,\"quote\":\"moss\"")).unwrap();
    let said = refused(folder.path(), &EVAL);
    assert!(said.contains("passages.jsonl:1:") && said.contains("a place of page and quote"), "{said}");
    fs::write(&path, line("sluice", "\"page\":1")).unwrap();
    assert_eq!(json(folder.path(), &EVAL)["modes"]["lexical"]["mrr@10"], 0.0, "a text file has no pages");
    fs::write(folder.path().join("docs/manual.md"), MANUAL.replace("moss", "mud")).unwrap();
    assert!(refused(folder.path(), &EVAL).contains("manual.md with other content"));
}

#[test]
fn passages_that_are_not_the_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    let path = folder.path().join("passages.jsonl");
    let good = fs::read_to_string(&path).unwrap();
    let kettle = good.lines().next().unwrap();
    for (line, words) in [
        (judgement(folder.path(), "nobody", "fog.md", "the horn"), ["nobody", "queries.jsonl"]),
        (kettle.replace("\"grade\":2", "\"grade\":\"very\""), ["passages.jsonl:5:", "grade"]),
        (kettle.replace("\"grade\":2", "\"grade\":1.5"), ["passages.jsonl:5:", "grade"]),
        (kettle.replace("\"grade\":2", "\"relevance\":2"), ["passages.jsonl:5:", "grade"]),
        (kettle.replace("\"start\":", "\"start\":9"), ["passages.jsonl:5:", "start < end"]),
        (kettle[..kettle.len() - 1].to_string(), ["passages.jsonl:5:", "expected"]),
        (kettle.replace("kettle.md", "gone.md"), ["gone.md", "read"]),
    ] {
        fs::write(&path, format!("{good}\n{line}\n")).unwrap();
        let said = refused(folder.path(), &EVAL);
        assert!(words.iter().all(|word| said.contains(word)), "{line}: {said}");
    }
    fs::write(&path, &good).unwrap();
    fs::write(
        folder.path().join("docs/kettle.md"),
        "# kettle\n\nThe kettle has been scrapped, for good and all.\n",
    )
    .unwrap();
    let said = refused(folder.path(), &EVAL);
    assert!(said.contains("kettle.md"), "{said}");

    for args in [&EVAL[..3], &EVAL[..5], &[&EVAL[..], &["--collection", "."]].concat()] {
        let output = retune(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
    }
}
