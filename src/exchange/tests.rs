//! Tests over logs in folders.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::gather::Imported;
use super::*;
use crate::error::{Error, Result};
use crate::feedback::{FeedbackLog, FeedbackOptions, Impression, Judgement, Replay, Role, ShownHit, Verdict};
use crate::ids::{GenerationId, QueryId};
use crate::negatives::{Likeness, collect_confusables};

/// Milliseconds at 2026-01-31T09:30:00Z.
const NOON: u64 = 1_769_851_800_000;

/// All queries of a session ask for the same, and no document is a copy.
struct SameSession;

impl Likeness for SameSession {
    fn is_same_need(&mut self, _: &Impression, _: &Impression) -> bool {
        true
    }

    fn is_there(&mut self, _: &str) -> bool {
        true
    }

    fn is_duplicate(&mut self, _: &str, _: &str) -> bool {
        false
    }
}

fn shown(id: u64, session: Option<&str>, query: &str, documents: &[&str]) -> Impression {
    let hits = documents.iter().map(|document| ShownHit {
        document: document.to_string(),
        chunk: None,
        lexical: Some(3.5),
        dense: None,
        score: 0.25,
        standing: None,
    });
    Impression {
        query_id: QueryId(id),
        time_ms: NOON + id * 1000,
        generation: GenerationId(2),
        query: query.into(),
        words: query.contains('"').then(|| query.replace('"', "")),
        session: session.map(str::to_string),
        trial: None,
        hits: hits.collect(),
    }
}

fn said(id: u64, after_ms: u64, document: &str, verdict: Verdict) -> Judgement {
    Judgement {
        query_id: QueryId(id),
        time_ms: NOON + id * 1000 + after_ms,
        document: document.into(),
        verdict,
    }
}

/// A log with all that can be said.
fn some_log() -> Replay {
    let impressions = vec![
        shown(1, Some("visit"), "a \"green lamp\" burns", &["kettle", "lamp", "rope"]),
        shown(2, None, "gate", &["fog", "gate"]),
        shown(3, Some("visit"), "lamp", &["rope", "lamp"]),
        shown(4, None, "nothing said", &[]),
    ];
    let judgements = vec![
        said(1, 10, "rope", Verdict::Opened),
        said(1, 11, "rope", Verdict::Withdrawn),
        said(1, 500, "lamp", Verdict::Opened),
        said(2, 1, "gate", Verdict::Chosen),
        said(2, 2, "fog", Verdict::NotRelevant),
        said(2, 3, "not shown", Verdict::Relevant),
        said(3, 7, "lamp", Verdict::Chosen),
    ];
    Replay { impressions, judgements, ..Replay::default() }
}

fn open(folder: &Path) -> FeedbackLog {
    FeedbackLog::open(folder, FeedbackOptions::default(), Role::Merging).unwrap()
}

fn exported(replay: &Replay, format: ExchangeFormat) -> String {
    let mut lines = String::new();
    export(replay, format, &mut |line| {
        lines += line;
        lines.push('\n');
        Ok(())
    })
    .unwrap();
    lines
}

/// Reads texts as files, without writing to the log.
fn read(log: &FeedbackLog, texts: &[&str], options: &ImportOptions) -> Result<Imported> {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..texts.len()).map(|at| folder.path().join(format!("{at}.jsonl"))).collect();
    files.iter().zip(texts).for_each(|(file, text)| fs::write(file, text).unwrap());
    let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    import(&files, options, log.headings().unwrap())
}

/// Imports into an empty log.
fn read_new(texts: &[&str]) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    read(&open(folder.path()), texts, &ImportOptions::default()).unwrap()
}

fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = read(&open(folder.path()), &[text], &ImportOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    error.to_string()
}

#[test]
fn what_is_exported_and_imported_is_the_same_log_and_teaches_the_same() {
    for format in ExchangeFormat::ALL {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        let lines = exported(&some_log(), format);
        let imported = read(&log, &[&lines], &ImportOptions::default()).unwrap();
        assert_eq!((imported.report.queries, imported.report.judgements), (4, 7));
        log.import(imported.impressions, imported.judgements).unwrap();
        let replay = log.replay().unwrap();
        assert_eq!(exported(&replay, format), lines);
        assert_eq!(replay.judgements, some_log().judgements);
        let collected = |replay: &Replay| collect_confusables(replay, &mut SameSession);
        assert_eq!(collected(&replay), collected(&some_log()));
        assert!(!collected(&replay).0.is_empty());

        let again = read(&log, &[&lines, &lines], &ImportOptions::default()).unwrap();
        assert!(again.impressions.is_empty() && again.judgements.is_empty());
        assert_eq!((again.report.known_queries, again.report.known_judgements), (8, 14));
    }
}

#[test]
fn lines_have_the_fields_of_ubi() {
    let lines = exported(&some_log(), ExchangeFormat::Ubi);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(
        lines[0],
        r#"{"application":"retune","query_id":"0000000000000001","query_response_id":"0000000000000001","#
            .to_string()
            + r#""user_query":"a \"green lamp\" burns","#
            + r#""query_attributes":{"session_id":"visit","words":"a green lamp burns"},"#
            + r#""query_response_hit_ids":["kettle","lamp","rope"],"timestamp":"2026-01-31T09:30:01Z"}"#
    );
    assert_eq!(
        lines[1],
        r#"{"application":"retune","action_name":"click","message_type":"CLICK","#.to_string()
            + r#""query_id":"0000000000000001","session_id":"visit","timestamp":"2026-01-31T09:30:01.010Z","#
            + r#""event_attributes":{"object":{"object_id":"rope"},"position":{"ordinal":3}}}"#
    );
    assert!(lines[6].contains(r#""action_name":"not_relevant""#), "{}", lines[6]);
    assert!(
        lines[7].ends_with(r#""event_attributes":{"object":{"object_id":"not shown"}}}"#),
        "{}",
        lines[7]
    );
}

#[test]
fn a_line_of_a_session_has_what_trec_has() {
    let lines = exported(&some_log(), ExchangeFormat::TrecSession);
    let sessions: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(sessions.len(), 3);
    let second = &sessions[0]["interactions"][1];
    assert_eq!(sessions[0]["session"], "visit");
    assert_eq!((&second["num"], &second["query"]), (&2.into(), &"lamp".into()));
    assert_eq!(second["results"][1], serde_json::json!({ "rank": 2, "docno": "lamp" }));
    let click = serde_json::json!({
        "num": 1, "starttime": "2026-01-31T09:30:03.007Z", "rank": 2, "docno": "lamp", "action": "chosen"
    });
    assert_eq!(second["clicked"], serde_json::json!([click]));
    // What was said beside clicks is no click.
    let gate = &sessions[1]["interactions"][0];
    assert_eq!((gate["clicked"].as_array().unwrap().len(), gate["judged"].as_array().unwrap().len()), (1, 2));
    assert!(sessions[1].get("session").is_none());
}

#[test]
fn sessions_without_our_ids_are_read_and_known_again() {
    let line = r#"{"session":7,"interactions":[{"starttime":"2014-08-11T10:39:15Z","query":"lamp",
        "results":[{"rank":2,"docno":"b"},{"rank":1,"docno":"a"}],
        "clicked":[{"starttime":"2014-08-11T10:39:20Z","docno":"b"}]},
        {"starttime":"2014-08-11T10:40:15Z","query":"lamp"}]}"#
        .replace('\n', " ");
    let imported = read_new(&[&line]);
    assert_eq!(imported.impressions.len(), 2);
    assert_ne!(imported.impressions[0].query_id, imported.impressions[1].query_id);
    let first = &imported.impressions[0];
    assert_eq!(first.session.as_deref(), Some("7"));
    assert_eq!(first.hits.iter().map(|hit| &*hit.document).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(
        (imported.judgements[0].verdict, imported.judgements[0].query_id),
        (Verdict::Opened, first.query_id)
    );
    assert_eq!(read_new(&[&line]).impressions[0].query_id, first.query_id);
}

#[test]
fn ubi_is_read_as_opensearch_gives_it() {
    let query = r#"{"query_id":"00112233-4455-6677-8899-aabbccddeeff","user_query":"laptop","client_id":"c","#
        .to_string()
        + r#""query_attributes":{"page":"1"},"query_response_hit_ids":["B1","B2"],"timestamp":1769851800000}"#;
    let event = |action: &str, object: &str| {
        format!(r#"{{"action_name":"{action}","query_id":"00112233-4455-6677-8899-aabbccddeeff","#)
            + r#""session_id":"s","timestamp":"2026-01-31T10:30:05+01:00","message":null,"#
            + &format!(r#""event_attributes":{{"object":{{"object_id":{object},"object_id_field":"asin"}},"#)
            + r#""position":{"ordinal":2}}}"#
    };
    let click = event("click", "\"B2\"");
    let told = read_new(&[&format!("{query}\n{click}\n")]);
    assert_eq!(told.judgements[0].time_ms, NOON + 5000);
    assert_eq!(told.impressions[0].session.as_deref(), Some("s"), "told by the event alone");
    assert_eq!((told.impressions[0].generation, told.impressions[0].hits[0].chunk), (GenerationId(0), None));

    let hit = |index: &str, source: &str| format!(r#"{{"_index":"{index}","_id":"1","_source":{source}}}"#);
    let (one, other) = (hit("ubi_queries", &query), hit("ubi_events", &click));
    let bulk =
        format!("{{\"index\":{{\"_index\":\"ubi_queries\"}}}}\n{query}\n{{\"create\":{{}}}}\n{click}\n");
    for texts in [
        &[format!("{one}\n\n{other}\n")][..],
        // In files of their own, in whatever order.
        &[click.clone(), query.clone()],
        &[format!(
            r#"{{"took":3,"timed_out":false,"hits":{{"total":{{"value":2}},"hits":[{other},{one}]}}}}"#
        )],
        &[bulk],
    ] {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let imported = read_new(&texts);
        assert_eq!(imported.judgements, told.judgements, "{texts:?}");
        assert_eq!(imported.impressions.len(), 1, "{texts:?}");
        assert_eq!(imported.impressions[0].hits.len(), 2);
    }

    // An id that is a number; a document that is opened again later; what says nothing.
    let more = [
        event("view", "17"),
        event("purchase", "\"B1\"").replace("05+01:00", "09+01:00"),
        event("hover", "\"B1\""),
        event("click", "null"),
        event("click", "\"B1\"").replace("00112233", "99112233"),
        query.replace("laptop", " ").replace("00112233", "88112233"),
    ];
    let imported = read_new(&[&query, &more.join("\n")]);
    let said: Vec<_> = imported.judgements.iter().map(|one| (&*one.document, one.verdict)).collect();
    assert_eq!(said, [("17", Verdict::Opened), ("B1", Verdict::Chosen)]);
    let report = imported.report;
    assert_eq!(report.other_actions, [("hover".to_string(), 1)].into());
    assert_eq!(
        (report.events_without_document, report.events_without_query, report.queries_without_text),
        (1, 1, 1)
    );
}

#[test]
fn actions_mean_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let lines = exported(&some_log(), ExchangeFormat::Ubi).replace("\"chosen\"", "\"saved\"");
    let options =
        ImportOptions::default().with_action("saved", Some(Verdict::Relevant)).with_action("click", None);
    let imported = read(&open(folder.path()), &[&lines], &options).unwrap();
    let relevant = imported.judgements.iter().filter(|one| one.verdict == Verdict::Relevant);
    assert_eq!((relevant.count(), imported.judgements.len()), (3, 5));
    assert_eq!(imported.report.other_actions, [("click".to_string(), 2)].into());
}

#[test]
fn a_query_without_results_has_those_that_events_tell_of() {
    let query = r#"{"query_id":"q","user_query":"lamp","timestamp":"2026-01-31T09:30:00"}"#;
    let impression = |document: &str, ordinal: &str| {
        r#"{"action_name":"impression","query_id":"q","timestamp":1769851800001,"event_attributes":"#
            .to_string()
            + &format!(r#"{{"object":{{"object_id":"{document}"}},"position":{{{ordinal}}}}}}}"#)
    };
    let events = [
        impression("third", r#""xy":{"x":1,"y":2}"#),
        impression("second", r#""ordinal":2"#),
        impression("first", r#""ordinal":1"#),
        impression("second", r#""ordinal":2"#),
    ];
    let imported = read_new(&[query, &events.join("\n")]);
    let hits: Vec<_> = imported.impressions[0].hits.iter().map(|hit| &*hit.document).collect();
    assert_eq!(hits, ["first", "second", "third"]);
    assert!(imported.judgements.is_empty() && imported.report.other_actions.is_empty());
}

#[test]
fn a_bad_line_is_named_with_what_was_found() {
    let good = r#"{"query_id":"q","user_query":"lamp","timestamp":"2026-01-31T09:30:00Z"}"#;
    for (bad, word) in [
        ("{", "EOF"),
        ("[1]", "user_query"),
        (r#"{"name":"x"}"#, r#"{"name":"x"}"#),
        (r#"{"_source":{"name":"x"}}"#, "action_name"),
        (r#"{"query_id":"q","user_query":"lamp"}"#, "timestamp"),
        (r#"{"user_query":"lamp","timestamp":1}"#, "query_id"),
        (r#"{"query_id":"q","user_query":"lamp","timestamp":"noon"}"#, "noon"),
        (r#"{"query_id":"q","user_query":"lamp","timestamp":"1969-01-31T09:30:00Z"}"#, "1969"),
        (r#"{"query_id":true,"user_query":"lamp","timestamp":1}"#, "true"),
        (r#"{"query_id":"q","user_query":"lamp","timestamp":1,"query_response_hit_ids":[""]}"#, "empty id"),
        (r#"{"session":"s","interactions":[{"query":"lamp"}]}"#, "starttime"),
    ] {
        let message = refused(&format!("{good}\n\n{bad}\n"));
        assert!(message.contains("0.jsonl:3:") && message.contains(word), "{bad}: {message}");
    }
    let long = format!(
        r#"{{"query_id":"q","user_query":"l","timestamp":1,"query_response_hit_ids":["{}"]}}"#,
        "x".repeat(4097)
    );
    assert!(refused(&long).contains("4097 bytes"), "{}", refused(&long));
}

proptest! {
    #[test]
    fn lines_that_are_cut_or_changed_never_panic(
        at in 0..2000usize, with in any::<String>(), session in any::<bool>(), keep in any::<bool>(),
    ) {
        let format = if session { ExchangeFormat::TrecSession } else { ExchangeFormat::Ubi };
        let mut text = exported(&some_log(), format);
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let rest = text.split_off(at);
        text += &with;
        if keep {
            text += &rest;
        }
        read_lines(&text);
    }
}

#[test]
fn ids_and_sessions_of_others_become_ours() {
    assert_eq!(ids::query_id("00000000000000ab"), QueryId(0xab));
    assert_eq!(ids::query_id("1234-user-5678"), ids::query_id("1234-user-5678"));
    assert_ne!(ids::query_id("1234-user-5678"), ids::query_id("1234-user-5679"));
    assert_eq!(ids::session("visit"), Some("visit".to_string()));
    assert_eq!(ids::session(""), None);
    let long = ids::session(&"x".repeat(65)).unwrap();
    assert_eq!((long.len(), ids::session(&"y".repeat(65)) == Some(long)), (64, false));
}

#[test]
fn what_is_imported_stands_before_what_was_logged_later_and_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut recent = shown(9, None, "recent", &["lamp"]);
    recent.time_ms = NOON * 2;
    log.log_impression(recent);
    log.append_judgement(Judgement { time_ms: NOON * 2, ..said(9, 0, "lamp", Verdict::Chosen) }).unwrap();
    let lines = exported(&some_log(), ExchangeFormat::Ubi);
    let imported = read(&log, &[&lines], &ImportOptions::default()).unwrap();
    log.import(imported.impressions, imported.judgements).unwrap();
    // Also after the segments were merged.
    for _ in 0..2 {
        let log = open(folder.path());
        let replay = log.replay().unwrap();
        let ids: Vec<u64> = replay.impressions.iter().map(|one| one.query_id.0).collect();
        assert_eq!(ids, [1, 2, 3, 4, 9]);
        assert_eq!(replay.judgements.last().unwrap().query_id, QueryId(9));
        assert_eq!(log.latest_impression().unwrap().unwrap().query_id, QueryId(9));
        assert_eq!(log.find_impression(QueryId(3)).unwrap().unwrap().query, "lamp");
        assert!(replay.damage.is_empty());
        log.close().unwrap();
    }
}

#[cfg(feature = "opensearch")]
#[test]
fn a_record_on_a_cluster_has_all_of_an_answer_and_loses_a_document_whole() {
    let mut one = shown(7, Some("visit"), "a \"green lamp\"", &["kettle", "lamp", "rope"]);
    let scores = [(Some(0.1), Some(-0.7)), (None, Some(0.3)), (Some(2.0), None)];
    for (hit, (at, (lexical, dense))) in one.hits.iter_mut().zip([u64::MAX, 0, 7].into_iter().zip(scores)) {
        (hit.chunk, hit.lexical, hit.dense) = (Some(crate::ids::ChunkId(at)), lexical, dense);
        hit.score = 1.0 / 3.0;
    }
    let mut record: serde_json::Value =
        serde_json::from_str(&query_record(&one, "handbook").unwrap()).unwrap();
    assert_eq!((&record["application"], query_id_of(&record)), (&"handbook".into(), Some(one.query_id)));
    // It answered in another place: the number of its generation says nothing here.
    one.generation = GenerationId(0);
    assert_eq!(read_answer(&record).unwrap(), one);
    assert!(!without_document(&mut record, "fog"));
    assert!(without_document(&mut record, "lamp"));
    one.hits.remove(1);
    assert_eq!(read_answer(&record).unwrap(), one);
    // Lists that somebody else has cut say nothing.
    record["query_attributes"]["retune"]["dense"] = serde_json::json!([0.5]);
    let read = read_answer(&record).unwrap();
    assert!(read.hits.len() == 2 && read.hits.iter().all(|hit| hit.chunk.is_none() && hit.score.is_nan()));
    let event: serde_json::Value =
        serde_json::from_str(&event_record(&said(7, 1, "rope", Verdict::Chosen), &one, "handbook").unwrap())
            .unwrap();
    assert_eq!((document_of(&event).as_deref(), query_id_of(&event)), (Some("rope"), Some(one.query_id)));
    assert_eq!(event["event_attributes"]["position"]["ordinal"], 2);
}
