//! Golden values from trec_eval (by way of pytrec_eval) and sentence-transformers; files; the laws of the p-value.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::significance::{exact_p, sampled_p};
use super::*;
use crate::error::Error;

struct Golden {
    json: Value,
    run: Run,
    qrels: Qrels,
}

fn golden() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/ranking_metrics.json");
    let json: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let (mut run, mut qrels) = (Run::new(), Qrels::new());
    for (query, documents) in json["run"].as_object().unwrap() {
        let documents = documents.as_object().unwrap().iter();
        run.insert(query, documents.map(|(d, score)| (d.clone(), score.as_f64().unwrap() as f32)).collect())
            .unwrap();
    }
    for (query, judgements) in json["qrels"].as_object().unwrap() {
        for (document, relevance) in judgements.as_object().unwrap() {
            qrels.insert(query, document, relevance.as_i64().unwrap() as i32);
        }
    }
    Golden { json, run, qrels }
}

/// Our metric for a name of trec_eval.
fn metric(name: &str) -> Metric {
    match name {
        "Rprec" => Metric::RPrecision,
        "recip_rank" => Metric::Mrr,
        "ndcg" | "map" | "bpref" => name.parse().unwrap(),
        _ => {
            let (measure, k) = name.rsplit_once('_').unwrap();
            let ours = match measure {
                "P" => "precision",
                "ndcg_cut" => "ndcg",
                "map_cut" => "map",
                other => other,
            };
            format!("{ours}@{k}").parse().unwrap()
        }
    }
}

fn near(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-8, "{what}: found {found}, expected {expected}");
}

#[test]
fn every_value_of_every_query_is_trec_evals() {
    let Golden { json, run, qrels } = golden();
    let mut checked = 0;
    for (query, values) in json["per_query"].as_object().unwrap() {
        for (name, expected) in values.as_object().unwrap() {
            let evaluation = evaluate(&run, &qrels, &[metric(name)], AveragedOver::InBoth);
            near(
                evaluation.by_query(metric(name)).unwrap()[query.as_str()],
                expected,
                &format!("{name} of {query}"),
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 8 * 22);
    let evaluation = evaluate(&run, &qrels, &[Metric::Map], AveragedOver::InBoth);
    let evaluated: Vec<_> = evaluation.by_query(Metric::Map).unwrap().into_keys().collect();
    let expected: Vec<_> = json["per_query"].as_object().unwrap().keys().collect();
    assert_eq!(evaluated, expected);
}

#[test]
fn err_and_rbp_are_those_of_ir_measures() {
    let Golden { run, qrels, .. } = golden();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/err_rbp.json");
    let json: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut checked = 0;
    for (name, values) in json["per_query"].as_object().unwrap() {
        let metric: Metric = name.parse().unwrap();
        let evaluation = evaluate(&run, &qrels, &[metric], AveragedOver::InBoth);
        let found = evaluation.by_query(metric).unwrap();
        for (query, expected) in values.as_object().unwrap() {
            let (found, expected) =
                (found.get(query.as_str()).copied().unwrap_or(0.0), expected.as_f64().unwrap());
            // gdeval rounds to five decimals.
            let tolerance = if name.starts_with("ERR") { 5.1e-6 } else { 1e-8 };
            assert!((found - expected).abs() < tolerance, "{name} of {query}: {found}, expected {expected}");
            checked += 1;
        }
    }
    assert_eq!(checked, 6 * 9);
    // No probability is above 1.
    let judgements: BTreeMap<String, i32> = [("a".into(), 9)].into();
    assert_eq!(Metric::Err.of(["a"], &judgements), 15.0 / 16.0);
}

#[test]
fn counts_and_the_geometric_mean_are_trec_evals_and_rbp_at_a_rank_is_trectools() {
    let Golden { run, qrels, .. } = golden();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/counts_gmap.json");
    let json: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let of = |name: &str| {
        let metric: Metric = name.parse().unwrap();
        (metric, evaluate(&run, &qrels, &[metric], AveragedOver::InBoth))
    };
    for (name, expected) in json["all"].as_object().unwrap() {
        let (metric, evaluation) = of(name);
        near(evaluation.mean(metric).unwrap(), expected, name);
        let interval = evaluation.interval(metric, SEED).unwrap();
        let within = interval.low..=interval.high;
        assert!(within.contains(&expected.as_f64().unwrap()), "{name}: {interval:?}");
    }
    let mut checked = 0;
    for (name, values) in json["per_query"].as_object().unwrap() {
        let (metric, evaluation) = of(name);
        for (query, found) in evaluation.by_query(metric).unwrap() {
            // trectools leaves out queries with nothing relevant found.
            near(found, values.get(query).unwrap_or(&0.0.into()), &format!("{name} of {query}"));
            checked += 1;
        }
    }
    assert_eq!(checked, 6 * 8);
    // As trec_eval -c: a query that the run lacks counts least.
    let complete = evaluate(&run, &qrels, &[Metric::Gmap], AveragedOver::Judged);
    let (eight, nine) = (json["all"]["gm_map"].as_f64().unwrap(), complete.mean(Metric::Gmap).unwrap());
    assert!((nine - (eight.powi(8) * 0.00001).powf(1.0 / 9.0)).abs() < 1e-9, "{nine}");
    let (_, counts) = of("num_ret");
    assert!(Comparison::of_all(&counts, &[("other".into(), counts.clone())], SEED).is_err());
}

#[test]
fn what_is_wrong_is_shown_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong");
    let long = "no run at all ".repeat(10_000);
    fs::write(&file, &long).unwrap();
    let errors = [
        Run::read_trec(&file).unwrap_err(),
        Qrels::read(&file).unwrap_err(),
        long.parse::<Metric>().unwrap_err(),
    ];
    for error in errors.map(|error| error.to_string()) {
        assert!(error.len() < 450 && error.contains("no run at"), "{error}");
    }
}

#[test]
fn every_mean_is_over_the_queries_it_says() {
    let Golden { json, run, qrels } = golden();
    let cases = [
        ("mean_over_evaluated", AveragedOver::InBoth, 8),
        ("mean_over_all_judged", AveragedOver::Judged, 9),
        ("mean_over_queries_with_a_relevant", AveragedOver::WithRelevant, 8),
    ];
    for (key, over, queries) in cases {
        for (name, expected) in json[key].as_object().unwrap() {
            let evaluation = evaluate(&run, &qrels, &[metric(name)], over);
            near(evaluation.mean(metric(name)).unwrap(), expected, &format!("{name} in {key}"));
            assert_eq!(evaluation.len(), queries);
        }
    }
}

#[test]
fn ties_are_ranked_as_trec_eval_does() {
    let Golden { json, run, .. } = golden();
    for (query, expected) in json["order_trec"].as_object().unwrap() {
        let found: Vec<&str> =
            run.ranking(query).unwrap().iter().map(|(document, _)| document.as_str()).collect();
        let expected: Vec<&str> = expected.as_array().unwrap().iter().map(|d| d.as_str().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn mrr_at_10_is_the_reference_in_both_orders() {
    let Golden { json, run, qrels } = golden();
    let none = BTreeMap::new();
    for (order, values) in [
        ("order_trec", "per_query_trec_order"),
        ("order_ties_by_id_ascending", "per_query_ascending_id_order"),
    ] {
        for (query, expected) in json["mrr_at_10"][values].as_object().unwrap() {
            let ranking = json[order][query].as_array().unwrap().iter().map(|d| d.as_str().unwrap());
            let found = Metric::MrrAt(10).of(ranking, qrels.judgements(query).unwrap_or(&none));
            near(found, expected, &format!("{query} in {order}"));
        }
    }
    let evaluation = evaluate(&run, &qrels, &[Metric::MrrAt(10)], AveragedOver::Judged);
    let missing = Value::from(0.0);
    for (query, found) in evaluation.by_query(Metric::MrrAt(10)).unwrap() {
        let expected = &json["mrr_at_10"]["per_query_trec_order"][query];
        near(found, if expected.is_null() { &missing } else { expected }, query);
    }
}

/// sentence-transformers differs in two ways: judgements are binary, and ties break by id ascending. (Its MAP@100
/// divides by min(100, relevant), which here is the number of relevant documents.)
#[test]
fn the_information_retrieval_evaluator_agrees_on_its_own_order() {
    let Golden { json, qrels, .. } = golden();
    let reference = &json["sentence_transformers_ir_evaluator"];
    let queries: Vec<&str> =
        reference["queries"].as_array().unwrap().iter().map(|q| q.as_str().unwrap()).collect();
    let mut checked = 0;
    for (name, expected) in reference["metrics"].as_object().unwrap() {
        let metric: Metric = name.replace("@k@", "@").replace("accuracy", "success").parse().unwrap();
        let value = |query: &&str| {
            let judgements = qrels.judgements(query).unwrap().iter();
            let binary: BTreeMap<_, _> = judgements.map(|(d, r)| (d.clone(), i32::from(*r > 0))).collect();
            let order = json["order_ties_by_id_ascending"][*query].as_array();
            let ranking = order.into_iter().flatten().map(|d| d.as_str().unwrap());
            metric.of(ranking, &binary)
        };
        near(queries.iter().map(value).sum::<f64>() / queries.len() as f64, expected, name);
        checked += 1;
    }
    assert_eq!(checked, 14);
}

#[test]
fn runs_and_qrels_round_trip_through_files() {
    let Golden { run, qrels, .. } = golden();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    run.write_trec(&path, "retune").unwrap();
    assert_eq!(Run::read_trec(&path).unwrap(), run);
    let first = fs::read_to_string(&path).unwrap();
    assert!(first.starts_with("q0 Q0 d04 1 0.923 retune\n"), "{first}");
    qrels.write_trec(&path).unwrap();
    assert_eq!(Qrels::read_trec(&path).unwrap(), qrels);
    qrels.write_beir(&path).unwrap();
    assert_eq!(Qrels::read_beir(&path).unwrap(), qrels);

    let mut odd = Run::new();
    odd.insert("a query", vec![("d".into(), 1.0)]).unwrap();
    assert!(odd.write_trec(&path, "tag").is_err());
    assert!(run.write_trec(&path, "two words").is_err());
    assert!(odd.insert("q", vec![("d".into(), 1.0), ("d".into(), 2.0)]).is_err());
    assert!(odd.insert("q", vec![("d".into(), f32::NAN)]).is_err());
}

fn message<T: std::fmt::Debug>(result: crate::Result<T>) -> String {
    match result {
        Err(error @ Error::Invalid { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_lines_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let refuse = |text: &[u8], read: &dyn Fn(&Path) -> String, line: usize| {
        fs::write(&path, text).unwrap();
        let message = read(&path);
        assert!(message.contains(&format!("file:{line}:")), "{message}");
    };
    let run = |path: &Path| message(Run::read_trec(path));
    refuse(b"q Q0 d 1 2.5 t\n\nq Q0 e 1 x t\n", &run, 3);
    refuse(b"q Q0 d 1 2.5 t\nq Q0 d 2 1.5 t\n", &run, 2);
    refuse(b"q Q0 d 1 NaN t\n", &run, 1);
    refuse(b"q Q0 d 1 1.0\n", &run, 1);
    refuse(b"q Q0 d\xff 1 1.0 t\n", &run, 1);
    let trec = |path: &Path| message(Qrels::read_trec(path));
    refuse(b"q 0 d 1\nq 0 d 2\n", &trec, 2);
    refuse(b"q 0 d one\n", &trec, 1);
    let beir = |path: &Path| message(Qrels::read_beir(path));
    refuse(b"query-id\tcorpus-id\tscore\nq\td\n", &beir, 2);
    refuse(b"query-id\tcorpus-id\tscore\nquery-id\tcorpus-id\tscore\n", &beir, 2);
    refuse(b"q\td\t1.5\nq\te\t1\n", &beir, 1);
    refuse(b"q\td\tvery\n", &beir, 1);
    refuse(b"1\t1\t1\n1\t2\tNaN\n", &|path| message(Qrels::read_smart(path)), 2);
    assert!(matches!(Run::read_trec(&dir.path().join("none")), Err(Error::Io { .. })));
}

#[test]
fn a_collection_is_read_as_a_stream() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Collection::open(dir.path()), Err(Error::NotFound { .. })));
    fs::write(
        dir.path().join("corpus.jsonl"),
        "\u{feff}{\"_id\": \"d1\", \"title\": \"T\", \"text\": \"body\", \"metadata\": {}}\r\n\n\
         {\"_id\": 2, \"title\": null, \"text\": \"other\"}\n{\"title\": \"no id\"}\n{\"_id\": \"d4\"}\n",
    )
    .unwrap();
    fs::write(dir.path().join("queries.jsonl"), "{\"_id\": \"q1\", \"text\": \"what\"}\n{\"_id\": \"q2\"")
        .unwrap();
    fs::create_dir(dir.path().join("qrels")).unwrap();
    fs::write(dir.path().join("qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\t2\t1.0\n")
        .unwrap();
    let collection = Collection::open(dir.path()).unwrap();
    let documents: Vec<_> = collection.documents().unwrap().collect();
    let ids: Vec<_> =
        documents.iter().flatten().map(|d| (d.id.as_str(), d.title.as_str(), d.text.as_str())).collect();
    assert_eq!(ids, [("d1", "T", "body"), ("2", "", "other"), ("d4", "", "")]);
    let error = documents[2].as_ref().unwrap_err().to_string();
    assert!(error.contains("corpus.jsonl:4:") && error.contains("_id"), "{error}");
    let queries: Vec<_> = collection.queries().unwrap().collect();
    assert_eq!(queries[0].as_ref().unwrap().text, "what");
    assert!(queries[1].as_ref().unwrap_err().to_string().contains("queries.jsonl:2:"));
    assert_eq!(collection.splits(), ["test"]);
    let qrels = collection.qrels("test").unwrap();
    assert_eq!(
        (qrels.get("q1", "d1"), qrels.get("q1", "2"), qrels.get("q1", "d4")),
        (Some(2), Some(1), None)
    );
    for split in ["train", "../qrels/test"] {
        assert!(matches!(collection.qrels(split), Err(Error::NotFound { .. })));
    }
}

fn samples(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((0..=20u32, 0..=20u32), count)
        .prop_map(|pairs| pairs.iter().map(|(a, b)| (f64::from(*a) / 20.0, f64::from(*b) / 20.0)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_p_value_is_a_share_and_does_not_care_which_system_is_first(pairs in samples(0..30), seed: u64) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let forth = randomisation_test(&a, &b, seed).unwrap();
        let back = randomisation_test(&b, &a, seed).unwrap();
        prop_assert!(forth.p_value > 0.0 && forth.p_value <= 1.0);
        prop_assert_eq!(forth.p_value, back.p_value);
        prop_assert!((forth.difference + back.difference).abs() < 1e-12);
        prop_assert_eq!(forth.exact, a.len() < 14);
        prop_assert_eq!(randomisation_test(&a, &b, seed).unwrap(), forth);
        prop_assert_eq!(randomisation_test(&a, &a, seed).unwrap().p_value, 1.0);
    }

    #[test]
    fn sampling_comes_near_the_exact_value(pairs in samples(6..13), seed: u64) {
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
        let (exact, sampled) = (exact_p(&differences), sampled_p(&differences, seed));
        // Five standard deviations of a share of 10,000.
        prop_assert!((exact - sampled).abs() < 0.026, "{exact} {sampled}");
    }

    #[test]
    fn a_larger_advantage_everywhere_is_not_less_significant(count in 1usize..13, seed: u64) {
        let (worse, better) = (vec![0.25; count], vec![0.75; count]);
        let test = randomisation_test(&worse, &better, seed).unwrap();
        prop_assert_eq!(test.p_value, 2.0 / f64::from(1u32 << count));
        prop_assert_eq!(test.difference, 0.5);
    }
}

#[test]
fn samples_that_do_not_pair_are_refused() {
    assert!(randomisation_test(&[0.1], &[0.1, 0.2], 1).is_err());
    assert!(randomisation_test(&[f64::NAN], &[0.1], 1).is_err());
    assert_eq!(randomisation_test(&[], &[], 1).unwrap().p_value, 1.0);
}

#[test]
fn evaluations_are_compared_query_by_query() {
    let Golden { run, qrels, .. } = golden();
    let mut ideal = Run::new();
    for (query, judgements) in qrels.iter() {
        ideal.insert(query, judgements.iter().map(|(d, r)| (d.clone(), *r as f32)).collect()).unwrap();
    }
    let metrics = [Metric::NdcgAt(10)];
    let (first, second) =
        [&run, &ideal].map(|r| evaluate(r, &qrels, &metrics, AveragedOver::WithRelevant)).into();
    let test = compare(&first, &second, metrics[0], 7).unwrap();
    assert_eq!((test.pairs, test.exact, second.mean(metrics[0])), (8, true, Some(1.0)));
    assert_eq!(test.p_value, 2.0 / 256.0);
    assert!(compare(&first, &second, Metric::Map, 7).is_err());
}

#[test]
fn what_the_judges_never_saw_is_counted() {
    let judgements: BTreeMap<String, i32> = [("a".into(), 0), ("b".into(), 0)].into();
    let judged = |ranking: &[&str], k| Metric::JudgedAt(k).of(ranking.iter().copied(), &judgements);
    assert_eq!(judged(&["a", "x", "b", "y"], 3), 2.0 / 3.0);
    assert_eq!(judged(&["a", "x"], 10), 0.5);
    assert_eq!(judged(&[], 10), 0.0);
}

#[test]
fn nothing_found_is_zero_without_a_sign() {
    let judgements: BTreeMap<String, i32> = [("a".into(), 1)].into();
    for metric in ["ndcg@10", "mrr", "map", "recall@10", "precision@10", "r-precision", "bpref"] {
        let metric: Metric = metric.parse().unwrap();
        for ranking in [&[][..], &["x"]] {
            let found = metric.of(ranking.iter().copied(), &judgements);
            assert_eq!(found.to_bits(), 0, "{metric} of {ranking:?}");
        }
    }
}

#[test]
fn a_query_that_is_a_document_does_not_find_itself() {
    let mut run = Run::new();
    run.insert("d1", vec![("d1".into(), 2.0), ("d2".into(), 1.0)]).unwrap();
    run.insert("q", vec![("d1".into(), 1.0)]).unwrap();
    assert_eq!(run.remove_own_ids(), 1);
    assert_eq!(run.ranking("d1").unwrap(), [("d2".to_string(), 1.0)]);
    assert_eq!(run.ranking("q").unwrap().len(), 1);
}

#[test]
fn holm_corrects_the_least_most_and_keeps_their_order() {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
    let expected = [0.03, 0.06, 0.06, 0.02];
    for (found, expected) in holm(&[0.01, 0.04, 0.03, 0.005]).into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    assert!(holm(&[]).is_empty());
}

#[test]
fn the_bootstrap_comes_near_the_interval_of_the_normal_law() {
    // 200 values of 0 and 200 of 1: the mean's standard error is 0.025.
    let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
    let interval = bootstrap(&values, 7);
    assert!((interval.low - (0.5 - 1.96 * 0.025)).abs() < 0.004, "{interval:?}");
    assert!((interval.high - (0.5 + 1.96 * 0.025)).abs() < 0.004, "{interval:?}");
    assert_eq!(bootstrap(&values, 7), interval);
    assert_eq!(bootstrap(&[0.25; 9], 1), bootstrap(&[0.25], 2));
}

#[test]
fn judgements_of_either_form_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("qrels");
    for text in
        ["q 0 d 2\n", "q\td\t2\n", "query-id\tcorpus-id\tscore\nq\td\t2\n", "qid did Relevance\nq\td\t2\n"]
    {
        fs::write(&path, text).unwrap();
        assert_eq!(Qrels::read(&path).unwrap().get("q", "d"), Some(2), "{text}");
    }
    fs::write(&path, "q\tan id\t2\n").unwrap();
    assert_eq!(Qrels::read(&path).unwrap().get("q", "an id"), Some(2), "only tabs separate");
    fs::write(&path, "q 0 d high\n").unwrap();
    assert!(message(Qrels::read(&path)).contains("qrels:1:"));
}
