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
        .env("RETUNE_CACHE", folder.join("cache"))
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

/// The eight documents as a collection, each the answer to its own first words.
fn write_collection(folder: &Path) {
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
    fs::create_dir(folder.join("qrels")).unwrap();
    fs::write(folder.join("corpus.jsonl"), corpus).unwrap();
    fs::write(folder.join("queries.jsonl"), queries).unwrap();
    fs::write(folder.join("qrels/test.tsv"), qrels).unwrap();
}

#[test]
fn a_collection_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
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
    let kept = ["eval", "--collection", ".", "--index", "kept", "--embeddings", "none"];
    assert_eq!(json(folder.path(), &kept)["encode"]["documents"], 8);
    assert_eq!(json(folder.path(), &kept)["encode"]["documents"], 0, "they are there already");

    fs::create_dir(folder.path().join("notes")).unwrap();
    fs::write(folder.path().join("notes/a.txt"), "Of something else.").unwrap();
    json(folder.path(), &["index", "notes"]);
    let mine = retune(folder.path(), &["eval", "--collection", ".", "--index", "notes/.retune"]);
    assert_eq!(mine.status.code(), Some(1));
    assert!(stderr(&mine).contains("a.txt"), "{}", stderr(&mine));
    assert_eq!(json(folder.path(), &["status", "--dir", "notes"])["documents"], 1, "nothing was added");

    let missing = retune(folder.path(), &["eval", "--collection", ".", "--split", "dev"]);
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn runs_are_written_scored_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    json(folder.path(), &["eval", "--collection", ".", "--run-out", "out.trec"]);
    let written = fs::read_to_string(folder.path().join("out.lexical.trec")).unwrap();
    assert!(written.lines().all(|line| line.ends_with(" retune-lexical")), "{written}");
    let score =
        |run: &str| json(folder.path(), &["eval", "--run", run, "--qrels", "qrels/test.tsv", "--per-query"]);
    let report = score("out.lexical.trec");
    has(
        &report,
        &["run", "queries", "unjudged_queries", "missing_queries", "figures", "intervals", "per_query"],
    );
    assert_eq!((&report["queries"], &report["figures"]["mrr@10"]), (&8.into(), &1.0.into()));
    assert_eq!(report["per_query"].as_object().unwrap().len(), 8);
    assert_eq!(report["intervals"]["mrr@10"]["low"], 1.0);

    // One query misses its document, one finds it second.
    let (mut worse, mut ranks) = (String::new(), [2, 0].into_iter());
    for document in common::documents() {
        let (query, rank) = (format!("q-{}", document.id), ranks.next().unwrap_or(1));
        if rank != 1 {
            worse += &format!("{query} Q0 other 1 9 mine\n");
        }
        if rank > 0 {
            worse += &format!("{query} Q0 {} {rank} {} mine\n", document.id, 9 - rank);
        }
    }
    fs::write(folder.path().join("worse.trec"), &worse).unwrap();
    assert_eq!(score("worse.trec")["figures"]["mrr@10"], (6.0 + 0.5) / 8.0);
    let compared = json(
        folder.path(),
        &[
            "compare",
            "out.lexical.trec",
            "worse.trec",
            "--qrels",
            "qrels/test.tsv",
            "--metrics",
            "mrr@10,map",
        ],
    );
    let one = &compared["comparisons"][0];
    assert_eq!((&one["first"], &one["second"]), (&1.0.into(), &0.8125.into()));
    assert_eq!((&one["won"], &one["lost"], &one["tied"]), (&0.into(), &2.into(), &6.into()));
    assert_eq!(one["lost_most"][0]["difference"], -1.0);
    // Of four patterns of signs two are as large; twice that for two metrics.
    assert_eq!((&one["p_value"], &one["p_holm"]), (&0.5.into(), &1.0.into()));

    for (name, text, at) in [
        ("nan.trec", "q-a Q0 d 1 1 t\nq-a Q0 e 2 NaN t\n", "nan.trec:2:"),
        ("others.trec", "nobody Q0 d 1 1 t\n", "none is judged"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
        let refused = retune(folder.path(), &["eval", "--run", name, "--qrels", "qrels/test.tsv"]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(stderr(&refused).contains(at), "{}", stderr(&refused));
    }
    fs::write(folder.path().join("qrels/test.tsv"), "q\td\tvery\n").unwrap();
    let refused = retune(folder.path(), &["eval", "--collection", ".", "--index", "new"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(!folder.path().join("new").exists(), "nothing was begun");
}

#[test]
fn evaluations_and_comparisons_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    // What a query says, and what it is called, is no markup.
    let queries = fs::read_to_string(folder.path().join("queries.jsonl")).unwrap();
    let queries = queries.replace("q-kettle", "<q>").replace("The kettle", "<b>The kettle");
    fs::write(folder.path().join("queries.jsonl"), queries).unwrap();
    let qrels = fs::read_to_string(folder.path().join("qrels/test.tsv")).unwrap();
    fs::write(folder.path().join("qrels/test.tsv"), qrels.replace("q-kettle", "<q>")).unwrap();

    let eval = ["eval", "--collection", ".", "--index", "new", "--report"];
    for nowhere in ["no folder/page.html", "qrels"] {
        let refused = retune(folder.path(), &[&eval, &[nowhere][..]].concat());
        assert_eq!(refused.status.code(), Some(1));
        assert!(stderr(&refused).contains(nowhere), "{}", stderr(&refused));
        assert!(!folder.path().join("new").exists(), "nothing was begun");
    }
    let report =
        json(folder.path(), &[&eval, &["page.html", "--per-query", "--run-out", "out.trec"][..]].concat());
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert_eq!(common::html::check(&page), ["figures", "queries", "weights", "speed", "collection"]);
    assert_eq!(page.matches("<svg ").count(), 6);
    for (mode, figures) in report["modes"].as_object().unwrap() {
        let interval = &report["intervals"][mode]["map"];
        let [mean, low, high] =
            [&figures["map"], &interval["low"], &interval["high"]].map(|one| one.as_f64().unwrap());
        assert!(
            page.contains(&format!("<td>{mean:.4}\u{a0}({low:.3}\u{a0}to\u{a0}{high:.3})</td>")),
            "{mode}"
        );
    }
    // The weight in use was tried with the others, as deep.
    let hybrid = report["modes"]["hybrid"]["ndcg@10"].as_f64().unwrap();
    assert!(page.contains(&format!("<th scope=\"row\">0.7</th><td>{hybrid:.4}</td>")), "{hybrid}");
    let of = |mode: &str| report["per_query"][mode]["<q>"]["ndcg@10"].as_f64().unwrap();
    let gains = of("hybrid") != of("lexical").max(of("dense"));
    assert_eq!(page.contains("&lt;q&gt;: &lt;b&gt;The kettle"), gains);
    // Another metric alone is what is drawn then.
    json(folder.path(), &[&eval, &["map.html", "--metrics", "map"][..]].concat());
    let other = fs::read_to_string(folder.path().join("map.html")).unwrap();
    assert!(other.contains("map by weight") && !other.contains("ndcg@10"));

    let compare =
        ["compare", "out.lexical.trec", "out.dense.trec", "out.hybrid.trec", "--qrels", "qrels/test.tsv"];
    let compared = json(folder.path(), &[&compare, &["--report", "page.html"][..]].concat());
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert_eq!(common::html::check(&page), ["tests", "queries"]);
    assert_eq!(page.matches("<svg ").count(), 2 * 2);
    for one in compared["comparisons"].as_array().unwrap() {
        let row = format!(
            "<th scope=\"row\">{}, {}</th><td>{:.4}</td>",
            one["run"].as_str().unwrap(),
            one["metric"].as_str().unwrap(),
            one["first"].as_f64().unwrap()
        );
        assert!(page.contains(&row), "{row}");
    }
    let refused = retune(folder.path(), &[&compare, &["--report", "no folder/page.html"][..]].concat());
    assert_eq!((refused.status.code(), stdout(&refused).as_str()), (Some(1), ""));
}

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
    fs::create_dir(folder.path().join("qrels")).unwrap();
    for (name, lines) in [("corpus.jsonl", corpus), ("queries.jsonl", queries)] {
        fs::write(folder.path().join(name), lines).unwrap();
    }
    for (name, lines) in [("train", train), ("test", test)] {
        let lines = format!("query-id\tcorpus-id\tscore\n{lines}");
        fs::write(folder.path().join(format!("qrels/{name}.tsv")), lines).unwrap();
    }
    let simulate = |clicks: &str, index: &str| {
        let args = ["simulate", "--collection", ".", "--rounds", "2", "--clicks", clicks, "--index", index];
        let learning = ["--significance", "none", "--batch-size", "4", "--learning-rate", "1e-5"];
        [&args[..], &learning[..]].concat().into_iter().map(String::from).collect::<Vec<_>>()
    };
    let run = |args: Vec<String>| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        json(folder.path(), &[&args[..], &["--guard", "."]].concat())
    };
    for clicks in ["perfect", "noisy"] {
        let report = run(simulate(clicks, clicks));
        assert_eq!(report["clicks"], clicks);
        let rounds = report["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 3);
        assert_eq!((&rounds[0]["judgements"], &rounds[0]["p_value"]), (&0.into(), &serde_json::Value::Null));
        for (number, round) in rounds.iter().enumerate() {
            has(
                round,
                &["round", "decision", "tier", "reason", "negatives", "test", "p_value", "guard", "seconds"],
            );
            assert_eq!(round["round"], number);
            for mode in ["lexical", "dense", "hybrid"] {
                has(&round["test"][mode], &["ndcg@10", "mrr@10", "recall@100"]);
                has(&round["guard"][mode], &["ndcg@10"]);
            }
            has(&round["seconds"], &["train", "gate", "reindex"]);
        }
        assert!(rounds[2]["judgements"].as_u64() > rounds[1]["judgements"].as_u64());
    }
    let again: Vec<String> = simulate("perfect", "perfect");
    let refused = retune(folder.path(), &again.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("has been used"), "{}", stderr(&refused));
}

/// Adds an object of strings as a line of JSON.
fn add_line(lines: &mut String, fields: &[(&str, &str)]) {
    let object: serde_json::Map<String, serde_json::Value> =
        fields.iter().map(|(name, value)| (name.to_string(), (*value).into())).collect();
    lines.push_str(&format!("{}\n", serde_json::Value::Object(object)));
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
        (&["index", ".", "--max-tokens", "1"], 2, "--max-tokens"),
        (&["index", ".", "--dir", "."], 2, "--dir"),
        (&["learn", "--learning-rate", "nan"], 2, "above 0"),
        (&["learn", "--gradient-negatives", "1.5"], 2, "at most 1"),
        (&["learn", "--gradient-negatives", "0.1,0.2,0.3"], 2, "one or two"),
        (&["bench", "--seconds", "0"], 2, "above 0"),
        (&["eval", "--collection", ".", "--limit", "0"], 2, "--limit"),
    ] {
        let output = retune(folder.path(), args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let unknown = retune(folder.path(), &["judge", "0123456789abcdef", "kettle.md", "--chosen"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("0123456789abcdef"), "{}", stderr(&unknown));
}

#[test]
fn an_index_follows_one_folder_and_keeps_what_it_was_made_with() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    documents(a.path());
    fs::write(b.path().join("other.md"), "Something else.").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let index = elsewhere.path().join("x");
    let index = index.to_str().unwrap();
    json(a.path(), &["index", ".", "--index", index, "--language", "german", "--max-tokens", "64"]);
    for (folder, args, word) in [
        (b.path(), &["index", ".", "--index", index][..], "follows"),
        (a.path(), &["index", ".", "--index", index, "--language", "english"], "german"),
        (a.path(), &["index", ".", "--index", index, "--max-tokens", "65"], "64"),
        (a.path(), &["demo", "--index", index], "new folder"),
    ] {
        let refused = retune(folder, args);
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(stderr(&refused).contains(word), "{args:?}: {}", stderr(&refused));
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
    assert_eq!(found(&["--rrf"]).len(), 9);
    for (args, word) in
        [(["--filter", "{}"], "equals"), (["--dense-weight", "7"], "0 to 1"), (["--limit", "0"], "--limit")]
    {
        let refused = retune(folder.path(), &[&["search", "kettle"][..], &args].concat());
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(word), "{args:?}: {}", stderr(&refused));
    }
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
fn the_demo_shows_the_whole_loop() {
    let folder = tempfile::tempdir().unwrap();
    let report = json(folder.path(), &["demo", "--index", "index"]);
    has(&report, &["documents", "train_queries", "test_queries", "before", "after", "round", "seconds"]);
    assert_eq!(
        (&report["documents"], &report["train_queries"], &report["test_queries"]),
        (&99.into(), &207.into(), &147.into())
    );
    assert_eq!(report["round"]["examples"], 173);
    assert_eq!(json(folder.path(), &["status", "--index", "index"])["feedback"]["judgements"], 207);
}

#[test]
fn fetching_does_not_take_a_damaged_model_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let cached = folder.path().join("models/all-mpnet-base-v2");
    fs::create_dir_all(cached.join("1_Pooling")).unwrap();
    for file in [
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ] {
        fs::write(cached.join(file), "junk").unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_retune"))
        .args(["model", "fetch"])
        .env_remove("RETUNE_MODEL")
        .env("RETUNE_CACHE", folder.path())
        .env("HF_HOME", folder.path().join("none"))
        .env_remove("HF_HUB_CACHE")
        .env("HF_HUB_OFFLINE", "1")
        .env("PATH", "") // without pip no source is left
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("by hand"), "{}", stderr(&output));
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
