//! MCP over HTTP, at `/mcp` of a service.

use retune::Verdict;
use retune::serve::ServeOptions;
use serde_json::{Value, json};

use super::wire::initialize;
use crate::serve::site::{Reply, Site};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const ACCEPT: (&str, &str) = ("Accept", "application/json, text/event-stream");

fn post(site: &Site, more: &[(&str, &str)], message: &Value) -> Reply {
    let bearer = format!("Bearer {}", site.server().token());
    let headers = [&[JSON, ACCEPT, ("Authorization", &bearer)], more].concat();
    site.ask("POST", "/mcp", &headers, &message.to_string())
}

/// The message in an answer: JSON, or the last event of a stream with something in it.
fn message(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = reply.text();
    let mut data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let last = data.rfind(|data| !data.is_empty()).map(str::to_string);
    serde_json::from_str(&last.unwrap_or(text)).unwrap()
}

#[test]
fn an_agent_with_a_session_searches_and_reads() {
    let site = Site::start();
    let hello = post(&site, &[], &initialize("2025-06-18"));
    assert_eq!(message(&hello)["result"]["serverInfo"]["name"], "retune");
    let session = hello.header("mcp-session-id").unwrap().to_string();
    let more = [("Mcp-Session-Id", session.as_str()), ("MCP-Protocol-Version", "2025-06-18")];
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(post(&site, &more, &ready).status, 202);
    let call = |id: u32, tool: &str, arguments: Value| {
        let params = json!({ "name": tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        message(&post(&site, &more, &call))["result"]["structuredContent"].clone()
    };
    let found = call(2, "search", json!({ "query": "kettle water" }));
    let document = found["documents"][0]["document"].clone();
    call(3, "read", json!({ "document": document }));
    let log = site.get("log").json()["queries"][0].clone();
    assert!(log["session"].as_str().unwrap().starts_with("agent:exampleclient:"), "{log}");
    assert_eq!(log["picked"], json!([{ "document": document, "verdict": Verdict::Opened }]));
    assert_eq!(post(&site, &[("Mcp-Session-Id", "no-such")], &ready).status, 404);
}

#[test]
fn requests_of_2026_stand_alone_and_belong_to_one_session_all_the_same() {
    let site = Site::start();
    let call = |id: u32, tool: &str, arguments: Value| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "lone", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {}
        });
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        let more = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", tool)];
        let reply = post(&site, &more, &call);
        assert!(reply.header("mcp-session-id").is_none());
        message(&reply)["result"]["structuredContent"].clone()
    };
    let found = call(1, "search", json!({ "query": "kettle water" }));
    call(2, "read", json!({ "document": found["documents"][0]["document"] }));
    call(3, "search", json!({ "query": "boil water" }));
    let log = site.get("log").json()["queries"].clone();
    assert_eq!(log[1]["picked"][0]["verdict"], "opened", "{log}");
    assert!(
        log[0]["session"] == log[1]["session"]
            && log[0]["session"].as_str().unwrap().starts_with("agent:lone:")
    );
}

#[test]
fn only_agents_that_have_the_token_are_answered() {
    let site = Site::with(&ServeOptions::default(), |_| {});
    let hello = initialize("2025-06-18").to_string();
    let bearer = format!("Bearer {}", site.server().token());
    let status = |headers: &[(&str, &str)]| {
        site.ask("POST", "/mcp", &[&[JSON, ACCEPT], headers].concat(), &hello).status
    };
    let token = ("Authorization", bearer.as_str());
    assert_eq!(status(&[token]), 200);
    assert_eq!(status(&[]), 403);
    assert_eq!(status(&[("Authorization", "Bearer wrong")]), 403);
    assert_eq!(status(&[token, ("Host", "evil.example")]), 421, "DNS rebinding");
    assert_eq!(status(&[token, ("Origin", "http://evil.example")]), 403);
    let large = " ".repeat(70 << 10) + &hello;
    assert_eq!(site.ask("POST", "/mcp", &[JSON, ACCEPT, token], &large).status, 413);
    assert_eq!(site.ask("POST", "/mcp", &[ACCEPT, token], &hello).status, 415);
    assert!((400..500).contains(&site.ask("GET", "/mcp", &[("Accept", "text/event-stream")], "").status));
}
