//! The log, by pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::site::Site;

fn queries(log: &Value) -> Vec<String> {
    let queries = log["queries"].as_array().unwrap().iter();
    queries.map(|one| one["query"].as_str().unwrap().to_string()).collect()
}

#[test]
fn the_log_is_walked_by_pages_and_none_is_missed() {
    let site = Site::start();
    for number in 0..7 {
        site.get(&format!("search?q=kettle%20{number}&mode=lexical"));
    }
    let (mut seen, mut path) = (Vec::new(), "log?limit=3".to_string());
    loop {
        let page = site.get(&path).json();
        seen.push(queries(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("log?limit=3&after={next}");
        // What is asked meanwhile is on no later page.
        site.get("search?q=lamp&mode=lexical");
    }
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(seen.concat(), (0..7).rev().map(|number| format!("kettle {number}")).collect::<Vec<_>>());
    let all = site.get("log?limit=9").json();
    assert_eq!(
        (queries(&all).len(), &all["next"]),
        (9, &Value::Null),
        "a page that is full and the last one"
    );
    for refused in ["log?limit=0", "log?limit=1001", "log?after=x", "log?unknown=1"] {
        assert_eq!(site.get(refused).status, 400, "{refused}");
    }
}

#[test]
fn queries_are_found_in_the_log_by_what_they_contain() {
    let site = Site::start();
    for query in ["Green%20%20LAMP", "kettle", "the%20green%20lamp%20burns", "gr%C3%BCne%20lampe"] {
        site.get(&format!("search?q={query}&mode=lexical"));
    }
    let found = |text: &str| queries(&site.get(&format!("log?contains={text}")).json());
    assert_eq!(found("green%20lamp"), ["the green lamp burns", "Green  LAMP"]);
    assert_eq!(found("GR%C3%9CNE"), ["grüne lampe"]);
    assert_eq!(found("walrus"), [] as [&str; 0]);
    assert_eq!(found("").len(), 4);
    let first = site.get("log?contains=lamp&limit=2").json();
    assert_eq!(queries(&first), ["grüne lampe", "the green lamp burns"]);
    let next = first["next"].as_str().unwrap();
    let rest = site.get(&format!("log?contains=lamp&limit=2&after={next}")).json();
    assert_eq!((queries(&rest), &rest["next"]), (vec!["Green  LAMP".to_string()], &Value::Null));
}

#[test]
fn a_page_behind_what_was_forgotten_is_refused() {
    let site = Site::start();
    let id = site.get("search?q=kettle&mode=lexical").json()["query_id"].as_str().unwrap().to_string();
    site.get("search?q=lamp&mode=lexical");
    assert_eq!(queries(&site.get(&format!("log?after={id}")).json()), [] as [&str; 0]);
    assert_eq!(site.post("forget", &json!({"query_id": id})).status, 200);
    assert_eq!(site.get(&format!("log?after={id}")).status, 404);
}

#[test]
fn a_path_filters_and_is_no_part_of_what_is_logged() {
    let site = Site::with(&Default::default(), |files| {
        std::fs::create_dir(files.join("old")).unwrap();
        std::fs::write(files.join("old/kettle \"2\".md"), "The old kettle leaks.\n").unwrap();
    });
    let found = |query: &str| -> BTreeSet<String> {
        let answer = site.get(&format!("search?mode=lexical&{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let answer = answer.json();
        let hits = answer["hits"].as_array().unwrap().iter();
        hits.map(|hit| hit["document"].as_str().unwrap().to_string()).collect()
    };
    let old = BTreeSet::from(["old/kettle \"2\".md".to_string()]);
    assert_eq!(found("q=kettle&path=/old"), old);
    assert_eq!(found("q=kettle&path=*%222%22*"), old);
    assert_eq!(found("q=kettle%20-vinegar"), old);
    assert_eq!(found("q=kettle&path=elsewhere/"), BTreeSet::new());
    // A quotation mark that is typed half takes nothing in.
    assert_eq!(found("q=%22kettle&path=/old"), old);
    assert_eq!(site.get("search?q=kettle&path=%7Ba").status, 400, "no pattern");
    let log = site.get("log").json();
    assert_eq!(queries(&log), ["\"kettle", "kettle", "kettle -vinegar", "kettle", "kettle"]);
}
