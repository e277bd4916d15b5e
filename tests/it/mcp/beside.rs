//! An agent beside others who hold the index.

use std::fs;
use std::ops::ControlFlow;
use std::time::Duration;

use retune::serve::{ServeOptions, Server};
use retune::{Engine, Verdict};
use serde_json::json;

use super::agent::{Agent, indexed, log};
use crate::common;

#[test]
fn an_agent_works_while_another_process_indexes() {
    let folder = indexed();
    let engine = Engine::open(folder.path().join(".retune"), common::options()).unwrap();
    let agent = Agent::start(folder.path());
    let found = agent.ask("search", json!({ "query": "kettle" }));
    fs::write(folder.path().join("heron.md"), "A heron stands in the reeds.").unwrap();
    engine.index_folder(folder.path(), &mut |_| ControlFlow::Continue(())).unwrap();
    let document = found.json["documents"][0]["document"].clone();
    agent.ask("read", json!({ "document": document }));
    agent.ask("judge", json!({ "document": document, "verdict": "chosen" }));
    // What others commit is seen a moment later.
    loop {
        let found = agent.ask("search", json!({ "query": "heron reeds", "mode": "lexical" })).json;
        if found["documents"].as_array().unwrap().iter().any(|one| one["document"] == "heron.md") {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    agent.leave();
    engine.close().unwrap();
    let asked = log(folder.path()).into_iter().find(|asked| asked.query == "kettle").unwrap();
    let verdicts: Vec<_> = asked.picked.iter().map(|pick| pick.verdict).collect();
    assert_eq!(verdicts, [Verdict::Opened, Verdict::Chosen]);
}

#[test]
fn a_running_service_is_asked_and_may_come_and_go() {
    let folder = indexed();
    let agent = Agent::start(folder.path());
    let ask = |query: &str| {
        let found = agent.ask("search", json!({ "query": query }));
        agent.ask("read", json!({ "document": found.json["documents"][0]["document"] }));
    };
    ask("before");
    let engine = Engine::open(folder.path().join(".retune"), common::options()).unwrap();
    let server = Server::start(engine, &ServeOptions::default().with_port(0)).unwrap();
    ask("meanwhile kettle");
    let served = log(folder.path());
    assert_eq!(served[0].query, "meanwhile kettle");
    assert_eq!(served[0].picked[0].verdict, Verdict::Opened);
    server.stop().unwrap();
    ask("afterwards kettle");
    agent.leave();
    let sessions: std::collections::HashSet<_> =
        log(folder.path()).into_iter().map(|one| one.session).collect();
    assert_eq!(sessions.len(), 1, "one session all along");
}
