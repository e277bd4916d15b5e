//! Indices of generations: created, listed, settled.

use serde_json::{Value as Json, json};

use super::alias::live;
use super::client::{Body, Call, Client, Method};
use super::failure::{LATER, refused};
use super::indices::{create_index, create_own};
use super::layout::Layout;
use super::manifest::{Counts, Names, state_mapping};
use super::mapping::{VECTOR, mapping};
use super::retry::Repeat;
use crate::error::{Error, Result};
use crate::ids::GenerationId;

const CREATE: &str = "create the generation";

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

/// Creates the index of a generation, which only `maker` fills.
pub(crate) fn create(
    client: &Client,
    index: &str,
    layout: Layout,
    dimensions: usize,
    counts: &Counts,
    maker: &str,
) -> Result<()> {
    create_own(client, CREATE, index, mapping(layout, dimensions, counts), maker)
}

/// Creates the index of a generation whose passages are in another one's: it is there for the alias alone.
pub(crate) fn create_empty(client: &Client, index: &str, maker: &str) -> Result<()> {
    let body = json!({
        "settings": { "index": { "number_of_shards": 1, "auto_expand_replicas": "0-2" } },
        "mappings": { "dynamic": "strict" },
    });
    create_own(client, CREATE, index, body, maker)
}

/// The generations that have an index.
pub(crate) fn existing(client: &Client, names: &Names) -> Result<Vec<GenerationId>> {
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

/// Whether an index is on as many nodes as it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copies {
    AllThere,
    UnderWay,
    /// There are too few nodes, or these are busy with others.
    Missing,
}

/// Waits some seconds for the copies of an index.
pub(crate) fn copies(client: &Client, index: &str) -> Result<Copies> {
    const DOING: &str = "look at the copies of";
    let path = format!("/_cluster/health/{index}?wait_for_status=green&timeout=3s");
    let call =
        Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    match client.answer(&call)? {
        (200 | 408, body) if body["status"] == "green" => Ok(Copies::AllThere),
        (200 | 408, body) if body["initializing_shards"].as_u64() > Some(0) => Ok(Copies::UnderWay),
        (200 | 408, _) => Ok(Copies::Missing),
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
