//! The index that takes the passages of a job.

use serde_json::json;

use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::LATER;
use crate::store::opensearch::indices::{create_own, drop_index};
use crate::store::opensearch::layout::Layout;
use crate::store::opensearch::manifest::{Counts, Names};
use crate::store::opensearch::mapping::mapping;
use crate::store::opensearch::retry::Repeat;

const END: &str = "end the encoding of passages at";

/// The index of a job. Nobody searches it, and it is filled by its alias alone: so a worker that comes back after it
/// was dropped makes none anew.
pub(crate) struct Target {
    pub(crate) index: String,
    /// What workers write to.
    pub(crate) alias: String,
}

impl Target {
    pub(crate) fn of(names: &Names, generation: GenerationId) -> Target {
        let index = names.generation(generation);
        Target { alias: format!("{index}-encoding"), index }
    }

    /// Creates it.
    pub(crate) fn create(
        &self,
        client: &Client,
        layout: Layout,
        dimensions: usize,
        counts: &Counts,
        maker: &str,
    ) -> Result<()> {
        let mut body = mapping(layout, dimensions, counts);
        body["aliases"] = json!({ &self.alias: {} });
        create_own(client, "create the index of passages to encode", &self.index, body, maker)
    }

    /// From here on it takes no passage, and what it has can be read. Writes that are under way have ended, and one
    /// that comes later is refused.
    ///
    /// # Errors
    /// [`Error::Cluster`] if a node has not answered.
    pub(crate) fn seal(&self, client: &Client) -> Result<()> {
        self.block(client)?;
        let path = format!("/{}/_refresh", self.index);
        let (method, body) = (Method::Post, Body::None);
        client.ask(&Call { doing: END, method, path: &path, body, repeat: Repeat::Safe }).map(drop)
    }

    /// Drops it, after the writes that are under way: one to an index that goes meanwhile may get no answer, and its
    /// worker then waits until the request times out. What can't be dropped the next migration drops.
    pub(crate) fn discard(&self, client: &Client) {
        let blocked = self.block(client);
        if let Err(error) = blocked.and_then(|()| drop_index(client, &self.index)) {
            tracing::debug!(%error, "the index of a job that has failed is left to the next migration");
        }
    }

    /// Waits for the writes that are under way, and has later ones refused.
    fn block(&self, client: &Client) -> Result<()> {
        let path = format!("/{}/_block/write", self.index);
        let (method, body) = (Method::Put, Body::None);
        let call = Call { doing: END, method, path: &path, body, repeat: Repeat::Safe };
        let blocked = client.ask(&call)?;
        if blocked["acknowledged"] != json!(true) || blocked["shards_acknowledged"] != json!(true) {
            return Err(Error::Cluster {
                doing: END,
                at: client.at(&path),
                found: "parts of the index that could not be closed for writing".into(),
                remedy: LATER,
            });
        }
        Ok(())
    }
}
