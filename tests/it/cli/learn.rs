//! Rounds, and the options that say how they go.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use retune::Engine;
use serde_json::Value;

use super::harness::{documents, has, json, refused, retune, stderr, stdout};
use crate::common;
use crate::dry_run::files;

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
    let round = json(
        folder.path(),
        &[
            "learn",
            "--learning-rate",
            "1e-5",
            "--batch-size",
            "4",
            "--significance",
            "none",
            "--gradient-negatives",
            "0.25",
        ],
    );
    has(&round, &["round", "examples", "held_out", "sources", "loss", "gate", "generation", "seconds"]);
    has(&round["gate"], &["before", "after", "decision", "reason"]);
    assert_eq!(round["gate"]["decision"], "published", "{}", round["gate"]["reason"]);
    let moved = &round["training"];
    assert_eq!(moved["gradient_negatives"], 0.25);
    assert!(moved["displaced"]["negatives"].as_u64() > Some(0), "{}", moved["displaced"]);
    assert_eq!(json(folder.path(), &["search", "kettle"])["generation"], 2);
    assert_eq!(json(folder.path(), &["rounds"])["rounds"], Value::from(vec![round]));

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

/// An index of the folder's documents that ranks by words. Its users often pick another document than the one whose
/// words they use.
fn judged(folder: &Path) {
    documents(folder);
    let engine = Engine::open(folder.join(".retune"), common::rounds::by_words()).unwrap();
    engine.index_folder(folder, &mut |_| ControlFlow::Continue(())).unwrap();
    let all = common::documents();
    for (at, document) in all.iter().enumerate() {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        for part in words.chunks(3).take(4) {
            common::judge(&engine, &part.join(" "), &format!("{}.md", document.id));
        }
        let wanted = &all[(at + 1) % all.len()].id;
        common::judge(&engine, &words[1..6].join(" "), &format!("{wanted}.md"));
    }
    engine.close().unwrap();
}

/// A round that publishes what is not worse, as `--json` has it.
fn round(folder: &Path, args: &[&str]) -> Value {
    let learn = ["learn", "--batch-size", "4", "--significance", "none"];
    json(folder, &[&learn, args].concat())
}

#[test]
fn hard_negatives_are_watched_while_training() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    let watched = round(folder.path(), &["--tiers", "encoder"]);
    let monitor = &watched["training"]["monitor"];
    assert_eq!(monitor["queries"], monitor["of_queries"]);
    let measurements = monitor["measurements"].as_array().unwrap();
    assert_eq!(measurements.len(), 2, "before training and after the epoch");
    for source in measurements[1]["sources"].as_object().unwrap().values() {
        has(source, &["positive", "negative", "margin", "harder", "too_easy", "suspected", "moved"]);
        has(&source["margin"], &["count", "mean", "quantiles", "histogram"]);
    }
    assert_eq!(json(folder.path(), &["rounds"])["rounds"], Value::from(vec![watched]));
    let again = ["learn", "--tiers", "encoder", "--batch-size", "4", "--significance", "none"];
    let output = retune(folder.path(), &again);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("measured): harder than the answer"));
    let intervals = &json(folder.path(), &["rounds"])["rounds"][1]["gate"]["intervals"]["hybrid"]["ndcg@10"];
    let shown = |at: &str, end: &str| intervals[at][end].as_f64().unwrap();
    let before = format!("({:.3}–{:.3})", shown("before", "low"), shown("before", "high"));
    let change = format!(" ({:+.3} to {:+.3})\n", shown("change", "low"), shown("change", "high"));
    let line =
        stdout(&output).lines().find(|line| line.starts_with("  hybrid nDCG@10 ")).unwrap().to_owned() + "\n";
    assert!(line.contains(&before) && line.ends_with(&change), "{line}");
    assert!(stdout(&retune(folder.path(), &["rounds"])).contains(&before));
}

#[test]
fn a_round_is_drawn_as_one_page_that_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    for (file, word) in [("none/round.html", "none/round.html"), (".", "a file in a folder that exists")] {
        let said = refused(folder.path(), &["learn", "--report", file]);
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(json(folder.path(), &["rounds"])["rounds"], Value::Array(Vec::new()), "no round was run");

    let report = round(folder.path(), &["--tiers", "encoder", "--report", "round.html"]);
    let html = fs::read_to_string(folder.path().join("round.html")).unwrap();
    assert!(common::html::check(&html).contains(&"difficulty".to_string()));
    let after = report["gate"]["after"]["hybrid"]["ndcg@10"].as_f64().unwrap();
    assert!(html.contains(&format!("<td>{after:.4}\u{a0}(")), "{after}");
    assert!(html.contains("<svg "));
}

#[test]
fn a_dry_run_shows_what_a_round_would_do_and_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    let index = folder.path().join(".retune");
    let before = files(&index);
    let dry = round(folder.path(), &["--tiers", "encoder", "--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["generation"]), (&true.into(), &1.into()));
    has(&dry["evidence"], &["queries", "answers", "confusables"]);
    let options = ["learn", "--batch-size", "4", "--significance", "none", "--tiers", "encoder"];
    let output = retune(folder.path(), &[&options[..], &["--dry-run", "--report", "dry.html"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    let queries = dry["evidence"]["queries"].as_u64().unwrap();
    for line in [
        "dry run of round 1: ".to_string(),
        format!("to train on: {queries} queries with {queries} right documents ({queries} chosen)\n  "),
        " was passed over in ".into(),
        "held-out queries: ".into(),
        "\nwould be published: not worse".into(),
        "\nnothing was changed, generation 1 answers; a round now would publish this\n".into(),
    ] {
        assert!(said.contains(&line), "{line} is not in\n{said}");
    }
    let html = fs::read_to_string(folder.path().join("dry.html")).unwrap();
    assert!(common::html::check(&html).contains(&"evidence".to_string()));
    assert_eq!(files(&index), before);
    assert_eq!(json(folder.path(), &["rounds"])["rounds"], Value::Array(Vec::new()));

    let mut real = round(folder.path(), &["--tiers", "encoder"]);
    assert_eq!(real["generation"], 2);
    let mut dry = dry;
    for report in [&mut real, &mut dry] {
        let fields = report.as_object_mut().unwrap();
        for field in ["dry_run", "evidence", "started_ms", "seconds", "generation"] {
            fields.remove(field);
        }
    }
    assert_eq!(dry, real);
    let skipped = retune(folder.path(), &["learn", "--tiers", "fusion", "--dry-run"]);
    assert!(skipped.status.success(), "{}", stderr(&skipped));
}
