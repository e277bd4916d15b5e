//! The service over an index on a cluster.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use retune::access::Own;
use retune::access::api::{FilesRequest, ReadRequest, SearchRequest, SimilarRequest};
use retune::{ChunkId, Document};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::faults::{Nodes, manager, wait_green};
use crate::site::Site;
use crate::support::{handbook, import, index, logged, questions, saying};

/// An answer without what differs between two runs, and with scores to three digits.
fn plain(answer: impl Serialize) -> Json {
    let mut answer = serde_json::to_value(answer).unwrap();
    for changing in ["query_id", "took_ms", "path", "file", "passed_over"] {
        answer.as_object_mut().unwrap().remove(changing);
    }
    for hit in answer["hits"].as_array_mut().into_iter().flatten() {
        for name in ["score", "words", "meaning"] {
            hit[name] = hit[name].as_f64().map(|score| (score * 1e3).round()).into();
        }
    }
    answer
}

#[test]
fn it_answers_what_the_index_does_that_was_migrated() {
    let Some(index) = index("served") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = handbook(folder.path());
    index.migrate(&engine, 2);
    let (own, site) = (Own::new(engine.clone()), Site::start(&index));
    let mut compared = 0;
    for (at, question) in questions().into_iter().enumerate() {
        let q = question.replace(['?', '&', '#', '%', '+'], " ");
        let near = own.search(&SearchRequest::new(&q)).unwrap();
        let far = site.get(&format!("search?q={}", q.replace(' ', "+")));
        assert_eq!(plain(&far)["hits"][0], plain(&near)["hits"][0], "{q}");
        if at % 5 > 0 {
            continue;
        }
        let (document, passage) = (&near.hits[0].document, near.hits[0].passage.0);
        let of_it = format!("document={document}&passage={passage}");
        let mut read = ReadRequest::new(document);
        read.passage = Some(ChunkId(passage));
        assert_eq!(plain(site.get(&format!("read?{of_it}"))), plain(own.read(&read).unwrap()));
        let mut similar = SimilarRequest::new(document);
        (similar.passage, similar.limit) = (Some(ChunkId(passage)), 3);
        let far = site.get(&format!("similar?{of_it}&limit=3"));
        assert_eq!(plain(far), plain(own.similar(&similar).unwrap()));
        compared += 1;
    }
    assert!(compared > 3);
    let (mut after, mut listed) = (None, 0);
    loop {
        let mut request = FilesRequest::default();
        (request.limit, request.after) = (3, after.clone());
        let near = own.files(&request).unwrap();
        let behind = after.map(|after| format!("&after={after}")).unwrap_or_default();
        assert_eq!(plain(site.get(&format!("files?limit=3{behind}"))), plain(&near));
        listed += near.documents.len();
        after = near.next;
        if after.is_none() {
            break;
        }
    }
    let (near, far) = (own.status().unwrap(), site.get("status"));
    assert_eq!((near.documents, &json!(near.documents)), (listed, &far["documents"]));
    assert_eq!((&json!(near.chunks), &json!(near.model.weights)), (&far["chunks"], &far["model"]["weights"]));
    assert_eq!(far["cluster"], json!({ "name": index.name, "nodes": 3, "health": "green" }));
    site.stop();
}

#[test]
fn a_document_is_listed_by_its_first_passage_and_read_in_order() {
    let Some(index) = index("ordered") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = crate::common::open(folder.path());
    let long = |first: &str| {
        let rest: Vec<String> = (0..400)
            .map(|at| format!("Paragraph {at} tells of the weir and of its keepers, one by one."))
            .collect();
        format!("# {first}\n\nBegins.\n\n# Weir\n\n{}\n", rest.join("\n\n"))
    };
    let document = |first: &str| Document::new("weir", long(first)).with_format(retune::Format::Markdown);
    engine.add(vec![document("Old")]).unwrap();
    index.migrate(&engine, 1);
    // The passage at the beginning gets the highest id.
    engine.add(vec![document("New")]).unwrap();
    index.migrate(&engine, 1);
    let (own, site) = (Own::new(engine.clone()), Site::start(&index));
    let mut whole = ReadRequest::new("weir");
    whole.whole = true;
    let near = own.read(&whole).unwrap();
    assert!(near.passages.len() > 5 && near.passages[0].passage > near.passages[1].passage);
    assert_eq!(plain(site.get("read?document=weir&whole=true")), plain(&near));
    let listed = site.get("files");
    assert_eq!(plain(&listed), plain(own.files(&FilesRequest::default()).unwrap()));
    assert_eq!(listed["documents"][0]["title"], "New");
    assert_eq!(site.try_get("read?document=none").0, 404);
    site.stop();
}

#[test]
fn what_is_said_over_it_is_on_the_cluster_and_told_and_forgotten() {
    let Some(index) = index("said") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 30);
    index.migrate(&engine, 1);
    let (one, other) = (Site::start(&index), Site::beside(&index));
    assert_eq!(one.get("log"), json!({ "queries": [], "next": null }));
    let (first, documents) = one.search("anchor 17");
    one.judge(&first, &documents[0], "opened");
    // A process of its own knows the answer, and notes what is read for it.
    other.get(&format!("read?document={}&query_id={first}", documents[1]));
    other.judge(&first, &documents[0], "chosen");
    let (second, _) = other.search("harbour Number 3");
    let (third, _) = other.search("harbour number 4");
    let events = index.records("ubi_events");
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event["query_id"] == first.as_str()), "{events:?}");
    let ids = |log: &Json| -> Vec<String> {
        let queries = log["queries"].as_array().unwrap().iter();
        queries.map(|one| one["query_id"].as_str().unwrap().to_string()).collect()
    };
    // Whatever is still in the queue of the other one comes within a second.
    let begun = Instant::now();
    while ids(&one.get("log")).len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(100));
    }
    let log = one.get("log");
    assert_eq!(ids(&log), [&third[..], &second, &first]);
    let said = |document: &str, verdict: &str| json!({ "document": document, "verdict": verdict });
    let picked = [("opened", 0), ("opened", 1), ("chosen", 0)];
    let picked: Vec<Json> = picked.iter().map(|(verdict, at)| said(&documents[*at], verdict)).collect();
    assert_eq!(log["queries"][2]["picked"], json!(picked));
    let page = one.get("log?limit=2");
    assert_eq!((ids(&page).len(), &page["next"]), (2, &json!(second)));
    assert_eq!(ids(&one.get(&format!("log?limit=2&after={second}"))), [&first[..]]);
    assert_eq!(ids(&one.get("log?contains=NUMBER++3")), [&second[..]]);
    assert_eq!(one.try_get("log?after=0000000000000001").0, 404);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(one.get("status")["log"], json!({ "impressions": 3, "judgements": 3 }));
    assert_eq!(import(&engine, &index).judgements, 3);
    assert_eq!(logged(&engine).len(), 3);
    assert_eq!(one.post("forget", &json!({ "query_id": first }))["records"], 4);
    assert_eq!(one.post("forget", &json!({ "query": "Harbour  number 3" }))["records"], 1);
    assert_eq!(ids(&other.get("log")), [&third[..]]);
    assert_eq!(other.post("forget", &json!({ "everything": true }))["records"], 1);
    assert_eq!(one.try_post("forget", &json!({})).0, 400);
    one.stop();
    other.stop();
}

#[test]
fn what_the_machine_does_that_learns_is_refused() {
    let Some(index) = index("refused") else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(folder.path(), "anchor", 5), 1);
    let site = Site::start(&index);
    let refused = |(status, answer): (u16, Json), says: &str| {
        let error = answer["error"].as_str().unwrap();
        assert_eq!(status, 403, "{error}");
        assert!(error.contains(says) && error.contains("retune learn --store"), "{error}");
    };
    for (path, says) in [
        ("learn", "cannot learn from an index on a cluster"),
        ("learn/cancel", "cannot cancel a round of an index on a cluster"),
        ("trial/end", "cannot end a trial of an index on a cluster"),
        ("rollback", "cannot roll back an index on a cluster"),
        ("index", "cannot read folders for an index on a cluster"),
    ] {
        refused(site.try_post(path, &json!({})), says);
    }
    refused(site.try_get("rounds/1/page"), "cannot show rounds of an index on a cluster");
    refused(site.try_get("file?document=anchor-1"), "cannot send files of an index on a cluster");
    assert_eq!(site.get("rounds"), json!({ "rounds": [] }));
    let (status, answer) = site.try_get("search?q=anchor&offset=6000");
    assert!(status == 400 && answer["error"].as_str().unwrap().contains("5000 at most"), "{answer}");
    let (status, answer) = site.try_get("search?q=anchor&folder=notes");
    assert!(status == 400 && answer["error"].as_str().unwrap().contains("followed folder"), "{answer}");
    site.stop();
}

#[test]
fn folders_keep_their_names() {
    let Some(index) = index("named") else { return };
    let (folder, documents) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = crate::common::open(folder.path());
    let folders = ["letters", "notes"].map(|name| {
        let path = documents.path().join(name);
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("anchor.txt"), format!("An anchor of the {name}.")).unwrap();
        path
    });
    engine.index_folders(&folders, &mut |_| ControlFlow::Continue(())).unwrap();
    index.migrate(&engine, 1);
    let (own, site) = (Own::new(engine), Site::start(&index));
    let names = |status: Json| -> Vec<Json> {
        status["folders"].as_array().unwrap().iter().map(|folder| folder["name"].clone()).collect()
    };
    assert_eq!(names(site.get("status")), names(json!(own.status().unwrap())));
    for name in ["letters", "notes"] {
        let mut request = SearchRequest::new("anchor");
        request.folder = Some(name.into());
        let (near, far) =
            (plain(own.search(&request).unwrap()), site.get(&format!("search?q=anchor&folder={name}")));
        assert_eq!((near["hits"].as_array().unwrap().len(), &near["hits"][0]["folder"]), (1, &json!(name)));
        assert_eq!(plain(far)["hits"], near["hits"]);
    }
    assert_eq!(site.try_get("search?q=anchor&folder=others").0, 400);
    site.stop();
}

#[test]
fn two_services_see_another_generation() {
    let Some(index) = index("both") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 30);
    index.migrate(&engine, 1);
    let sites = [Site::beside(&index), Site::beside(&index)];
    for site in &sites {
        assert_eq!((site.search("capstan").1.len(), &site.get("status")["generation"]), (10, &json!(1)));
    }
    engine.add(vec![Document::new("capstan", "The capstan is oiled in spring.")]).unwrap();
    index.migrate(&engine, 1);
    let begun = Instant::now();
    for site in &sites {
        while site.search("capstan").1[0] != "capstan" {
            assert!(begun.elapsed() < Duration::from_secs(10), "not seen");
            thread::sleep(Duration::from_millis(50));
        }
    }
    eprintln!("both have seen it after {} ms", begun.elapsed().as_millis());
    thread::sleep(Duration::from_secs(2));
    for site in sites {
        let status = site.get("status");
        assert_eq!((&status["generation"], &status["documents"]), (&json!(2), &json!(31)));
        site.stop();
    }
}

#[test]
fn it_goes_on_when_a_node_is_ended() {
    let Some(index) = index("going") else { return };
    let Some(nodes) = Nodes::of() else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(folder.path(), "anchor", 300), 3);
    wait_green(&index);
    let site = Site::start(&index);
    site.search("anchor 1");
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    crossbeam_utils::thread::scope(|scope| {
        for path in ["search?q=anchor+number+17", "read?document=anchor-17", "files?limit=5", "status"] {
            let (site, stop, asked) = (&site, &stop, &asked);
            scope.spawn(move |_| {
                while !stop.load(Ordering::Relaxed) {
                    site.get(path);
                    asked.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
        thread::sleep(Duration::from_millis(500));
        let ended = nodes.end(manager(&index));
        let before = asked.load(Ordering::Relaxed);
        thread::sleep(Duration::from_secs(4));
        assert!(asked.load(Ordering::Relaxed) > before + 10, "it did not go on");
        let cluster = site.get("status")["cluster"].clone();
        assert_eq!((&cluster["nodes"], &cluster["health"]), (&json!(2), &json!("yellow")));
        drop(ended);
        stop.store(true, Ordering::Relaxed);
    })
    .unwrap();
    eprintln!("{} requests, all answered", asked.into_inner());
    wait_green(&index);
    site.stop();
}
