//! How an index lies on its nodes.

use super::client::{Body, Call, Client, Method};
use super::failure::{refused, unexpected};
use super::retry::Repeat;
use super::state::ClusterState;
use crate::error::Result;

/// How many nodes there are, and whether all of an index is on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    /// `green` if all copies are there, `yellow` if one of each part is, else `red`.
    pub(crate) status: String,
    pub(crate) nodes: u32,
}

/// The health of a generation. `None` where this user may not ask for it.
pub(crate) fn health(client: &Client, of: &ClusterState) -> Result<Option<Health>> {
    const DOING: &str = "look at the health of";
    let path = format!("/_cluster/health/{}?timeout=1s", of.index);
    let call =
        Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
    match client.answer(&call)? {
        // The latter if the index is not there.
        (200 | 408, body) => {
            let read = || {
                let nodes = u32::try_from(body["number_of_nodes"].as_u64()?).ok()?;
                Some(Health { status: body["status"].as_str()?.to_string(), nodes })
            };
            read().map(Some).ok_or_else(|| unexpected(DOING, client.at(&path), "a status"))
        }
        (401 | 403, _) => Ok(None),
        (status, body) => Err(refused(DOING, client.at(&path), status, &body)),
    }
}
