//! Whether an index of this machine has what was changed on a cluster itself.

use crate::engine::Reader;
use crate::error::{Error, Result};
use crate::generation::Generation;
use crate::search::Snapshot;
use crate::store::opensearch::{Client, Manifest, Names, Origin, live};

impl Reader {
    /// The generation that serves, if its documents were changed on the cluster itself, and this index was not brought
    /// back from there since.
    pub(super) fn unseen(&self, client: &Client, names: &Names) -> Result<Option<Manifest>> {
        let Some(serving) = live(client, names)?.and_then(|index| names.id_of(&index)) else {
            return Ok(None);
        };
        let serving = Manifest::read(client, names, serving)?;
        let edit = serving.origin.as_ref().and_then(Origin::edit);
        Ok((edit.is_some() && edit != self.inner.settings.edit).then_some(serving))
    }

    /// Refuses to go on for a generation with documents that this index has not, unless this machine has learnt from it
    /// since: then that goes there.
    pub(super) fn check_ahead(
        &self,
        serving: &Manifest,
        snapshot: &Snapshot,
        is_round: bool,
        client: &Client,
        names: &Names,
    ) -> Result<()> {
        let generation = &snapshot.pinned.generation;
        let is_ahead = || {
            let (root, source) = (self.inner.layout.generations(), self.inner.options.model_source());
            let parent = generation.meta.parent;
            let parent = parent.and_then(|parent| Generation::open_unloaded(&root, parent, &source).ok());
            parent.is_some_and(|parent| {
                parent.meta.weights == serving.weights
                    && parent.meta.query_weights() == serving.query_weights()
                    && parent.meta.fusion == serving.fusion
            })
        };
        if !is_round && !is_ahead() {
            return Err(behind(client, names));
        }
        // Nobody could encode a passage for it then, here or there.
        let meta = &generation.meta;
        let for_queries = generation.own_encoder().is_some_and(|own| own.trained_against.is_some());
        let is_new = meta.query_weights() != serving.query_weights();
        let was_trained = meta.first_model().is_none_or(|first| first.weights != meta.weights);
        if for_queries && is_new && was_trained {
            return Err(Error::Cluster {
                doing: "publish what was learnt at",
                at: client.at(&format!("/{}", names.alias())),
                found: "documents that were changed there meanwhile, and an encoder of queries alone beside one of \
                        documents that was trained before"
                    .into(),
                remedy: "bring the index back with `retune migrate DIR --store URL --back`, for a new DIR, and learn \
                         there",
            });
        }
        Ok(())
    }
}

/// Why an index that lacks changes of the cluster is not migrated.
pub(super) fn behind(client: &Client, names: &Names) -> Error {
    Error::Cluster {
        doing: "migrate to",
        at: client.at(&format!("/{}", names.alias())),
        found: "documents that were changed there, and that this index has not".into(),
        remedy: "bring the index back with `retune migrate DIR --store URL --back`, for a new DIR, and use that",
    }
}
