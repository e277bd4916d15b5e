//! An index on a cluster as tools for agents.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value as Json, json};

use crate::common::tiny_model;
use crate::support::{index, saying};

/// The program, as an agent starts it.
struct Agent {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: u64,
}

impl Agent {
    fn start(store: &str) -> Agent {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
        command.args(["mcp", "--store", store]).env("RETUNE_MODEL", tiny_model());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut agent = Agent { child, input, output, asked: 0 };
        let client = json!({ "name": "Test Agent", "version": "1.0" });
        agent.ask(
            "initialize",
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client }),
        );
        agent.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent
    }

    fn say(&mut self, message: &Json) {
        writeln!(self.input, "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, params: Json) -> Json {
        self.asked += 1;
        self.say(&json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params }));
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str::<Json>(&line).unwrap()["result"].clone()
    }

    /// The answer of a tool, and whether it is an error.
    fn call(&mut self, tool: &str, arguments: Json) -> (Json, bool) {
        let result = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        let is_error = result["isError"] == true;
        (
            if is_error { result["content"][0]["text"].clone() } else { result["structuredContent"].clone() },
            is_error,
        )
    }

    fn works(&mut self, tool: &str, arguments: Json) -> Json {
        let (answer, is_error) = self.call(tool, arguments);
        assert!(!is_error, "{tool}: {answer}");
        answer
    }

    fn leave(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn agents_search_read_and_judge_on_the_cluster() {
    let Some(index) = index("agents") else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(folder.path(), "anchor", 30), 1);
    let mut agent = Agent::start(&index.store());
    let status = agent.works("status", json!({}));
    assert_eq!((&status["documents"], &status["folders"]), (&json!(30), &json!([])));
    let found = agent.works("search", json!({ "query": "anchor number 17", "limit": 5 }));
    let best = &found["documents"][0];
    assert_eq!((&best["document"], found["documents"].as_array().unwrap().len()), (&json!("anchor-17"), 5));
    let read = agent.works("read", json!({ "document": "anchor-17", "passage": best["passage"] }));
    assert_eq!(read["passages"][0]["text"], "anchor number 17 of the harbour");
    let similar = agent.works("similar", json!({ "document": "anchor-17", "limit": 3 }));
    assert!(similar["documents"].as_array().unwrap().iter().all(|one| one["document"] != "anchor-17"));
    agent.works("judge", json!({ "document": "anchor-17", "verdict": "chosen" }));
    let (refused, is_error) = agent.call("read", json!({ "document": "none" }));
    assert!(is_error && refused.as_str().unwrap().contains("there is no document"), "{refused}");
    agent.leave();
    let queries = index.records("ubi_queries");
    let session = queries[0]["query_attributes"]["session_id"].as_str().unwrap();
    assert!(queries.len() == 1 && session.starts_with("agent:test-agent:"), "{queries:?}");
    let events = index.records("ubi_events");
    let mut said: Vec<&str> = events.iter().map(|event| event["action_name"].as_str().unwrap()).collect();
    said.sort_unstable();
    assert_eq!(said, ["chosen", "click"]);
}

#[test]
fn an_agent_that_is_there_before_the_index_finds_it() {
    let Some(index) = index("early") else { return };
    let mut agent = Agent::start(&index.store());
    let (refused, is_error) = agent.call("search", json!({ "query": "anchor" }));
    assert!(is_error && refused.as_str().unwrap().contains("retune migrate"), "{refused}");
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(folder.path(), "anchor", 3), 1);
    assert_eq!(agent.works("status", json!({}))["documents"], 3);
    agent.leave();
}
