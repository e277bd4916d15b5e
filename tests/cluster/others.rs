//! Indices of User Behavior Insights that others have made.

use std::collections::BTreeSet;

use retune::{Query, QueryId, Verdict};
use serde_json::{Value as Json, json};

use crate::support::{Index, import, index, logged, saying};

/// The indices of the plugin for OpenSearch 2.19, with three shards each.
fn of_the_plugin() -> [Json; 2] {
    let queries = json!({ "dynamic": false, "properties": {
        "timestamp": { "type": "date", "format": "strict_date_time" },
        "query_id": { "type": "keyword", "ignore_above": 100 },
        "query": { "type": "text" },
        "query_response_id": { "type": "keyword", "ignore_above": 100 },
        "query_response_hit_ids": { "type": "keyword" },
        "user_query": { "type": "keyword" },
        "query_attributes": { "type": "flat_object" },
        "client_id": { "type": "keyword", "ignore_above": 100 },
        "application": { "type": "keyword", "ignore_above": 100 },
    } });
    let events = json!({ "properties": {
        "application": { "type": "keyword", "ignore_above": 256 },
        "action_name": { "type": "keyword", "ignore_above": 100 },
        "query_id": { "type": "keyword", "ignore_above": 100 },
        "timestamp": { "type": "date", "format": "strict_date_time", "ignore_malformed": true },
        "event_attributes": { "dynamic": true, "properties": {
            "position": { "properties": { "ordinal": { "type": "integer" } } },
            "object": { "properties": { "object_id": { "type": "keyword", "ignore_above": 256 } } },
        } },
    } });
    let settings = json!({ "number_of_shards": 3, "number_of_replicas": 1 });
    [queries, events].map(|mappings| json!({ "settings": settings, "mappings": mappings }))
}

/// Those of its first version, which has no field for the application of a query, nor for the query of an event.
fn of_its_first_version() -> [Json; 2] {
    let mut both = of_the_plugin();
    both[0]["mappings"]["properties"].as_object_mut().unwrap().remove("application");
    both[0]["mappings"]["properties"]["timestamp"] = json!({ "type": "date" });
    both[1]["mappings"]["properties"].as_object_mut().unwrap().remove("query_id");
    both
}

fn drop_both(index: &Index) {
    index.send("DELETE", "/ubi_queries,ubi_events?ignore_unavailable=true", "application/json", "");
}

/// Everything that is done with the indices.
fn assert_usable(index: &Index, about: &str) {
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 20);
    let cluster = index.open();
    let [first, second] = ["anchor 3", "anchor 7"].map(|text| {
        let answer = cluster.search(&Query::new(text)).unwrap();
        cluster.judge(answer.query_id, &answer.hits[0].document, Verdict::Chosen).unwrap();
        answer.query_id
    });
    let report = import(&engine, index);
    assert_eq!((report.queries, report.judgements), (2, 2), "{about}");
    assert!(logged(&engine).iter().all(|one| one.impression.hits[0].chunk.is_some()), "{about}");
    assert_eq!(cluster.find_query(&first.to_string()[..14]).unwrap().query_id, first, "{about}");
    assert_eq!(cluster.forget_query_id(first).unwrap(), 2, "{about}");
    assert!(cluster.forget_document("anchor-7").unwrap() >= 2, "{about}");
    let left = index.records("ubi_queries");
    assert!(left.len() == 1 && left[0]["query_id"] == second.to_string(), "{about} {left:?}");
    assert!(index.records("ubi_events").is_empty(), "{about}");
    assert_eq!(cluster.forget_everything().unwrap(), 1, "{about}");
    cluster.close().unwrap();
}

#[test]
fn they_are_used_as_they_are() {
    let Some(index) = index("plugin") else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(folder.path(), "anchor", 20), 1);
    for (about, bodies) in
        [("the plugin's", of_the_plugin()), ("its first version's", of_its_first_version())]
    {
        drop_both(&index);
        for (name, body) in ["/ubi_queries", "/ubi_events"].iter().zip(&bodies) {
            let (status, answer) = index.send("PUT", name, "application/json", &body.to_string());
            assert_eq!(status, 200, "{answer}");
        }
        assert_usable(&index, about);
        assert!(index.get("/ubi_queries")["ubi_queries"]["settings"]["index"]["number_of_shards"] == "3");
    }
    // What the cluster makes of a first record without being told.
    drop_both(&index);
    let query = r#"{"application":"x","query_id":"1","user_query":"x","timestamp":"2026-01-31T09:30:01.010Z",
        "query_response_hit_ids":["x"],"query_attributes":{"a":1}}"#;
    let event = r#"{"application":"x","query_id":"1","action_name":"click","timestamp":"2026-01-31T09:30:01.010Z",
        "event_attributes":{"object":{"object_id":"x"},"position":{"ordinal":1}}}"#;
    for (name, record) in [("ubi_queries", query), ("ubi_events", event)] {
        let (status, answer) =
            index.send("PUT", &format!("/{name}/_doc/x?refresh=true"), "application/json", record);
        assert_eq!(status, 201, "{answer}");
    }
    assert_usable(&index, "the cluster's own");
    drop_both(&index);
}

#[test]
fn all_records_of_many_pages_and_shards_are_read_once_and_what_can_not_be_read_is_counted() {
    const QUERIES: u64 = 4500;
    let Some(index) = index("pages") else { return };
    drop_both(&index);
    for (name, body) in ["/ubi_queries", "/ubi_events"].iter().zip(&of_the_plugin()) {
        assert_eq!(index.send("PUT", name, "application/json", &body.to_string()).0, 200);
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 5);
    index.migrate(&engine, 1);
    let time = "2026-01-31T09:30:01.010Z";
    let mut lines = String::new();
    for id in 0..QUERIES {
        let id = QueryId(id).to_string();
        for (of, own) in [(&*index.name, ""), ("another", "x")] {
            let query = json!({ "application": of, "query_id": id, "user_query": "anchor", "timestamp": time,
                "query_response_hit_ids": ["anchor-1"] });
            let event = json!({ "application": of, "query_id": id, "action_name": "click", "timestamp": time,
                "event_attributes": { "object": { "object_id": "anchor-1" } } });
            for (name, record) in [("ubi_queries", query), ("ubi_events", event)] {
                let action = json!({ "index": { "_index": name, "_id": format!("{id}{own}") } });
                lines += &format!("{action}\n{record}\n");
            }
        }
    }
    let broken = json!({ "application": index.name, "query_id": "without a time", "user_query": "anchor" });
    let hovered = json!({ "application": index.name, "query_id": QueryId(1).to_string(), "action_name": "hover",
        "timestamp": time });
    for (name, record) in [("ubi_queries", broken), ("ubi_events", hovered)] {
        lines += &format!("{}\n{record}\n", json!({ "index": { "_index": name } }));
    }
    let (status, answer) = index.send("POST", "/_bulk", "application/x-ndjson", &lines);
    assert!(status == 200 && answer["errors"] == false);
    let report = import(&engine, &index);
    let many = QUERIES as usize;
    assert_eq!((report.queries, report.judgements, report.unreadable), (many, many, 1));
    assert_eq!((report.documents, report.missing_documents, report.other_actions["hover"]), (1, 0, 1));
    let ids: BTreeSet<QueryId> = logged(&engine).iter().map(|one| one.impression.query_id).collect();
    assert!(ids.into_iter().eq((0..QUERIES).map(QueryId)));
    let again = import(&engine, &index);
    assert_eq!((again.known_queries, again.known_judgements), (many, many));
    assert_eq!(index.open().forget_query("Anchor").unwrap(), 2 * many + 2);
    drop_both(&index);
}
