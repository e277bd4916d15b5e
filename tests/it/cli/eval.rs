//! Collections and runs, measured and compared.

use std::fs;

use serde_json::{Value, json as object};

use super::harness::{has, json, refused, retune, stdout, write_collection};
use crate::common;

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
    let mine = refused(folder.path(), &["eval", "--collection", ".", "--index", "notes/.retune"]);
    assert!(mine.contains("a.txt"), "{mine}");
    assert_eq!(json(folder.path(), &["status", "--dir", "notes"])["documents"], 1, "nothing was added");

    assert!(refused(folder.path(), &["eval", "--collection", ".", "--split", "dev"]).contains("dev"));
}

/// In one commit of the index, and in two.
#[test]
fn of_documents_with_one_id_the_last_counts_wherever_they_stand() {
    for between in [0, 600] {
        let folder = tempfile::tempdir().unwrap();
        let others = (0..between).map(|i| format!("{{\"_id\": \"{i}\", \"text\": \"nothing {i}\"}}\n"));
        let corpus = "{\"_id\": \"twice\", \"text\": \"walrus\"}\n".to_string()
            + &others.collect::<String>()
            + "{\"_id\": \"twice\", \"text\": \"zebra\"}\n";
        fs::create_dir(folder.path().join("qrels")).unwrap();
        fs::write(folder.path().join("corpus.jsonl"), corpus).unwrap();
        let queries =
            "{\"_id\": \"first\", \"text\": \"walrus\"}\n{\"_id\": \"last\", \"text\": \"zebra\"}\n";
        fs::write(folder.path().join("queries.jsonl"), queries).unwrap();
        fs::write(folder.path().join("qrels/test.tsv"), "first\ttwice\t1\nlast\ttwice\t1\n").unwrap();
        let eval = ["eval", "--collection", ".", "--per-query", "--index", "kept", "--embeddings", "none"];
        let report = json(folder.path(), &eval);
        assert_eq!(report["inventory"]["duplicate_documents"], 1, "{between}");
        assert_eq!(report["documents"], between + 1, "{between}");
        let of = |query: &str| &report["per_query"]["lexical"][query]["mrr@10"];
        assert_eq!((of("first"), of("last")), (&0.0.into(), &1.0.into()), "{between}");
        assert_eq!(report["encode"]["documents"], between + 1, "{between}");
        assert_eq!(json(folder.path(), &eval)["encode"]["documents"], 0, "{between}");
    }
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
    assert_eq!(compared["missing_queries"], object!({"out.lexical.trec": 0, "worse.trec": 0}));

    fn compare<'a>(args: &[&'a str]) -> Vec<&'a str> {
        [&["compare"], args, &["--qrels", "qrels/test.tsv"]].concat()
    }
    fs::write(folder.path().join("a"), "q-kettle Q0 kettle 1 1 t\n").unwrap();
    let text = stdout(&retune(folder.path(), &compare(&["out.lexical.trec", "a"])));
    assert!(text.contains("7 judged queries that a lacks"), "{text}");
    fs::write(folder.path().join("b"), "q-gate Q0 q-gate 1 2 t\nq-gate Q0 gate 2 1 t\n").unwrap();
    let said = refused(folder.path(), &compare(&["a", "b", "--over", "both"]));
    assert!(said.contains("no query in common with b"), "{said}");
    let second = |args: &[&str]| {
        json(folder.path(), &compare(&[&["a", "b", "--metrics", "mrr@10"], args].concat()))["comparisons"][0]
            ["second"]
            .as_f64()
            .unwrap()
    };
    assert_eq!([second(&[]), second(&["--ignore-own-ids"])], [0.5 / 8.0, 1.0 / 8.0]);
}

#[test]
fn metrics_go_by_the_names_of_other_tools_and_have_intervals() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("run"), "a Q0 d 1 9 t\na Q0 e 2 8 t\nb Q0 e 1 9 t\n").unwrap();
    fs::write(folder.path().join("qrels"), "a 0 e 3\nb 0 e 1\nb 0 d 0\n").unwrap();
    let eval = |names: &str| {
        json(folder.path(), &["eval", "--run", "run", "--qrels", "qrels", "--metrics", names])["figures"]
            .clone()
    };
    let ours = eval("ndcg@10,precision@5,mrr,map,recall@100");
    assert_eq!(ours, eval("ndcg_cut_10,P_5,recip_rank,map,recall_100"));
    assert_eq!(ours, eval("nDCG@10,P@5,RR,AP,R@100"));
    assert_eq!(ours["mrr"], 0.75);
    let others = eval("ERR@10,RBP(rel=1,p=0.5)");
    // 7/16 at the second rank and 1/16 at the first; (1 − p) p at the second and 1 − p at the first.
    let expected = [(7.0 / 32.0 + 1.0 / 16.0) / 2.0, (0.25 + 0.5) / 2.0];
    for (name, expected) in ["err@10", "rbp(p=0.5)"].iter().zip(expected) {
        assert!((others[name].as_f64().unwrap() - expected).abs() < 1e-12, "{others}");
    }
    let text = stdout(&retune(
        folder.path(),
        &["eval", "--run", "run", "--qrels", "qrels", "--metrics", "AP,RR@10"],
    ));
    assert!(
        text.contains("map           0.7500 (0.500–1.000)\nmrr@10        0.7500 (0.500–1.000)"),
        "{text}"
    );
    let refused =
        retune(folder.path(), &["eval", "--run", "run", "--qrels", "qrels", "--metrics", "AP(rel=2)"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn documents_that_a_query_excludes_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    let eval = ["eval", "--collection", ".", "--embeddings", "none", "--per-query", "--run-out", "out.trec"];
    let own = |report: &Value| report["per_query"]["lexical"]["q-kettle"]["recall@1000"].clone();
    assert_eq!(own(&json(folder.path(), &eval)), 1.0);
    let score = |args: &[&str]| {
        let run = ["eval", "--run", "out.lexical.trec", "--qrels", "qrels/test.tsv"];
        json(folder.path(), &[&run[..], args].concat())["figures"]["recall@1000"].clone()
    };
    assert_eq!(score(&[]), 1.0);
    let queries = fs::read_to_string(folder.path().join("queries.jsonl")).unwrap();
    let queries =
        queries.replace("\"_id\":\"q-kettle\"", "\"_id\":\"q-kettle\",\"excluded_ids\":[\"kettle\"]");
    let queries = queries.replace("\"_id\":\"q-gate\"", "\"_id\":\"q-gate\",\"excluded_ids\":[\"N/A\"]");
    fs::write(folder.path().join("queries.jsonl"), &queries).unwrap();
    // The run was made without excluding anything.
    assert_eq!(score(&["--excluded", "queries.jsonl"]), 7.0 / 8.0);
    let compared = json(
        folder.path(),
        &[
            "compare",
            "out.lexical.trec",
            "out.lexical.trec",
            "--qrels",
            "qrels/test.tsv",
            "--excluded",
            "queries.jsonl",
        ],
    );
    assert_eq!(compared["comparisons"][0]["interval"], object!({"low": 0.0, "high": 0.0}));
    assert!(compared["comparisons"][0]["first"].as_f64() < Some(1.0));
    assert_eq!(own(&json(folder.path(), &eval)), 0.0);
    let run = fs::read_to_string(folder.path().join("out.dense.trec")).unwrap();
    assert!(run.contains("q-kettle Q0 gate ") && !run.contains("q-kettle Q0 kettle "), "{run}");
    fs::write(folder.path().join("queries.jsonl"), queries.replace("[\"N/A\"]", "\"N/A\"")).unwrap();
    assert!(refused(folder.path(), &eval).contains("excluded_ids"));
}

#[test]
fn results_are_written_as_mteb_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    let args = ["eval", "--collection", ".", "--embeddings", "none", "--mteb-out", "out.json", "--metrics"];
    let report = json(folder.path(), &[&args[..], &["nDCG@10,R@5"]].concat());
    for mode in ["lexical", "dense", "hybrid"] {
        let text = fs::read_to_string(folder.path().join(format!("out.{mode}.json"))).unwrap();
        let results: Value = serde_json::from_str(&text).unwrap();
        has(&results, &["task_name", "dataset_revision", "mteb_version", "scores", "evaluation_time"]);
        assert_eq!(results["task_name"], report["collection"]);
        let scores = &results["scores"]["test"][0];
        has(
            scores,
            &["ndcg_at_1", "map_at_1000", "precision_at_3", "mrr_at_20", "hit_rate_at_1", "languages"],
        );
        assert_eq!(scores["hf_subset"], "default");
        assert_eq!(scores["main_score"], report["modes"][mode]["ndcg@10"]);
        assert_eq!(scores["recall_at_5"], report["modes"][mode]["recall@5"]);
    }
    let said = refused(folder.path(), &[&args[..], &["map", "--run-out", "out.json"]].concat());
    assert!(said.contains("out.lexical.json"), "{said}");
}

#[test]
fn vectors_of_a_collection_are_kept_from_run_to_run() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    let eval = |args: &[&str]| json(folder.path(), &[&["eval", "--collection", "."], args].concat());
    let encoded = |report: &Value| report["encode"]["documents"].as_u64().unwrap();

    // `none` neither keeps vectors nor takes those that are there.
    let first = eval(&["--embeddings", "none"]);
    assert_eq!(encoded(&first), 8);
    assert!(!folder.path().join("none").exists() && !folder.path().join("cache").exists());
    let kept = ["--embeddings", "vectors"];
    assert_eq!(encoded(&eval(&kept)), 8);
    let again = eval(&kept);
    assert_eq!(encoded(&again), 0, "all vectors are there");
    for figures in ["modes", "intervals"] {
        assert_eq!(again[figures], first[figures]);
    }
    assert_eq!(encoded(&eval(&["--embeddings", "none"])), 8);
    assert!(!folder.path().join("cache").exists(), "retune's cache is only the default");
    assert_eq!([encoded(&eval(&[])), encoded(&eval(&[]))], [8, 0]);
    assert!(folder.path().join("cache/embeddings").is_dir());

    let corpus = fs::read_to_string(folder.path().join("corpus.jsonl")).unwrap();
    fs::write(folder.path().join("corpus.jsonl"), corpus.replace("vinegar", "lemon juice")).unwrap();
    assert_eq!(encoded(&eval(&kept)), 1, "of a changed collection only what has changed is encoded");
    let text = stdout(&retune(folder.path(), &[&["eval", "--collection", "."], &kept[..]].concat()));
    assert!(text.contains("0 documents encoded"), "{text}");
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
        let said = refused(folder.path(), &[&eval, &[nowhere][..]].concat());
        assert!(said.contains(nowhere), "{said}");
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
    // The hybrid of one side alone is that side; the weight in use stands among those that were tried.
    for (weight, mode) in [("0.00", "lexical"), ("1.00", "dense"), ("0.55, in use", "hybrid")] {
        let mean = report["modes"][mode]["ndcg@10"].as_f64().unwrap();
        let row = format!("<th scope=\"row\">{weight}</th><td>{mean:.4}</td>");
        assert!(page.contains(&row), "{row}");
    }
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
            "<th scope=\"row\">{}, {}</th><td data-label=\"A\">{:.4}</td>",
            one["run"].as_str().unwrap(),
            one["metric"].as_str().unwrap(),
            one["first"].as_f64().unwrap()
        );
        assert!(page.contains(&row), "{row}");
    }
    refused(folder.path(), &[&compare, &["--report", "no folder/page.html"][..]].concat());
}
