//! The index that takes the passages of a job.

use serde_json::json;

use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::LATER;
use crate::store::opensearch::indices::create_own;
use crate::store::opensearch::layout::Layout;
use crate::store::opensearch::manifest::{Counts, Names};
use crate::store::opensearch::mapping::mapping;
use crate::store::opensearch::retry::Repeat;

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
        const DOING: &str = "end the encoding of passages at";
        let ask = |method, path: &str| {
            client.ask(&Call { doing: DOING, method, path, body: Body::None, repeat: Repeat::Safe })
        };
        let path = format!("/{}/_block/write", self.index);
        let blocked = ask(Method::Put, &path)?;
        if blocked["acknowledged"] != json!(true) || blocked["shards_acknowledged"] != json!(true) {
            return Err(Error::Cluster {
                doing: DOING,
                at: client.at(&path),
                found: "parts of the index that could not be closed for writing".into(),
                remedy: LATER,
            });
        }
        ask(Method::Post, &format!("/{}/_refresh", self.index)).map(drop)
    }
}
