//! The protocol's published examples, as they stand in its specification.

use rmcp::ClientLifecycleMode;
use rmcp::model::ProtocolVersion;
use serde_json::json;

use super::agent::{Agent, indexed};
use super::wire::{Wire, initialize};

#[test]
fn the_handshake_agrees_on_a_version() {
    let folder = indexed();
    for (asked, agreed) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("1.0.0", "2025-11-25"),
    ] {
        let mut wire = Wire::open(folder.path());
        let answer = wire.ask(&initialize(asked));
        assert_eq!(answer["id"], 1);
        let result = &answer["result"];
        assert_eq!(result["protocolVersion"], agreed, "{asked}");
        assert_eq!(result["serverInfo"]["name"], "retune");
        assert!(result["capabilities"]["tools"].is_object() && result["capabilities"]["resources"].is_null());
        assert!(result["instructions"].as_str().unwrap().contains("search"));
        let (rest, status) = wire.hang_up();
        assert!(rest.is_empty() && status.success(), "{rest:?} {status}");
    }
}

#[test]
fn examples_of_the_specification_are_answered() {
    let folder = indexed();
    let mut wire = Wire::connected(folder.path());
    let pong = wire.ask(&json!({ "jsonrpc": "2.0", "id": "123", "method": "ping" }));
    assert_eq!(pong, json!({ "jsonrpc": "2.0", "id": "123", "result": {} }));

    let listed = wire.ask(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {} }));
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["search", "read", "similar", "status", "judge"]);
    assert_eq!(tools[0]["annotations"]["readOnlyHint"], true);
    assert_eq!(tools[0]["inputSchema"]["required"], json!(["query"]));
    assert!(listed["result"]["nextCursor"].is_null());

    let called = wire.ask(&json!({
        "jsonrpc": "2.0", "id": 3, "method": "tools/call",
        "params": { "name": "search", "arguments": { "query": "tea water" } }
    }));
    assert_eq!(called["result"]["isError"], false);
    assert_eq!(called["result"]["content"][0]["type"], "text");
    assert!(called["result"]["structuredContent"]["documents"].is_array());

    let unknown = wire.ask(&json!({
        "jsonrpc": "2.0", "id": 4, "method": "tools/call",
        "params": { "name": "invalid_tool_name", "arguments": {} }
    }));
    assert_eq!(unknown["error"]["code"], -32602);
    assert_eq!(unknown["error"]["message"], "Unknown tool: invalid_tool_name");
    for method in ["no/such/method", "resources/read", "prompts/get"] {
        let params = json!({ "uri": "file:///etc/passwd", "name": "x" });
        let refused = wire.ask(&json!({ "jsonrpc": "2.0", "id": 5, "method": method, "params": params }));
        assert_eq!(refused["error"]["code"], -32601, "{method}");
    }
    assert!(wire.hang_up().1.success());
}

/// What is no JSON has no id to answer to, and two programs that complain of each other's complaints never end: as with
/// all official SDKs it is left unanswered.
#[test]
fn what_is_no_message_does_no_harm() {
    let folder = indexed();
    let mut wire = Wire::connected(folder.path());
    for broken in [r#"{"jsonrpc": "2.0", "id": 7, "method": "ping""#, "no JSON", "\u{0}", ""] {
        wire.say(broken);
    }
    wire.say(&format!("{{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"{}\"}}", "x".repeat(2 << 20)));
    let answer = wire.ask(&json!({ "jsonrpc": "2.0", "id": 9, "method": "ping" }));
    assert_eq!(answer["id"], 9, "{answer}");
    let refused = wire.ask(&json!({ "jsonrpc": "2.0", "id": 10, "method": 7 }));
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert!(wire.hang_up().1.success());
}

#[test]
fn what_was_cancelled_may_stay_unanswered_and_the_connection_goes_on() {
    let folder = indexed();
    let mut wire = Wire::connected(folder.path());
    let cancelled = |id: &str| {
        let params = json!({ "requestId": id, "reason": "User requested cancellation" });
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }).to_string()
    };
    let search = json!({ "name": "search", "arguments": { "query": "tea" } });
    wire.say(&cancelled("never asked"));
    wire.say(&json!({ "jsonrpc": "2.0", "id": "c", "method": "tools/call", "params": search }).to_string());
    wire.say(&cancelled("c"));
    let mut answer = wire.ask(&json!({ "jsonrpc": "2.0", "id": "p", "method": "ping" }));
    if answer["id"] == "c" {
        answer = wire.hear();
    }
    assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": "p", "result": {} }));
    assert!(wire.hang_up().1.success());
}

#[test]
fn what_is_in_work_is_answered_when_the_agent_has_closed_its_end() {
    let folder = indexed();
    let mut wire = Wire::connected(folder.path());
    let search = json!({ "name": "search", "arguments": { "query": "tea" } });
    wire.say(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": search }).to_string());
    let (rest, status) = wire.hang_up();
    assert!(status.success() && rest.len() == 1 && rest[0]["id"] == 2, "{rest:?}");
}

#[test]
fn the_version_of_2026_needs_no_handshake() {
    let folder = indexed();
    let mut wire = Wire::open(folder.path());
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "ExampleClient", "version": "1.0.0" },
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let found = wire.ask(&json!({
        "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": { "_meta": meta }
    }));
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2025-11-25")), "{found}");
    let params = json!({ "name": "search", "arguments": { "query": "tea water" }, "_meta": meta });
    let called = wire.ask(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params }));
    assert_eq!(called["result"]["resultType"], "complete", "{called}");
    assert!(wire.hang_up().1.success());

    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let agent = Agent::named(folder.path(), "new", ClientLifecycleMode::Discover { preferred_versions });
    assert_eq!(agent.tools().len(), 5);
    let said = agent.ask("search", json!({ "query": "tea water" }));
    assert!(said.json["query_id"].is_string(), "{}", said.json);
    agent.leave();
}
