//! When a request is made again, and after how long.

use std::time::Duration;

use serde_json::Value as Json;

/// Whether a request may be made again after it may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing, or the second time nothing more.
    Safe,
    /// Somebody has to look first what has become of it.
    Never,
}

/// Requests in all. Together they outlast the election of a new cluster manager.
pub(super) const ATTEMPTS: u32 = 8;
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(3);

/// How long to wait before a further attempt, from 1: twice as long each time, by half at random, so that clients that
/// failed together don't come back together.
pub(super) fn pause(attempt: u32) -> Duration {
    let whole = FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST);
    whole.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

/// Whether a failure says that the same request may work later. `body` has its error: that of an answer, or of an item.
pub(super) fn is_passing(status: u16, body: &Json) -> bool {
    match status {
        429 | 502 | 503 | 504 => true,
        500 => is_for_a_node(&body["error"]),
        // Several searches in one request have an answer each.
        200 => {
            let answers = body["responses"].as_array().into_iter().flatten();
            answers
                .filter(|one| one["status"] != 200)
                .any(|one| one["status"].as_u64().is_some_and(|status| is_passing(status as u16, one)))
        }
        _ => false,
    }
}

/// Whether a node has gone while it was asked by another, and no shard has said anything against the request.
fn is_for_a_node(error: &Json) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.get("caused_by"));
    let kinds = causes.chain(error["root_cause"].get(0)).filter_map(|cause| cause["type"].as_str());
    let is_without_cause = error["root_cause"].as_array().is_some_and(Vec::is_empty);
    kinds.into_iter().any(|kind| GONE.contains(&kind))
        || is_without_cause && error["reason"] == "" && error.get("caused_by").is_none()
}

const GONE: [&str; 5] = [
    "node_disconnected_exception",
    "node_not_connected_exception",
    "node_closed_exception",
    "connect_transport_exception",
    "no_shard_available_action_exception",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_node_that_has_gone_leaves_behind_passes() {
        let gone =
            json!({ "error": { "root_cause": [{ "type": "node_disconnected_exception" }] }, "status": 500 });
        let phase = json!({ "error": {
            "root_cause": [], "type": "search_phase_execution_exception", "reason": "", "phase": "fetch",
        } });
        assert!(is_passing(500, &phase));
        let caused = |kind| {
            let mut error = phase.clone();
            error["error"]["caused_by"] = json!({ "type": "task", "caused_by": { "type": kind } });
            error
        };
        assert!(is_passing(500, &caused("node_disconnected_exception")));
        assert!(!is_passing(500, &caused("illegal_argument_exception")));
        let wrong = json!({ "error": { "type": "parsing_exception" }, "status": 400 });
        assert!(is_passing(500, &gone) && is_passing(503, &Json::Null));
        assert!(
            !is_passing(400, &wrong) && !is_passing(500, &wrong) && !is_passing(200, &json!({ "hits": {} }))
        );
        let several = |second: &Json| json!({ "responses": [{ "status": 200 }, second] });
        assert!(is_passing(200, &several(&gone)) && !is_passing(200, &several(&wrong)));
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        for attempt in 1..40 {
            let pause = pause(attempt);
            assert!(pause <= LONGEST && pause >= FIRST.min(LONGEST / 2), "{attempt} {pause:?}");
        }
        assert!(pause(1) <= FIRST * 2 && pause(6) >= LONGEST / 2);
    }
}
