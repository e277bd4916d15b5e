//! An evaluation and a comparison as pages.

use crate::common::html::check;
use retune::eval::{AveragedOver, Comparison, Evaluation, Inventory, Metric, Qrels, Run, evaluate};
use retune::measure::WeightMean;
use retune::page::{self, ComparisonReport, EvaluationReport};
use retune::{Fusion, Took};

const SECTIONS: [&str; 5] = ["figures", "queries", "weights", "speed", "collection"];
const METRICS: [Metric; 3] = [Metric::Map, Metric::NdcgAt(10), Metric::RecallAt(100)];

/// Queries whose one answer stands at these ranks; 0: nowhere.
fn ranked(ranks: &[usize], metrics: &[Metric]) -> Evaluation {
    let (mut run, mut qrels) = (Run::new(), Qrels::new());
    for (query, &rank) in ranks.iter().enumerate() {
        let id = format!("<q{query}>&");
        let name = |place: usize| if place == rank { "answer".into() } else { format!("other{place}") };
        run.insert(&id, (1..=12).map(|place| (name(place), 1.0 / place as f32)).collect()).unwrap();
        qrels.insert(&id, "answer", 1);
    }
    evaluate(&run, &qrels, metrics, AveragedOver::Judged)
}

fn took(total: f64) -> Took {
    let mut took = Took::default();
    took.total = total;
    took
}

/// A report with everything in it.
fn full() -> EvaluationReport {
    let [lexical, dense, hybrid] =
        [[1, 3, 0, 2, 1], [2, 1, 0, 5, 1], [1, 2, 0, 1, 1]].map(|ranks| ranked(&ranks, &METRICS));
    let mut report = EvaluationReport::new(lexical, dense, hybrid);
    report.collection = "<collection>".into();
    report.split = "test".into();
    let mut inventory = Inventory::default();
    inventory.empty_documents = 31;
    report.inventory = Some(inventory);
    report.texts.insert("<q3>&".into(), "</table><script>".repeat(20) + "\u{7}");
    report.fusion = Fusion::Convex { dense_weight: 0.25 };
    let weight = |step: i32| WeightMean {
        dense_weight: f64::from(step) / 10.0,
        mean: 0.8 + f64::from(step % 8) / 100.0,
    };
    report.weights = (0..=10).map(weight).collect();
    // One is so slow that the others would have no room.
    report.took_ms = (1..=99).map(|time| took(f64::from(time))).chain([took(5000.0)]).collect();
    (report.encoded, report.encode_seconds) = (1400, 70.0);
    report.setup = vec![("kernel".into(), "<avx2>".into())];
    report
}

fn has(html: &str, texts: &[&str]) {
    for text in texts {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn the_page_of_an_evaluation_has_every_plot_and_needs_nothing_else() {
    let report = full();
    let html = page::html(&report).unwrap();
    assert_eq!(check(&html), SECTIONS);
    for plot in [
        "the means of each mode",
        "each query by its scores by words and by meaning",
        "each query by the better of words and meaning",
        "what each query gains",
        "the score of both by the weight of meaning",
        "how long searches took",
    ] {
        assert_eq!(html.matches(&format!("<svg role=\"img\" aria-label=\"{plot}")).count(), 1, "{plot}");
    }
    let interval = report.dense.interval(Metric::Map, 42).unwrap();
    let mean = report.dense.mean(Metric::Map).unwrap();
    has(
        &html,
        &[
            &format!("<td>{mean:.4}\u{a0}({:.3}\u{a0}to\u{a0}{:.3})</td>", interval.low, interval.high),
            // Of the fourth query's ranks 2, 5 and 1 the better side's is 2; of the second's 3, 1 and 2 it is 1.
            "Of 5 queries, both together are above the better of words and meaning on 1, equal on 3, below on 1.",
            "+0.3691</td><td data-label=\"words\">0.6309</td><td data-label=\"meaning\">0.3869</td>",
            "-0.3691</td><td data-label=\"words\">0.5000</td><td data-label=\"meaning\">1.0000</td>",
            "The best of these weights is 0.70, with 0.8700",
            "<th scope=\"row\">0.20</th><td>0.8200</td>",
            "<th scope=\"row\">0.25, in use</th><td>0.7262</td>",
            "1400 documents were encoded and added in 70.0 seconds: 20.0 a second.",
            "p50 51.00 ms",
            "p95 95.00 ms",
            "leaves out slower searches: 1, the slowest 5000.0 ms.",
            "<td>31</td>",
            "&lt;avx2&gt;",
            "&lt;collection&gt;",
        ],
    );
    assert!(html.contains("&lt;q3&gt;&amp;: &lt;/table&gt;") && html.contains("…</th>"), "texts are cut");
    assert!(!html.contains('\u{7}') && !html.contains("<script"));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    page::write(&report, &path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), html);
}

#[test]
fn the_fusion_in_use_is_marked_whatever_it_is() {
    let mut report = full();
    has(&page::html(&report).unwrap(), &["ring: in use"]);
    report.fusion = Fusion::RRF;
    has(&page::html(&report).unwrap(), &["long dashes: in use", "reciprocal rank fusion"]);
}

#[test]
fn little_and_nothing_have_pages_too() {
    let page_of = |ranks: [&[usize]; 3], metrics: &[Metric]| {
        let [lexical, dense, hybrid] = ranks.map(|ranks| ranked(ranks, metrics));
        let mut report = EvaluationReport::new(lexical, dense, hybrid);
        report.weights = [0.0, 1.0].map(|dense_weight| WeightMean { dense_weight, mean: 0.0 }).to_vec();
        report.took_ms = vec![took(0.0)];
        let html = page::html(&report).unwrap();
        assert_eq!(check(&html), SECTIONS);
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
        html
    };
    page_of([&[1], &[2], &[1]], &METRICS);
    let equal = page_of([&[1; 40]; 3], &METRICS);
    has(&equal, &["equal on 40, below on 0"]);
    assert!(!equal.contains("Queries that gain most"));
    page_of([&[0; 3]; 3], &METRICS);
    page_of([&[], &[], &[]], &METRICS);
    has(&page_of([&[1], &[2], &[1]], &[Metric::Map]), &["map by weight"]);
    page_of([&[1], &[2], &[1]], &[]);

    let [lexical, dense, hybrid] = [1, 2, 1].map(|rank| ranked(&[rank], &METRICS));
    let bare = page::html(&EvaluationReport::new(lexical, dense, hybrid)).unwrap();
    has(&bare, &["Other weights were not tried.", "No search was timed.", "No document had to be encoded."]);
}

#[test]
fn the_page_of_a_comparison_has_every_run_and_its_queries() {
    let first = ranked(&[1, 3, 0, 2, 1], &METRICS);
    let others = [("<runs>/b", [2, 1, 0, 2, 0]), ("c", [1, 3, 0, 2, 1])]
        .map(|(name, ranks)| (name.to_string(), ranked(&ranks, &METRICS)));
    let comparisons = Comparison::of_all(&first, &others, 42).unwrap();
    let report = ComparisonReport::new("a & b", comparisons).with_most(1);
    let html = page::html(&report).unwrap();
    assert_eq!(check(&html), ["tests", "queries"]);
    // Of each run, by the first metric.
    assert_eq!(html.matches("<svg ").count(), 2 * 2);
    let one = &report.comparisons[1];
    let mut numbers =
        [one.first, one.second, one.difference, one.p_value, one.p_holm].map(|n| format!("{n:.4}"));
    numbers[2] = format!("{:+.4}", one.difference);
    let counts = [1, 2, 2].map(|count: usize| count.to_string());
    let interval = format!("{:+.4} to {:+.4}", one.interval.low, one.interval.high);
    let labels = ["A", "this", "difference", "95 % interval", "p", "p (Holm)", "won", "lost", "tied"];
    let values = numbers[..3].iter().chain([&interval]).chain(&numbers[3..]).chain(&counts);
    let cells = labels.iter().zip(values);
    let cells: String =
        cells.map(|(label, value)| format!("<td data-label=\"{label}\">{value}</td>")).collect();
    let row = format!("<th scope=\"row\">&lt;runs&gt;/b, ndcg@10</th>{cells}");
    has(
        &html,
        &[&row, "a &amp; b", "1 won", "2 lost", "0 won", "5 tied", "&lt;q1&gt;&amp;", "Queries lost most"],
    );
    // The first metric is the average precision: the answer that was first and is nowhere loses most, alone named.
    has(&html, &["<td>1.0000</td><td>0.0000</td><td>-1.0000</td>"]);
    assert!(!html.contains("<td>1.0000</td><td>0.5000</td>"));

    let one_query = Comparison::of_all(&ranked(&[1], &METRICS), &[("b".into(), ranked(&[2], &METRICS))], 42);
    check(&page::html(&ComparisonReport::new("a", one_query.unwrap())).unwrap());
    check(&page::html(&ComparisonReport::new("a", Vec::new())).unwrap());
}
