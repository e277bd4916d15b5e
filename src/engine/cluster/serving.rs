//! What a cluster has: its indexes, and the generation of one that serves.

use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::store::opensearch::{Client, Names, indexes, live};

const REMEDY: &str = "make it with `retune migrate DIR --store URL/NAME`";

/// The generation that serves.
pub(super) fn serving(client: &Client, names: &Names) -> Result<GenerationId> {
    let missing = |what| Error::NotFound { what, id: names.alias().to_string(), remedy: REMEDY };
    let index = live(client, names)?.ok_or_else(|| missing("index on the cluster with the name"))?;
    names.id_of(&index).ok_or_else(|| missing("generation that was migrated to the end of the index"))
}

/// The name of the only index on the cluster.
pub(super) fn only_index(client: &Client) -> Result<String> {
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
