//! Whether what this machine has may take the place of what serves on a cluster.

use crate::engine::Reader;
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::generation::{Generation, GenerationMeta};
use crate::ids::Digest;
use crate::search::Snapshot;
use crate::store::opensearch::{Client, Manifest, Names, Origin, live};

/// What a generation has learnt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Learnt {
    weights: Digest,
    of_queries: Digest,
    fusion: Fusion,
}

impl From<&Manifest> for Learnt {
    fn from(manifest: &Manifest) -> Learnt {
        let (weights, of_queries) = (manifest.weights, manifest.query_weights());
        Learnt { weights, of_queries, fusion: manifest.fusion }
    }
}

impl From<&GenerationMeta> for Learnt {
    fn from(meta: &GenerationMeta) -> Learnt {
        Learnt { weights: meta.weights, of_queries: meta.query_weights(), fusion: meta.fusion }
    }
}

impl Reader {
    /// What serves, before a round learns from it.
    ///
    /// # Errors
    /// [`Error::Cluster`] if documents were changed on the cluster itself, and this index was not brought back since.
    pub(super) fn begin_step(&self, client: &Client, names: &Names) -> Result<Option<Learnt>> {
        match self.check_step(client, names, &self.inner.snapshot.load_full(), None)? {
            None => Ok(serving(client, names)?.as_ref().map(Learnt::from)),
            Some(_) => Err(Error::Cluster {
                doing: "begin a round for",
                at: client.at(&format!("/{}", names.alias())),
                found: "documents that were changed there, and that this index has not, but not yet what it has learnt"
                    .into(),
                remedy: "publish that with `retune migrate DIR --store URL`, then bring the index back with `--back`",
            }),
        }
    }

    /// Refuses to replace what serves by less. Returns it, if its documents were changed on the cluster itself, and
    /// this index was not brought back since: then only what this machine has learnt may go there. `begun` is what
    /// served when the round began whose result that is.
    pub(super) fn check_step(
        &self,
        client: &Client,
        names: &Names,
        snapshot: &Snapshot,
        begun: Option<&Learnt>,
    ) -> Result<Option<Manifest>> {
        let Some(serving) = serving(client, names)? else { return Ok(None) };
        let refuse = |found: &str, remedy| {
            let (doing, at) = ("migrate to", client.at(&format!("/{}", names.alias())));
            Err(Error::Cluster { doing, at, found: found.into(), remedy })
        };
        let Generation { meta, .. } = &*snapshot.pinned.generation;
        let there = Learnt::from(&serving);
        if begun.is_some_and(|begun| there != *begun) && there != Learnt::from(meta) {
            return refuse("what another machine has learnt since the round began", BACK);
        }
        let edit = serving.origin.as_ref().and_then(Origin::edit);
        if edit.is_none() || edit == self.inner.settings.edit {
            return Ok(None);
        }
        if begun.is_none() && !self.is_ahead(there, meta) {
            return refuse("documents that were changed there, and that this index has not", BACK);
        }
        // Nobody could encode a passage for it then, here or there.
        let own = snapshot.pinned.generation.own_encoder();
        let for_queries = own.is_some_and(|own| own.trained_against.is_some());
        let was_trained = meta.first_model().is_none_or(|first| first.weights != meta.weights);
        if for_queries && was_trained && meta.query_weights() != there.of_queries {
            return refuse(
                "documents that were changed there meanwhile, and an encoder of queries alone here, beside one of \
                 documents that was trained before",
                BACK,
            );
        }
        Ok(Some(serving))
    }

    /// Whether this generation was made of what serves.
    fn is_ahead(&self, there: Learnt, meta: &GenerationMeta) -> bool {
        let (root, source) = (self.inner.layout.generations(), self.inner.options.model_source());
        let parent = meta.parent.and_then(|parent| Generation::open_unloaded(&root, parent, &source).ok());
        parent.is_some_and(|parent| Learnt::from(&parent.meta) == there)
    }
}

const BACK: &str =
    "bring the index back with `retune migrate DIR --store URL --back`, for a new DIR, and use that";

fn serving(client: &Client, names: &Names) -> Result<Option<Manifest>> {
    let serving = live(client, names)?.and_then(|index| names.id_of(&index));
    serving.map(|serving| Manifest::read(client, names, serving)).transpose()
}
