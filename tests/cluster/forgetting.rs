//! Forgetting: what was forgotten does not come back.

use retune::{Engine, Query, QueryId, Verdict};

use crate::support::{Index, import, index, log, logged, saying};

/// Asks, and says that the first document is the right one.
fn ask(index: &Index, text: &str) -> QueryId {
    let cluster = index.open();
    let answer = cluster.search(&Query::new(text)).unwrap();
    cluster.judge(answer.query_id, &answer.hits[0].document, Verdict::Chosen).unwrap();
    cluster.close().map(|()| answer.query_id).unwrap()
}

/// Queries and judgements that the log has.
fn held(engine: &Engine) -> (usize, usize) {
    let all = logged(engine);
    (all.len(), all.iter().map(|one| one.judgements.len()).sum())
}

fn on_cluster(index: &Index) -> (usize, usize) {
    (index.records("ubi_queries").len(), index.records("ubi_events").len())
}

#[test]
fn what_was_forgotten_on_both_sides_stays_forgotten() {
    let Some(index) = index("forgotten") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 20);
    index.migrate(&engine, 1);
    let [_, _, third, ..] =
        ["anchor 1", " ANCHOR  1", "anchor 2", "anchor 3", "anchor 4"].map(|text| ask(&index, text));
    import(&engine, &index);
    assert_eq!((held(&engine), on_cluster(&index)), ((5, 5), (5, 5)));
    let (cluster, log) = (index.open(), log(&engine));

    let records = (cluster.forget_query("Anchor 1").unwrap(), log.forget_query("Anchor 1").unwrap());
    assert_eq!(records, (4, 4));
    import(&engine, &index);
    assert_eq!((held(&engine), on_cluster(&index)), ((3, 3), (3, 3)));

    assert_eq!((cluster.forget_query_id(third).unwrap(), log.forget_query_id(third).unwrap()), (2, 2));
    assert_eq!(cluster.forget_query_id(third).unwrap(), 0);
    import(&engine, &index);
    assert_eq!((held(&engine), on_cluster(&index)), ((2, 2), (2, 2)));

    let document = logged(&engine)[0].judgements[0].document.clone();
    let (far, near) = (cluster.forget_document(&document).unwrap(), log.forget_document(&document).unwrap());
    assert!(far == near && far >= 2, "{far} {near}");
    let text = format!("{:?}{:?}", index.records("ubi_queries"), index.records("ubi_events"));
    assert!(!text.contains(&format!("{document:?}")), "{document} {text}");
    // Into an empty log it comes without the document, and all else as it was.
    let other = saying(&folder.path().join("other"), "anchor", 20);
    import(&other, &index);
    let [far, near] = [&other, &engine].map(logged);
    assert_eq!(far.len(), 2);
    for (far, near) in far.iter().zip(&near) {
        assert_eq!((&far.impression.hits, &far.judgements), (&near.impression.hits, &near.judgements));
        assert!(far.impression.hits.iter().all(|hit| hit.document != document && hit.chunk.is_some()));
    }

    // Another index keeps what is its own.
    let before = index.get("/ubi_queries/_count")["count"].as_u64().unwrap();
    let body = r#"{"application":"another","query_id":"q","user_query":"anchor 4",
        "timestamp":"2026-01-31T09:30:01.010Z"}"#;
    index.send("PUT", "/ubi_queries/_doc/another?refresh=true", "application/json", body);
    assert!(cluster.forget_everything().unwrap() >= 3);
    assert_eq!(on_cluster(&index), (0, 0));
    assert_eq!(index.get("/ubi_queries/_doc/another")["found"], true);
    assert!(index.get("/ubi_queries/_count")["count"].as_u64().unwrap() <= before + 1);
    index.send("DELETE", "/ubi_queries/_doc/another", "application/json", "");
    let third = saying(&folder.path().join("third"), "anchor", 20);
    assert_eq!(import(&third, &index).queries, 0);
}

#[test]
fn what_another_process_has_changed_since_is_forgotten_all_the_same() {
    let Some(index) = index("together") else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(folder.path(), "anchor", 12), 1);
    let cluster = index.open();
    let all: Vec<QueryId> = (0..40)
        .map(|at| cluster.search(&Query::new(format!("anchor number {at}")).with_limit(12)).unwrap().query_id)
        .collect();
    cluster.close().unwrap();
    // Each answer has all documents, so all of these change the same records.
    crossbeam_utils::thread::scope(|scope| {
        for at in 0..4 {
            let index = &index;
            scope.spawn(move |_| index.open().forget_document(&format!("anchor-{at}")).unwrap());
        }
    })
    .unwrap();
    let left = index.records("ubi_queries");
    assert_eq!(left.len(), all.len());
    for query in left {
        let hits: Vec<&str> = query["query_response_hit_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap())
            .collect();
        assert!(hits.len() == 8 && (0..4).all(|at| !hits.contains(&&*format!("anchor-{at}"))), "{hits:?}");
        for list in ["chunks", "lexical", "dense", "scores"] {
            assert_eq!(query["query_attributes"]["retune"][list].as_array().unwrap().len(), 8, "{list}");
        }
    }
}
