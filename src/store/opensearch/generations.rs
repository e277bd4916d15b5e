//! Indices of generations: created, settled, dropped.

use serde_json::{Value as Json, json};

use super::alias::live;
use super::client::{Body, Call, Client, Method};
use super::failure::{LATER, refused};
use super::manifest::{Counts, Manifest, Names, state_mapping};
use super::mapping::{Layout, VECTOR, mapping};
use super::retry::Repeat;
use crate::error::{Error, Result};
use crate::ids::GenerationId;

/// Has the index of manifests and the alias be there. The alias is on that index until a generation serves, so that it
/// is never added, only moved.
///
/// # Errors
/// [`Error::Cluster`] if the name is an alias of something else.
pub(crate) fn prepare(client: &Client, names: &Names) -> Result<()> {
    if let Some(other) = live(client, names)?
        && other != names.state()
        && names.id_of(&other).is_none()
    {
        return Err(Error::Cluster {
            doing: "migrate to",
            at: client.at(&format!("/{}", names.alias())),
            found: format!("an alias of that name on {other}, which is none of retune's"),
            remedy: "choose another name",
        });
    }
    let mut body = state_mapping();
    body["aliases"] = json!({ names.alias(): {} });
    create_index(client, "create the index of generations", &names.state(), &body)
}

/// The names of all indexes on the cluster.
pub(crate) fn indexes(client: &Client) -> Result<Vec<String>> {
    const DOING: &str = "list the indexes at";
    let path = "/*-state?filter_path=*.mappings.properties.manifest";
    let call = Call { doing: DOING, method: Method::Get, path, body: Body::None, repeat: Repeat::Safe };
    let found = client.ask(&call)?;
    let names = found.as_object().into_iter().flatten().map(|(index, _)| index);
    Ok(names.filter_map(|index| index.strip_suffix("-state")).map(str::to_string).collect())
}

/// How long a new index may take until its copies are there.
const COPIES_SECONDS: u64 = 10;

/// Creates the index of a generation.
pub(crate) fn create(
    client: &Client,
    index: &str,
    layout: Layout,
    dimensions: usize,
    counts: &Counts,
) -> Result<()> {
    create_index(client, "create the generation", index, &mapping(layout, dimensions, counts))
}

/// Creates an index, and waits a while until all its copies are there: a node that goes before then takes the only one.
/// A cluster with too few nodes for them has the index all the same.
fn create_index(client: &Client, doing: &'static str, index: &str, body: &Json) -> Result<()> {
    let path = format!("/{index}?wait_for_active_shards=all&timeout={COPIES_SECONDS}s");
    let body = Body::Json(body);
    let call = Call { doing, method: Method::Put, path: &path, body, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (200..300, _) => Ok(()),
        // By an attempt whose answer was lost, or in the case of the index of manifests by somebody else.
        (400, body) if body["error"]["type"] == "resource_already_exists_exception" => Ok(()),
        (status, body) => Err(refused(doing, client.at(&path), status, &body)),
    }
}

/// The generations that have an index.
fn existing(client: &Client, names: &Names) -> Result<Vec<GenerationId>> {
    const DOING: &str = "list the generations at";
    let path = format!("/{}-g*?filter_path=*.settings.index.uuid&expand_wildcards=all", names.alias());
    let call =
        Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (404, _) => Ok(Vec::new()),
        (200, Json::Object(indices)) => Ok(indices.keys().filter_map(|index| names.id_of(index)).collect()),
        (200, _) => Ok(Vec::new()),
        (status, body) => Err(refused(DOING, client.at(&path), status, &body)),
    }
}

/// Drops what no reader needs: generations that were never finished, and those before the one that the serving one
/// replaced, which stays for a way back. The caller has the lease. Returns the number of the next generation, which no
/// other has had.
pub(crate) fn sweep(client: &Client, names: &Names, serving: &str) -> Result<GenerationId> {
    let kept = match names.id_of(serving) {
        Some(id) => Manifest::read(client, names, id)?.replaces.into_iter().chain([id]).collect(),
        None => Vec::new(),
    };
    let existing = existing(client, names)?;
    let highest = Manifest::numbers(client, names)?.into_iter().chain(existing.iter().copied()).max();
    for id in existing.into_iter().filter(|id| !kept.contains(id)) {
        drop_index(client, &names.generation(id))?;
    }
    Ok(GenerationId(highest.map_or(1, |highest| highest.0 + 1)))
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

/// Makes everything that was indexed visible on all nodes, and counts it.
///
/// # Errors
/// [`Error::Cluster`] if there are not exactly as many chunks as were sent.
pub(crate) fn settle(client: &Client, index: &str, chunks: u64) -> Result<()> {
    const DOING: &str = "make the passages visible at";
    let post = |path: &str| {
        client.ask(&Call { doing: DOING, method: Method::Post, path, body: Body::None, repeat: Repeat::Safe })
    };
    // A cluster makes an index that was dropped anew for what is sent to it, without our mapping.
    let path = format!("/{index}/_mapping");
    let call =
        Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    if client.ask(&call)?[index]["mappings"]["properties"][VECTOR]["type"] != "knn_vector" {
        return Err(Error::Cluster {
            doing: DOING,
            at: client.at(&path),
            found: "another index of that name: ours was dropped meanwhile".into(),
            remedy: LATER,
        });
    }
    let usual = json!({ "index": { "refresh_interval": null } });
    let (path, body) = (format!("/{index}/_settings"), Body::Json(&usual));
    client.ask(&Call { doing: DOING, method: Method::Put, path: &path, body, repeat: Repeat::Safe })?;
    // On disk too: until then a node that comes back reads the chunks from its log.
    post(&format!("/{index}/_flush?wait_if_ongoing=true"))?;
    post(&format!("/{index}/_refresh"))?;
    // A lost node's copies are made again elsewhere, if there is a node for them. Searches need only one.
    let path = format!(
        "/_cluster/health/{index}?wait_for_status=yellow&wait_for_no_initializing_shards=true&timeout=30s"
    );
    let call =
        Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    client.answer(&call)?;
    let path = format!("/{index}/_search?allow_partial_search_results=false");
    let query = json!({ "size": 0, "track_total_hits": true });
    let body = Body::Json(&query);
    let found =
        client.ask(&Call { doing: DOING, method: Method::Post, path: &path, body, repeat: Repeat::Safe })?;
    let visible = found["hits"]["total"]["value"].as_u64().unwrap_or(0);
    match visible == chunks {
        true => Ok(()),
        false => Err(Error::Cluster {
            doing: DOING,
            at: client.at(&path),
            found: format!("{visible} passages of {chunks}"),
            remedy: LATER,
        }),
    }
}
