//! What an agent reads and judges is in the log, as an agent's.

use retune::Verdict;
use retune::access::api::Asked;
use rmcp::ClientLifecycleMode;
use serde_json::json;

use super::agent::{Agent, indexed, log};

fn picked(asked: &Asked) -> Vec<(&str, Verdict)> {
    asked.picked.iter().map(|pick| (pick.document.as_str(), pick.verdict)).collect()
}

#[test]
fn reading_what_a_search_has_shown_is_a_pick() {
    let folder = indexed();
    let agent = Agent::start(folder.path());
    let first = agent.ask("search", json!({ "query": "kettle water" }));
    let document = |at: usize| first.json["documents"][at]["document"].as_str().unwrap().to_string();
    let (one, two) = (document(0), document(1));
    agent.ask("read", json!({ "document": one }));
    agent.ask("read", json!({ "document": one, "line": 1 }));
    agent.ask("read", json!({ "document": two }));
    let again = agent.ask("search", json!({ "query": "boil water for tea", "limit": 1 }));
    agent.ask(
        "judge",
        json!({ "document": two, "verdict": "not_relevant", "query_id": first.json["query_id"] }),
    );
    let best = again.json["documents"][0]["document"].as_str().unwrap().to_string();
    agent.ask("judge", json!({ "document": best, "verdict": "chosen" }));
    agent.leave();

    let log = log(folder.path());
    assert_eq!(log.len(), 2);
    assert_eq!((log[0].query.as_str(), log[1].query.as_str()), ("boil water for tea", "kettle water"));
    let session = log[0].session.clone().unwrap();
    assert!(session.starts_with("agent:test-agent:"), "{session}");
    assert_eq!(log[1].session.as_ref(), Some(&session), "the same question in other words");
    assert_eq!(picked(&log[0]), [(best.as_str(), Verdict::Chosen)]);
    let expected = [
        (one.as_str(), Verdict::Opened),
        (two.as_str(), Verdict::Opened),
        (two.as_str(), Verdict::NotRelevant),
    ];
    assert_eq!(picked(&log[1]), expected, "reading on is no further pick");
}

#[test]
fn each_connection_is_a_session_and_reading_alone_is_no_pick() {
    let folder = indexed();
    for name in ["claude-code", "Cursor"] {
        let agent = Agent::named(folder.path(), name, ClientLifecycleMode::Initialize);
        agent.ask("read", json!({ "document": "kettle.md" }));
        agent.ask("similar", json!({ "document": "kettle.md" }));
        agent.ask("search", json!({ "query": "tea" }));
        agent.leave();
    }
    let log = log(folder.path());
    let sessions: Vec<_> = log.iter().map(|asked| asked.session.clone().unwrap()).collect();
    assert!(sessions[0].starts_with("agent:cursor:") && sessions[1].starts_with("agent:claude-code:"));
    assert!(log.len() == 2 && log.iter().all(|asked| asked.picked.is_empty()));
}
