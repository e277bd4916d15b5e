//! Logs that leave one index and come into another, on the tiny model.

use std::fs;

use crate::common::rounds::learn;
use crate::common::{documents, judge_everything, open, options, quick_round};
use retune::exchange::{ExchangeFormat, ImportOptions};
use retune::{Feedback, Query, Verdict};

#[test]
fn an_index_learns_the_same_from_an_imported_log() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let engines = [0, 1].map(|at| {
        let engine = open(folders[at].path());
        engine.add(documents()).unwrap();
        engine
    });
    judge_everything(&engines[0]);
    for text in ["green keeper", "two minutes", "river level", "spring store"] {
        let answer = engines[0].search(&Query::new(text).with_session("visit")).unwrap();
        engines[0].judge(answer.query_id, &answer.hits[2].document, Verdict::Opened).unwrap();
    }
    let [from, into] = [0, 1].map(|at| Feedback::open(folders[at].path().join("index"), &options()).unwrap());
    let file = folders[0].path().join("log.jsonl");
    for format in ExchangeFormat::ALL {
        let exported = from.export_to(format, &file).unwrap();
        assert_eq!((exported.queries, exported.judgements, exported.judgements_without_query), (20, 20, 0));
        // Beside the engine that is open, whose last query stays the last one.
        let asked = engines[1].search(&Query::new("asked in between")).unwrap();
        let report = into.import(&[&file], &ImportOptions::default()).unwrap();
        let new = if format == ExchangeFormat::Ubi { 20 } else { 0 };
        assert_eq!((report.queries, report.judgements), (new, new));
        assert_eq!((report.known_queries, report.known_judgements), (20 - new, 20 - new));
        assert_eq!((report.missing_documents, report.documents > 0), (0, new > 0));
        assert_eq!(engines[1].last_query().unwrap().unwrap().query_id, asked.query_id);
        engines[1].forget_query_id(asked.query_id).unwrap();
        let again = into.export_to(format, folders[1].path().join("log.jsonl")).unwrap();
        assert_eq!(again, exported);
        let [first, second] = [0, 1].map(|at| fs::read(folders[at].path().join("log.jsonl")).unwrap());
        assert_eq!(first, second);
    }
    assert_eq!(engines[1].status().unwrap().feedback.unwrap().judgements, 20);
    let [own, imported] = engines.map(|engine| learn(&engine, &quick_round()));
    assert!(own.examples > 0 && own.sources["confusable"] > 0);
    assert_eq!(
        (own.examples, own.held_out, own.sources),
        (imported.examples, imported.held_out, imported.sources)
    );
}

#[test]
fn what_the_index_does_not_have_is_named_and_judged_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let feedback = Feedback::open(folder.path().join("index"), &options()).unwrap();
    let file = folder.path().join("clicks.jsonl");
    let query =
        r#"{"query_id":"q","user_query":"lamp","timestamp":1,"query_response_hit_ids":["lamp","gone"]}"#;
    let event = r#"{"action_name":"click","query_id":"q","timestamp":2,"#.to_string()
        + r#""event_attributes":{"object":{"object_id":"gone"}}}"#;
    fs::write(&file, format!("{query}\n{event}\n")).unwrap();
    let report = feedback.import(&[&file], &ImportOptions::default()).unwrap();
    assert_eq!((report.documents, report.missing_documents), (2, 1));
    assert_eq!(report.missing_examples, ["gone"]);

    // A bad line, and nothing is imported; the log stays as it is.
    let before = engine.status().unwrap().feedback.unwrap();
    fs::write(&file, format!("{}\n{{}}\n", query.replace("\"q\"", "\"other\""))).unwrap();
    let error = feedback.import(&[&file], &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("clicks.jsonl:2: {}"), "{error}");
    let after = engine.status().unwrap().feedback.unwrap();
    assert_eq!((after.impressions, after.judgements), (before.impressions, before.judgements));

    // It is a query like any other: judged, listed, forgotten, and it survives reopening.
    let asked = feedback.last_query().unwrap().unwrap();
    assert_eq!((asked.query.as_str(), asked.generation.0), ("lamp", 0));
    feedback.judge(asked.query_id, "lamp", Verdict::Chosen).unwrap();
    feedback.close().unwrap();
    engine.close().unwrap();
    let engine = open(folder.path());
    let page = engine.queries(&Default::default()).unwrap();
    assert_eq!((page.queries.len(), page.queries[0].judgements.len()), (1, 2));
    assert_eq!(engine.forget_document("gone").unwrap(), 2);
    assert_eq!(engine.find_query(&asked.query_id.to_string()).unwrap().hits.len(), 1);
}
