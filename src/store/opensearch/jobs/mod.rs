//! Encoding by many processes: jobs, their slices, and who is there to work.
//!
//! All of it is in `NAME-state`, as documents that are written by compare-and-set:
//!
//! | document | written by | what it says |
//! |---|---|---|
//! | `job` | who runs the round | which passages get vectors of which encoder, in which index |
//! | `slice-000004-00017` | who works on it | how far it is. Who finds that it no longer changes takes it over |
//! | `worker-…` | a worker, while it runs | that it is there |
//!
//! Passages go to the job's index by an alias, and are created, never replaced: a worker that comes back late either
//! finds its passages there, or no alias, or an index that takes none any more.

mod job;
mod presence;
mod slice;
mod standing;
mod target;

pub(crate) use job::{Found, Job};
pub(crate) use presence::{Presence, Present};
pub(crate) use slice::{Slice, SliceState};
pub(crate) use standing::{SliceWatch, Standing};
pub(crate) use target::Target;

use std::sync::Arc;

use serde_json::json;

use super::client::{Body, Call, Client, Method};
use super::failure::unexpected;
use super::manifest::Names;
use super::retry::Repeat;
use super::versioned::Versioned;
use crate::error::Result;

/// What kind of document of `NAME-state` it is: the field [`KIND`].
const KIND: &str = "kind";
const JOB: &str = "job";
const SLICE: &str = "slice";
const WORKER: &str = "worker";
/// Documents that are deleted at once.
const MOST: usize = 10_000;

/// Has the index of manifests know what these documents say: earlier versions have made it without.
fn prepare(client: &Client, names: &Names) -> Result<()> {
    const DOING: &str = "prepare for the encoding of passages at";
    let unread = json!({ "type": "object", "enabled": false });
    let body = json!({ "properties": { KIND: { "type": "keyword" }, JOB: unread, SLICE: unread } });
    let path = format!("/{}/_mapping", names.state());
    let body = Body::Json(&body);
    client.ask(&Call { doing: DOING, method: Method::Put, path: &path, body, repeat: Repeat::Safe }).map(drop)
}

fn document(client: &Arc<Client>, names: &Names, id: String, doing: &'static str) -> Versioned {
    Versioned { client: Arc::clone(client), index: names.state(), id, doing }
}

/// Deletes the documents of all jobs.
fn forget_jobs(client: &Client, names: &Names) -> Result<()> {
    const DOING: &str = "end the encoding of passages at";
    let post = |path: &str, body: Body<'_>| {
        client.ask(&Call { doing: DOING, method: Method::Post, path, body, repeat: Repeat::Safe })
    };
    let query = json!({ "size": MOST, "_source": false, "query": { "terms": { KIND: [JOB, SLICE] } } });
    loop {
        // What was just written is found only then.
        post(&format!("/{}/_refresh", names.state()), Body::None)?;
        let path = format!("/{}/_search?allow_partial_search_results=false", names.state());
        let found = post(&path, Body::Json(&query))?;
        let ids =
            found["hits"]["hits"].as_array().into_iter().flatten().filter_map(|hit| hit["_id"].as_str());
        let lines: String = ids.map(|id| format!("{}\n", json!({ "delete": { "_id": id } }))).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let path = format!("/{}/_bulk", names.state());
        let answer = post(&path, Body::Lines(&lines))?;
        if answer["errors"] != json!(false) {
            return Err(unexpected(DOING, client.at(&path), "all documents of jobs deleted"));
        }
    }
}
