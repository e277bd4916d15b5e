//! What a cluster has: its indexes, and the generation of one that serves.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::store::opensearch::{Address, Client, Names, indexes, live};

const REMEDY: &str = "make it with `retune migrate DIR --store URL/NAME`";

/// A client for the cluster of an address, and the index that it names, or else the only one there.
pub(super) fn reached(store: &str) -> Result<(Arc<Client>, Names)> {
    let Address { nodes, name } = store.parse()?;
    let client = Arc::new(Client::new(nodes)?);
    let names = Names::of(name.map_or_else(|| only_index(&client), Ok)?);
    Ok((client, names))
}

/// The generation that serves.
pub(super) fn serving(client: &Client, names: &Names) -> Result<GenerationId> {
    let missing = |what| Error::NotFound { what, id: names.alias().to_string(), remedy: REMEDY };
    let index = live(client, names)?.ok_or_else(|| missing("index on the cluster with the name"))?;
    names.id_of(&index).ok_or_else(|| missing("generation that was migrated to the end of the index"))
}

/// The name of the only index on the cluster.
fn only_index(client: &Client) -> Result<String> {
    let mut found = indexes(client)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            Err(Error::NotFound { what: "index of retune on the cluster", id: String::new(), remedy: REMEDY })
        }
        _ => Err(Error::invalid(
            "the address of the cluster",
            "no name of an index",
            format!("one of {} behind the last URL", found.join(", ")),
        )),
    }
}
