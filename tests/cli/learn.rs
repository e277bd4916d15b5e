//! Rounds, and the options that say how they go.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use retune::Engine;
use serde_json::Value;

use crate::common;
use crate::harness::{documents, has, json, refused, retune, stderr, stdout};

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
            "0.25,0.5",
        ],
    );
    has(&round, &["round", "examples", "held_out", "sources", "loss", "gate", "generation", "seconds"]);
    has(&round["gate"], &["before", "after", "decision", "reason"]);
    assert_eq!(round["gate"]["decision"], "published", "{}", round["gate"]["reason"]);
    let moved = &round["training"];
    assert_eq!(moved["gradient_negatives"], serde_json::json!({"epsilon": 0.25, "weight": 0.5}));
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

/// An index of the folder's documents that ranks by words, judged by users who often want another document than the one whose
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
fn as_many_queries_are_watched_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    let watched = round(folder.path(), &["--tiers", "encoder", "--monitor", "3"]);
    let monitor = &watched["training"]["monitor"];
    assert_eq!(monitor["queries"], 3);
    assert!(monitor["of_queries"].as_u64() > Some(3), "{monitor}");
    let measurements = monitor["measurements"].as_array().unwrap();
    assert_eq!(measurements.len(), 2, "before training and after the epoch");
    for source in measurements[1]["sources"].as_object().unwrap().values() {
        has(source, &["positive", "negative", "margin", "harder", "too_easy", "suspected", "moved"]);
        has(&source["margin"], &["count", "mean", "quantiles", "histogram"]);
    }
    let without = round(folder.path(), &["--tiers", "encoder", "--monitor", "0", "--held-out", "0.6"]);
    assert!(without["held_out"].as_u64() > watched["held_out"].as_u64(), "{without}");
    assert!(!without["training"]["steps"].as_array().unwrap().is_empty());
    assert_eq!(without["training"]["monitor"], Value::Null);
    assert_eq!(json(folder.path(), &["rounds"])["rounds"], Value::from(vec![watched, without]));

    let told = |monitor: &str| {
        let args = ["learn", "--tiers", "encoder", "--batch-size", "4", "--monitor", monitor];
        let output = retune(folder.path(), &args);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output).contains("measured): harder than the answer")
    };
    assert_eq!((told("3"), told("0")), (true, false));
}

#[test]
fn followed_confusables_leave_the_rows_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    // Nothing is behind by less than this, and one encoder is enough.
    let all = ["--tiers", "encoder", "--negatives", "1,0,0", "--solved-margin=-2", "--solved-after", "1"];
    let counted = round(folder.path(), &all);
    let measured = counted["followed"]["measured"].as_u64().unwrap();
    assert!(measured > 0, "{}", counted["followed"]);
    assert_eq!(
        (&counted["followed"]["new"], &counted["followed"]["solved"]),
        (&measured.into(), &measured.into())
    );
    assert_eq!(counted["followed"]["left_out"], 0);
    assert!(counted["sources"]["confusable"].as_u64() > Some(0), "{}", counted["sources"]);
    let left = round(folder.path(), &[&all[..], &["--leave-out-followed"]].concat());
    assert_eq!((&left["followed"]["measured"], &left["followed"]["new"]), (&measured.into(), &0.into()));
    assert_eq!(left["followed"]["left_out"], measured);
    assert_eq!(left["sources"].get("confusable"), None, "{}", left["sources"]);
}

#[test]
fn confusables_rise_when_as_many_encoders_say_so_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    judged(folder.path());
    // An encoder that moves much, with whatever comes of it.
    let trained = round(folder.path(), &["--tiers", "encoder", "--learning-rate", "1e-3"]);
    assert_eq!(trained["gate"]["decision"], "published", "{}", trained["gate"]);
    // Two rounds that find the same, and count it as they are asked to.
    common::copy(&folder.path().join(".retune"), &folder.path().join("copy"));
    let followed = |index: &str, after: &str| {
        let follow = ["--solved-margin", "2", "--rising-after", after];
        round(folder.path(), &[&["--index", index, "--tiers", "encoder"], &follow[..]].concat())["followed"]
            .clone()
    };
    let (patient, hasty) = (followed(".retune", "2"), followed("copy", "1"));
    assert_eq!((&patient["rising"], &patient["measured"]), (&0.into(), &hasty["measured"]));
    assert!(hasty["rising"].as_u64() > Some(0), "{hasty}");
    assert_eq!(hasty["left_out"], 0);
    for option in ["--rising-after", "--solved-after"] {
        let none = retune(folder.path(), &["learn", option, "0"]);
        assert_eq!(none.status.code(), Some(2));
        assert!(stderr(&none).contains(option), "{}", stderr(&none));
    }
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
    assert!(html.contains(&format!("<td>{after:.4}</td>")), "{after}");
    assert!(html.contains("<svg "));
}
