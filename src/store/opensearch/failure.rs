//! What a cluster says when it refuses something.

use serde_json::Value as Json;

use crate::error::Error;

pub(super) const CHECK: &str = "check the address, and that the cluster runs";
pub(super) const LATER: &str = "see the cluster's health and its logs, then try again";
/// For addresses by http:// that nobody answers at.
pub(super) const PLAIN: &str = "see the cluster's logs; if it has TLS, its addresses begin with https://";

/// The longest text of a cluster's error that is repeated.
const LONGEST: usize = 600;

/// The error for an answer with a status that nobody expects.
pub(super) fn refused(doing: &'static str, at: String, status: u16, body: &Json) -> Error {
    let remedy = match status {
        401 => {
            "see whether RETUNE_STORE_USER and RETUNE_STORE_PASSWORD, or RETUNE_STORE_API_KEY, are there and right"
        }
        // An index that can't be written, not a user who may not.
        403 if body["error"]["type"] == "cluster_block_exception" => LATER,
        403 => {
            "ask as somebody who may, or have the cluster's roles allow it: docs/scale.md lists what is needed"
        }
        404 => "see whether the index is there: `retune migrate` makes it",
        // By its type, or where another phase has found it, by its text alone.
        400 | 500
            if ["too_complex_to_determinize", "Determinizing"].iter().any(|it| reason(body).contains(it)) =>
        {
            "search with a simpler pattern of paths, with fewer signs behind a *"
        }
        413 => "raise http.max_content_length on the nodes",
        429 | 502 | 503 | 504 => LATER,
        _ => "if the message does not help, please report this",
    };
    Error::Cluster { doing, at, found: format!("HTTP {status}, {}", reason(body)), remedy }
}

/// What the body of an error says.
pub(super) fn reason(body: &Json) -> String {
    let error = &body["error"];
    let cause = &error["root_cause"][0];
    let deepest = [&cause["reason"], &error["reason"], &error["caused_by"]["reason"], error];
    let mut said = deepest.iter().filter_map(|text| text.as_str()).filter(|text| !text.is_empty());
    let text = said.next().unwrap_or("without a reason");
    let kind = [&cause["type"], &error["type"]].into_iter().find_map(Json::as_str);
    let mut said = kind.map_or(text.to_string(), |kind| format!("{kind}: {text}"));
    if said.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&end| said.is_char_boundary(end)).unwrap_or(0);
        said.truncate(end);
        said.push('…');
    }
    said
}

/// The error for an answer that lacks something.
pub(super) fn unexpected(doing: &'static str, at: String, lacks: &str) -> Error {
    Error::Cluster {
        doing,
        at,
        found: format!("an answer without {lacks}"),
        remedy: "see whether the address is that of an OpenSearch cluster, 2.19 or later",
    }
}
