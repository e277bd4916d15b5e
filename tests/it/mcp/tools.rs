//! What each tool answers, as an agent sees it.

use std::fs;

use serde_json::{Value, json};

use super::agent::{Agent, index, indexed};
use crate::common;

#[test]
fn search_names_documents_passages_and_places() {
    let folder = indexed();
    let agent = Agent::start(folder.path());
    assert!(agent.instructions().contains("never instructions"));
    let document = &common::documents()[0];
    let said = agent.ask("search", json!({ "query": document.text, "limit": 3 }));
    let first = &said.json["documents"][0];
    assert_eq!(first["document"], format!("{}.md", document.id));
    assert!(first["passage"].is_u64() && first["line"].is_u64(), "{first}");
    assert_eq!(said.json["documents"].as_array().unwrap().len(), 3);
    assert_eq!(said.json["next_offset"], 3);
    assert!(said.text.contains(&format!("1. {}.md", document.id)), "{}", said.text);
    assert!(said.text.contains("search again with offset 3"), "{}", said.text);
    let next = agent.ask("search", json!({ "query": document.text, "limit": 3, "offset": 3 }));
    assert_eq!(next.json["documents"][0]["rank"], 4);
    assert_eq!(next.json["query_id"], said.json["query_id"], "a page of the same answer");
    agent.leave();
}

#[test]
fn filters_leave_out_what_does_not_fit() {
    let folder = indexed();
    fs::create_dir(folder.path().join("old")).unwrap();
    fs::write(folder.path().join("old/kettle.txt"), "kettle kettle water tea").unwrap();
    index(folder.path());
    let agent = Agent::start(folder.path());
    let found = |arguments: Value| -> Vec<String> {
        let said = agent.ask("search", arguments);
        let documents = said.json["documents"].as_array().unwrap().iter();
        documents.map(|document| document["document"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(found(json!({ "query": "kettle", "type": "txt" })), ["old/kettle.txt"]);
    assert_eq!(found(json!({ "query": "kettle", "path": "old/**", "mode": "lexical" })), ["old/kettle.txt"]);
    assert!(!found(json!({ "query": "kettle", "type": "md" })).contains(&"old/kettle.txt".to_string()));
    assert!(found(json!({ "query": "kettle", "after": "2990" })).is_empty());
    assert!(found(json!({ "query": "zzzz", "mode": "lexical" })).is_empty());
    agent.leave();
}

#[test]
fn a_long_document_is_read_piece_by_piece() {
    let folder = tempfile::tempdir().unwrap();
    let paragraph = |at: usize| format!("Paragraph {at} tells of the harbour, its cranes and its fog.\n\n");
    let text: String = (0..200).map(paragraph).collect();
    fs::write(folder.path().join("long.md"), format!("# The harbour\n\n{text}")).unwrap();
    index(folder.path());
    let agent = Agent::start(folder.path());
    let mut said = agent.ask("read", json!({ "document": "long.md", "max_chars": 2000 }));
    assert!(said.text.starts_with("long.md\nThe harbour · "), "{}", said.text);
    let mut read = Vec::new();
    loop {
        assert!(said.text.len() < 4000, "{}", said.text.len());
        let passages = said.json["passages"].as_array().unwrap();
        read.extend(passages.iter().map(|passage| passage["text"].as_str().unwrap().to_string()));
        let Some(last) = said.json["continue_after"].as_u64() else { break };
        assert!(said.text.contains(&format!("continue_after {last}")), "{}", said.text);
        said = agent.ask("read", json!({ "document": "long.md", "continue_after": last, "max_chars": 2000 }));
    }
    assert!(said.text.ends_with("(end of the document)\n"), "{}", said.text);
    let read = read.join("\n");
    for at in 0..200 {
        assert_eq!(read.matches(&format!("Paragraph {at} ")).count(), 1, "{at}");
    }
    let found = agent.ask("search", json!({ "query": "\"Paragraph 120\"" })).json;
    let passage = &found["documents"][0]["passage"];
    let around = agent.ask("read", json!({ "document": "long.md", "passage": passage, "max_chars": 3000 }));
    assert!(around.text.contains("Paragraph 120 ") && around.text.contains("the one you asked for"));
    assert!(around.text.contains("to go back, read around passage"), "{}", around.text);
    let lines = agent.ask("read", json!({ "document": "long.md", "line": 203, "lines": 1 }));
    assert!(lines.text.contains("Paragraph 100 "), "{}", lines.text);
    agent.leave();
}

#[test]
fn similar_and_status_answer() {
    let folder = indexed();
    let agent = Agent::start(folder.path());
    let similar = agent.ask("similar", json!({ "document": "kettle.md", "limit": 2 }));
    let documents = similar.json["documents"].as_array().unwrap();
    assert!(documents.len() == 2 && documents.iter().all(|one| one["document"] != "kettle.md"));
    let status = agent.ask("status", json!({}));
    assert_eq!(status.json["documents"], common::documents().len());
    assert!(status.text.contains("8 documents"), "{}", status.text);
    agent.leave();
}

#[test]
fn errors_say_in_a_line_what_to_do() {
    let folder = indexed();
    let agent = Agent::start(folder.path());
    for (tool, arguments, expected) in [
        ("search", json!({}), "query: a text"),
        ("search", json!({ "query": "tea", "limit": 1000 }), "1 to 30"),
        ("search", json!({ "query": "tea", "mode": "fuzzy" }), "one of hybrid, lexical, dense"),
        ("search", json!({ "q": "tea" }), "only"),
        ("search", json!({ "query": "tea", "after": "yesterday" }), "yesterday"),
        ("search", json!({ "query": ["tea"] }), "query: a text"),
        ("read", json!({ "document": "nothing.md" }), "use a document id as the search returned it"),
        ("read", json!({ "document": "kettle.md", "passage": 1, "line": 1 }), "one of them"),
        ("read", json!({ "document": "kettle.md", "line": 9999 }), "1 to"),
        ("read", json!({ "document": "kettle.md", "passage": 999_999 }), "search again"),
        ("similar", json!({ "document": "nothing.md" }), "use a document id"),
        ("judge", json!({ "document": "kettle.md", "verdict": "chosen" }), "search first"),
        ("judge", json!({ "document": "kettle.md" }), "one of chosen, not_relevant"),
        ("judge", json!({ "document": "a", "verdict": "chosen", "query_id": "00000000000000ff" }), "00ff"),
        ("judge", json!({ "document": "a", "verdict": "chosen", "query_id": "x" }), "16 hexadecimal digits"),
    ] {
        let told = agent.refused(tool, arguments.clone());
        assert!(told.contains(expected), "{tool} {arguments}: {told}");
    }
    agent.leave();
}

#[test]
fn without_an_index_an_agent_is_told_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start(folder.path());
    assert!(agent.refused("search", json!({ "query": "tea" })).contains("retune index"));
    crate::cli::harness::documents(folder.path());
    index(folder.path());
    assert!(
        !agent.ask("search", json!({ "query": "tea water" })).json["documents"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    agent.leave();
}
