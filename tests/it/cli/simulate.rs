//! The whole loop, with modelled users.

use std::fs;

use super::harness::{add_line, has, json, refused};
use crate::common;

#[test]
fn users_are_simulated_round_by_round_and_only_an_untaught_index_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut corpus = String::new();
    let (mut queries, mut train, mut test) = (String::new(), String::new(), String::new());
    for document in common::documents() {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        add_line(&mut corpus, &[("_id", &document.id), ("title", ""), ("text", &document.text)]);
        for (number, part) in words.chunks(3).enumerate() {
            let id = format!("{}-{number}", document.id);
            add_line(&mut queries, &[("_id", &id), ("text", &part.join(" "))]);
            let split: &mut String = if number == 0 { &mut test } else { &mut train };
            split.push_str(&format!("{id}\t{}\t1\n", document.id));
        }
    }
    // In whatever spelling, nobody asks what is measured.
    let asked = train.lines().count();
    for (id, text) in [("shared", " the  KETTLE is"), ("again", "The kettle is")] {
        add_line(&mut queries, &[("_id", id), ("text", text)]);
        train.push_str(&format!("{id}\tkettle\t1\n"));
    }
    fs::create_dir(folder.path().join("qrels")).unwrap();
    for (name, lines) in [("corpus.jsonl", corpus), ("queries.jsonl", queries)] {
        fs::write(folder.path().join(name), lines).unwrap();
    }
    for (name, lines) in [("train", train), ("test", test)] {
        let lines = format!("query-id\tcorpus-id\tscore\n{lines}");
        fs::write(folder.path().join(format!("qrels/{name}.tsv")), lines).unwrap();
    }
    let simulate = |users: &str, index: &str| {
        let args = ["simulate", "--collection", ".", "--rounds", "2", "--users", users, "--index", index];
        let learning = ["--significance", "none", "--batch-size", "4", "--learning-rate", "1e-5"];
        [&args[..], &learning[..]].concat().into_iter().map(String::from).collect::<Vec<_>>()
    };
    let run = |args: Vec<String>| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        json(folder.path(), &[&args[..], &["--guard", ".", "--report", "page.html"]].concat())
    };
    for users in ["perfect", "cascade", "noisy", "sessions", "noisy-sessions"] {
        let report = run(simulate(users, users));
        assert_eq!(report["users"], users);
        let rounds = report["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 3);
        let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
        assert!(page.contains(&format!("{users} users</h1>")), "{page}");
        assert_eq!((&rounds[0]["judgements"], &rounds[0]["p_value"]), (&0.into(), &serde_json::Value::Null));
        for (number, round) in rounds.iter().enumerate() {
            has(
                round,
                &["round", "decision", "tier", "reason", "negatives", "test", "p_value", "guard", "seconds"],
            );
            assert_eq!(round["round"], number);
            assert_eq!(round["needs"], number * asked.div_ceil(2));
            for mode in ["lexical", "dense", "hybrid"] {
                has(&round["test"][mode], &["ndcg@10", "mrr@10", "recall@100"]);
                has(&round["guard"][mode], &["ndcg@10"]);
            }
            has(&round["seconds"], &["train", "gate", "reindex"]);
        }
        assert!(rounds[2]["judgements"].as_u64() > rounds[1]["judgements"].as_u64());
        // The perfect user judges once for each query, in two rounds of equal size.
        let judged = &rounds[2]["judgements"];
        assert!(users != "perfect" || *judged == 2 * asked.div_ceil(2), "{judged} for {asked} queries");
    }
    let again: Vec<String> = simulate("perfect", "perfect");
    let said = refused(folder.path(), &again.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("has already been used"), "{said}");
    let shared = "query-id\tcorpus-id\tscore\nshared\tkettle\t1\nagain\tkettle\t1\n";
    fs::write(folder.path().join("qrels/train.tsv"), shared).unwrap();
    let said = refused(folder.path(), &["simulate", "--collection", "."]);
    assert!(said.contains("2 queries, all of them also in the split test"), "{said}");
}

#[test]
fn the_demo_shows_the_whole_loop() {
    let folder = tempfile::tempdir().unwrap();
    let report = json(folder.path(), &["demo", "--index", "index"]);
    has(&report, &["documents", "train_queries", "test_queries", "before", "after", "round", "seconds"]);
    assert_eq!(
        (&report["documents"], &report["train_queries"], &report["test_queries"]),
        (&99.into(), &207.into(), &147.into())
    );
    assert_eq!(report["round"]["examples"], 150);
    assert_eq!(json(folder.path(), &["status", "--index", "index"])["feedback"]["judgements"], 207);
}
