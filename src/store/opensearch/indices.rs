//! Indices of the cluster: created by somebody who is named in them, and dropped.

use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::refused;
use super::retry::Repeat;
use crate::error::{Error, Result};

const MAKER: &str = "go on with the generation at";
/// How long a new index may take until its copies are there.
pub(super) const COPIES_SECONDS: u64 = 10;

/// Creates an index, and waits a while until all its copies are there: a node that goes before then takes the only one.
/// A cluster with too few nodes for them has the index all the same. One that is there already stays.
pub(super) fn create_index(client: &Client, doing: &'static str, index: &str, body: &Json) -> Result<()> {
    let path = format!("/{index}?wait_for_active_shards=all&timeout={COPIES_SECONDS}s");
    let body = Body::Json(body);
    let call = Call { doing, method: Method::Put, path: &path, body, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (200..300, _) => Ok(()),
        // By an attempt whose answer was lost, or by somebody else.
        (400, body) if body["error"]["type"] == "resource_already_exists_exception" => Ok(()),
        (status, body) => Err(refused(doing, client.at(&path), status, &body)),
    }
}

/// As [`create_index`], for an index that only `maker` writes.
///
/// # Errors
/// [`Error::Cluster`] if somebody else has made one of that name.
pub(super) fn create_own(
    client: &Client,
    doing: &'static str,
    index: &str,
    mut body: Json,
    maker: &str,
) -> Result<()> {
    body["mappings"]["_meta"] = json!({ "made_by": maker });
    create_index(client, doing, index, &body)?;
    check_maker(client, index, maker)
}

/// Fails if an index was not made by `maker`: his was dropped, and a cluster makes one anew for what is sent to it.
pub(crate) fn check_maker(client: &Client, index: &str, maker: &str) -> Result<()> {
    match maker_of(client, index)? {
        Some(made_by) if made_by == maker => Ok(()),
        made_by => Err(Error::Cluster {
            doing: MAKER,
            at: client.at(&format!("/{index}/_mapping")),
            found: format!(
                "another index of that name, made by {}",
                made_by.as_deref().unwrap_or("nobody we know")
            ),
            remedy: "see whether another migration is at work, then migrate again",
        }),
    }
}

/// Who has made an index. `None` if it is gone.
pub(super) fn maker_of(client: &Client, index: &str) -> Result<Option<String>> {
    let path = format!("/{index}/_mapping");
    let call =
        Call { doing: MAKER, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (200, found) => Ok(found[index]["mappings"]["_meta"]["made_by"].as_str().map(str::to_string)),
        (404, _) => Ok(None),
        (status, body) => Err(refused(MAKER, client.at(&path), status, &body)),
    }
}

/// Drops an index, if it is there.
pub(crate) fn drop_index(client: &Client, index: &str) -> Result<()> {
    const DOING: &str = "drop the generation";
    let path = format!("/{index}");
    let call =
        Call { doing: DOING, method: Method::Delete, path: &path, body: Body::None, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (200..300 | 404, _) => Ok(()),
        (status, body) => Err(refused(DOING, client.at(&path), status, &body)),
    }
}
