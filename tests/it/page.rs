//! A round as a page.

use crate::common::html::check;
use crate::common::rounds::learn;
use crate::common::{documents, judge_everything, open, quick_round};
use retune::learn::{GoldenQuery, Tier};
use retune::{Decision, RoundReport, page};

const SECTIONS: [&str; 7] = ["gate", "queries", "training", "similarities", "difficulty", "sources", "time"];

#[test]
fn the_page_of_a_round_has_every_section_and_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let train = quick_round().train.with_epochs(2);
    let golden = vec![GoldenQuery { text: "descaled kettle".into(), relevant: vec!["kettle".into()] }];
    let round = quick_round().with_train(train).with_golden(golden).with_tiers(&[Tier::Encoder]);
    let report = learn(&engine, &round);
    let html = page::html(&report).unwrap();
    assert_eq!(check(&html), SECTIONS);
    let sources = report.training.as_ref().unwrap().monitor.as_ref().unwrap().measurements[0].sources.len();
    // Of each source three; of steps, of difficulty; and the gate's.
    assert_eq!(html.matches("<svg ").count(), 3 * sources + 3 + 3 + 1);
    let scores = report.gate.after.unwrap();
    for text in [
        format!("<td>{:.4}\u{a0}(", scores.hybrid.ndcg_10),
        format!("<td>{:.4}\u{a0}(", scores.dense.mrr_10),
        "cosine</text>".into(),
        "share of pairs (%)".into(),
        "p-value of the paired test".into(),
        format!(
            "<th scope=\"row\">both, GMAP@20</th><td>{:.4}\u{a0}(",
            report.gate.before.unwrap().hybrid.gmap_20
        ),
        format!("<th scope=\"row\">golden, nDCG@10</th><td>{:.4}\u{a0}(", report.gate.golden.unwrap().before),
        "grown harder".into(),
        "hidden as suspected answers".into(),
        "@media print".into(),
    ] {
        let found = html.replace("\n</text>", "</text>");
        assert!(
            found.contains(&text) || text.starts_with("p-value") && report.gate.p_value.is_none(),
            "{text}"
        );
    }
    let mut json = serde_json::to_value(&report).unwrap();
    for side in ["before", "after"] {
        json["gate"][side]["hybrid"].as_object_mut().unwrap().remove("gmap@20").unwrap();
    }
    json["gate"].as_object_mut().unwrap().remove("intervals").unwrap();
    let older: RoundReport = serde_json::from_value(json).unwrap();
    let drawn = page::html(&older).unwrap();
    assert!(
        !drawn.contains("both, GMAP") && drawn.contains("both, MRR@10"),
        "of a round before it was measured"
    );
    assert!(drawn.contains(&format!("<td>{:.4}</td>", scores.hybrid.ndcg_10)));
    let path = folder.path().join("round.html");
    page::write(&report, &path).unwrap();
    page::write(&report, &path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), html);
    assert!(page::write(&report, &folder.path().join("no folder/round.html")).is_err());
}

#[test]
fn a_round_that_was_skipped_has_a_page_and_what_it_says_is_no_markup() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let report = learn(&engine, &quick_round());
    assert_eq!(report.gate.decision, Decision::Skipped);
    let html = page::html(&report).unwrap();
    assert_eq!(check(&html), SECTIONS);
    assert!(html.contains("The encoder was not trained.") && html.contains("Nothing was judged"));

    let mut json = serde_json::to_value(&report).unwrap();
    json["gate"]["reason"] = "<script>&".into();
    json["sources"]["<b>"] = 1.into();
    let report: RoundReport = serde_json::from_value(json).unwrap();
    let html = page::html(&report).unwrap();
    assert_eq!(check(&html), SECTIONS);
    assert!(html.contains("&lt;script&gt;&amp;") && html.contains("&lt;b&gt;"));
}
