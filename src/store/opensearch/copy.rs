//! The index of a generation, made of an earlier one's.

use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::{refused, unexpected};
use super::indices::COPIES_SECONDS;
use super::layout::Layout;
use super::manifest::{Counts, Manifest, Names};
use super::mapping::similarities;
use super::retry::Repeat;
use crate::error::Result;

const DOING: &str = "copy the generation to";

/// Makes the index `to` with all passages of an earlier generation. The nodes link its files, so that this takes no
/// longer for many passages than for few; the earlier index can't be written any more from here on. `counts` are those
/// that it will come to.
///
/// # Errors
/// [`Error::Cluster`] if the cluster can't.
pub(crate) fn copy(
    client: &Client,
    names: &Names,
    earlier: &Manifest,
    to: &str,
    layout: Layout,
    counts: &Counts,
    maker: &str,
) -> Result<()> {
    let from = names.generation(earlier.passages());
    set(client, &from, &json!({ "index.blocks.write": true }))?;
    let path = format!("/{from}/_clone/{to}?wait_for_active_shards=all&timeout={COPIES_SECONDS}s");
    let settings = json!({ "settings": {
        "index.blocks.write": null,
        "index.number_of_replicas": layout.replicas,
        "index.refresh_interval": "-1",
    } });
    let body = Body::Json(&settings);
    let call = Call { doing: DOING, method: Method::Put, path: &path, body, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (200..300, _) => {}
        // By an attempt whose answer was lost: its number is nobody else's.
        (400, body) if body["error"]["type"] == "resource_already_exists_exception" => {}
        (status, body) => return Err(refused(DOING, client.at(&path), status, &body)),
    }
    ask(
        client,
        Method::Put,
        &format!("/{to}/_mapping"),
        Body::Json(&json!({ "_meta": { "made_by": maker } })),
    )?;
    if similarities(counts) != similarities(&earlier.counts) {
        // Only of a closed index. One whose primaries are on their way can't be closed.
        let path = format!("/_cluster/health/{to}?wait_for_status=yellow&timeout=30s");
        ask(client, Method::Get, &path, Body::None)?;
        let path = format!("/{to}/_close");
        let (method, body) = (Method::Post, Body::None);
        let closed = client.ask(&Call { doing: DOING, method, path: &path, body, repeat: Repeat::Safe })?;
        if closed["acknowledged"] != true || closed["indices"][to]["closed"] == false {
            return Err(unexpected(DOING, client.at(&path), "a closed index"));
        }
        set(client, to, &json!({ "index": { "similarity": similarities(counts) } }))?;
        let path = format!("/{to}/_open?wait_for_active_shards=all&timeout={COPIES_SECONDS}s");
        ask(client, Method::Post, &path, Body::None)?;
    }
    Ok(())
}

/// Has an index lie on so many nodes more.
pub(crate) fn set_replicas(client: &Client, index: &str, replicas: u32) -> Result<()> {
    set(client, index, &json!({ "index.number_of_replicas": replicas }))
}

fn set(client: &Client, index: &str, settings: &Json) -> Result<()> {
    ask(client, Method::Put, &format!("/{index}/_settings"), Body::Json(settings))
}

fn ask(client: &Client, method: Method, path: &str, body: Body<'_>) -> Result<()> {
    client.ask(&Call { doing: DOING, method, path, body, repeat: Repeat::Safe }).map(drop)
}
