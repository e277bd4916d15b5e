//! What the API answers.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::site::{PATIENCE, Site, until};

fn first(site: &Site, query: &str) -> Value {
    site.get(&format!("search?q={query}")).json()["hits"][0].clone()
}

#[test]
fn a_search_is_logged_once_it_is_meant_and_its_documents_can_be_judged() {
    let site = Site::start();
    let typed = site.get("search?q=kettle%20vinegar&log=false&mode=lexical").json();
    assert_eq!(
        (&typed["query_id"], typed["hits"][0]["document"].as_str()),
        (&Value::Null, Some("kettle.md"))
    );
    let meant = site.get("search?q=kettle%20vinegar&session=page-1&mode=lexical").json();
    let id = meant["query_id"].as_str().unwrap();
    let hit = &meant["hits"][0];
    assert_eq!((hit["title"].as_str(), hit["kind"].as_str()), (Some("kettle"), Some("md")));
    let text: Vec<char> = hit["text"].as_str().unwrap().chars().collect();
    let marked = |range: &Value| -> String {
        let at = |end: usize| range[end].as_u64().unwrap() as usize;
        text[at(0)..at(1)].iter().collect()
    };
    let marked: Vec<String> = hit["highlights"].as_array().unwrap().iter().map(marked).collect();
    assert_eq!(marked, ["kettle", "kettle", "vinegar"], "in the title of the passage, too");
    for (verdict, document) in [("opened", "kettle.md"), ("withdrawn", "kettle.md"), ("chosen", "lamp.md")] {
        let said = json!({"query_id": id, "document": document, "verdict": verdict});
        assert_eq!(site.post("judge", &said).json(), json!({}));
    }
    let log = site.get("log").json();
    assert_eq!(log["queries"].as_array().unwrap().len(), 1);
    assert_eq!(log["queries"][0]["session"], "page-1");
    let picked = |at: usize| log["queries"][0]["picked"][at]["verdict"].as_str().unwrap().to_string();
    assert_eq!([picked(0), picked(1), picked(2)], ["opened", "withdrawn", "chosen"]);
    assert_eq!(site.post("forget", &json!({"everything": true})).json()["records"], 4);
    assert_eq!(site.get("log").json()["queries"], json!([]));
    let unknown = site.post("judge", &json!({"query_id": id, "document": "lamp.md", "verdict": "chosen"}));
    assert_eq!(unknown.status, 404);
}

#[test]
fn filters_leave_what_they_name() {
    let site = Site::with(&Default::default(), |files| {
        fs::create_dir(files.join("old")).unwrap();
        fs::write(files.join("old/kettle.txt"), "The old kettle leaks.\n").unwrap();
    });
    let found = |query: &str| -> Vec<String> {
        let answer = site.get(&format!("search?q=kettle&mode=lexical&{query}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        let hits = answer["hits"].as_array().unwrap().iter();
        hits.map(|hit| hit["document"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(found("ext=txt"), ["old/kettle.txt"]);
    assert_eq!(found("ext=md,pdf"), ["kettle.md"]);
    assert_eq!(found("path=/old"), ["old/kettle.txt"]);
    assert_eq!(found("before=2001"), [] as [&str; 0]);
    assert_eq!(found("after=2001").len(), 2);
    assert_eq!(site.get("search?q=kettle&folder=elsewhere").status, 400);
    assert_eq!(site.get("search?q=kettle&count=true&mode=lexical").json()["total"], 2);
}

#[test]
fn a_passage_is_read_in_its_context() {
    let paragraphs: Vec<String> = (0..60)
        .map(|at| format!("Paragraph {at} says what is to be done {}.", "again ".repeat(40)))
        .collect();
    let site = Site::with(&Default::default(), |files| {
        fs::write(files.join("long.md"), paragraphs.join("\n\n") + "\n\nThe zebra crosses.\n").unwrap();
    });
    let whole = site.get("read?document=long.md&whole=true").json();
    let all = whole["passages"].as_array().unwrap();
    assert!(all.len() > 5 && whole["cut"] == json!({"before": false, "after": false}), "{whole}");
    let middle = &all[all.len() / 2]["passage"];
    let part = site.get(&format!("read?document=long.md&passage={middle}&max=3000")).json();
    let marked: Vec<&Value> =
        part["passages"].as_array().unwrap().iter().filter(|one| one["marked"] == true).collect();
    assert_eq!((marked.len(), &marked[0]["passage"]), (1, middle));
    assert_eq!(part["cut"], json!({"before": true, "after": true}));
    let length: usize =
        part["passages"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap().len()).sum();
    assert!(length <= 3000, "{length}");
    let line = all[3]["place"]["line"].as_u64().unwrap();
    let lines = site.get(&format!("read?document=long.md&line={line}&count=1")).json();
    assert_eq!(lines["first_line"].as_u64(), Some(line));
    assert_eq!(lines["passages"].as_array().unwrap().len(), 1);
    assert_eq!(site.get("read?document=long.md&line=100000").status, 400);
    assert_eq!(site.get("read?document=none.md").status, 404);
    assert_eq!(site.get("read?document=lamp.md&passage=99999999").status, 404);
}

#[test]
fn reading_for_a_query_notes_that_it_was_opened() {
    let site = Site::start();
    let id = site.get("search?q=kettle").json()["query_id"].as_str().unwrap().to_string();
    let path = format!("/api/v1/read?document=kettle.md&query_id={id}");
    assert_eq!(site.ask("GET", &path, &[], "").status, 403, "a link could do this, too");
    let token = [("X-Retune", site.server().token())];
    assert_eq!(site.ask("GET", &path, &token, "").status, 200);
    let log = site.get("log").json();
    assert_eq!(log["queries"][0]["picked"], json!([{"document": "kettle.md", "verdict": "opened"}]));
}

#[test]
fn what_is_like_a_document_is_not_the_document() {
    let site = Site::start();
    let like = site.get("similar?document=kettle.md&limit=3").json();
    let hits = like["hits"].as_array().unwrap();
    assert_eq!((hits.len(), &hits[0]["rank"], &like["query_id"]), (3, &json!(1), &Value::Null));
    assert!(hits.iter().all(|hit| hit["document"] != "kettle.md"));
    let passage = first(&site, "kettle&mode=lexical&log=false")["passage"].clone();
    assert_eq!(site.get(&format!("similar?document=kettle.md&passage={passage}")).status, 200);
    assert_eq!(site.get("similar?document=none.md").status, 404);
    assert_eq!(site.get("log").json()["queries"], json!([]), "nothing of it is logged");
}

#[test]
fn the_status_says_what_is_there_and_files_are_listed_by_pages() {
    let site = Site::with(&Default::default(), |files| {
        fs::write(files.join("empty.txt"), "").unwrap();
        fs::write(files.join("blank.txt"), "").unwrap();
    });
    let status = site.get("status").json();
    assert_eq!((&status["documents"], &status["generation"]), (&json!(8), &json!(1)));
    assert_eq!(status["folders"][0]["path"].as_str().map(std::path::Path::new), Some(&*site.files()));
    let page = site.get("files?limit=5").json();
    assert_eq!(page["documents"].as_array().unwrap().len(), 5);
    assert_eq!(
        (&page["passed_over"][0]["reason"], &page["passed_over"][0]["count"]),
        (&json!("no text"), &json!(2))
    );
    let next = page["next"].as_str().unwrap();
    let rest = site.get(&format!("files?limit=5&after={next}")).json();
    assert_eq!((rest["documents"].as_array().unwrap().len(), &rest["next"]), (3, &Value::Null));
    assert_eq!(rest["passed_over"], json!([]));
}

#[test]
fn the_folder_is_kept_in_step_and_events_say_so() {
    let site = Site::start();
    let mut stream = TcpStream::connect(site.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n\r\n", site.address()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "content-type: text/event-stream"));
    assert!(lines.any(|line| line == "event: status"));
    let data = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_string)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&data).unwrap()["documents"], 8);
    fs::write(site.files().join("new.md"), "# New\n\nThe walrus sings.\n").unwrap();
    assert!(site.post("index", &json!({})).json()["started"] == true);
    until("the new file", || first(&site, "walrus&mode=lexical")["document"] == "new.md");
    assert!(lines.any(|line| line == "event: changed"));
    assert!(lines.any(|line| line.contains("\"documents\":9")), "the status follows");
}

#[test]
fn the_end_of_a_round_is_told_however_short_it_was() {
    let site = Site::start();
    let mut stream = TcpStream::connect(site.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n\r\n", site.address()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "event: status"));
    for round in 1..=3 {
        // There is nothing to learn from.
        assert_eq!(site.post("learn", &json!({})).json()["started"], true);
        assert!(lines.any(|line| line == "event: round"), "round {round}");
        let rounds = site.get("rounds").json();
        assert_eq!(rounds["rounds"].as_array().unwrap().len(), round, "its report can be read");
        until("the worker", || site.get("status").json()["learning"].is_null());
    }
}

#[test]
fn a_round_is_started_listed_and_drawn() {
    let site = Site::start();
    assert_eq!(site.get("rounds").json(), json!({"rounds": []}));
    assert_eq!(site.get("rounds/1/page").status, 404);
    assert_eq!(site.post("learn", &json!({})).json()["started"], true);
    until("the round", || site.get("rounds").json()["rounds"].as_array().unwrap().len() == 1);
    let round = &site.get("rounds").json()["rounds"][0];
    assert_eq!((&round["decision"], &round["round"]), (&json!("skipped"), &json!(1)));
    let page = site.get("rounds/1/page");
    assert!(page.status == 200 && page.text().starts_with("<!DOCTYPE html>"));
    assert!(page.header("content-security-policy").unwrap().contains("sandbox"));
    // Its report is there a little before its end.
    until("its end", || site.get("status").json()["learning"].is_null());
    assert_eq!(site.post("learn/cancel", &json!({})).json()["cancelled"], false);
    assert_eq!(site.post("rollback", &json!({})).status, 404, "no earlier generation is kept");
}

#[test]
fn the_page_has_the_token_and_its_files_are_kept_by_browsers_while_they_are_the_same() {
    let site = Site::start();
    let page = site.ask("GET", "/", &[], "");
    assert!(page.status == 200 && page.text().contains(site.server().token()), "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(site.ask("GET", "/nothing.js", &[], "").status, 404);
    assert_eq!(site.ask("POST", "/", &[("X-Retune", site.server().token())], "").status, 405);
}
