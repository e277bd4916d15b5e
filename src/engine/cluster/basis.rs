//! What of a migration is on the cluster already.

use crate::error::Result;
use crate::ids::{ChunkId, Digest};
use crate::store::opensearch::{Client, Difference, Held, Layout, Manifest, Names};

/// What a new generation's passages are made of.
pub(super) enum Basis<'m> {
    /// They are all sent.
    Nothing,
    /// An earlier generation has the same.
    Same(&'m Manifest),
    /// An earlier generation has most of them.
    Most(&'m Manifest, Difference),
}

impl<'m> Basis<'m> {
    /// The best of the generations that are kept. Vectors of other weights are all others.
    pub(super) fn choose(
        kept: &'m [Manifest],
        passages: &[Held],
        weights: Digest,
        layout: Layout,
        client: &Client,
        names: &Names,
    ) -> Result<Basis<'m>> {
        let mut best = Basis::Nothing;
        // What is sent anew is better searched than what replaces half of an index.
        let mut most = passages.len() / 2;
        let is_like = |one: &&Manifest| {
            one.version == Manifest::VERSION
                && one.weights == weights
                && one.layout.is_some_and(|of| of.shards == layout.shards)
        };
        let mut seen = Vec::new();
        for manifest in kept.iter().filter(is_like) {
            if seen.contains(&manifest.passages()) {
                continue;
            }
            seen.push(manifest.passages());
            let holdings = Held::all(client, &names.generation(manifest.passages()));
            match Difference::between(holdings, passages) {
                Ok(difference) if difference.len() == 0 => return Ok(Basis::Same(manifest)),
                Ok(difference) if difference.len() < most => {
                    most = difference.len();
                    best = Basis::Most(manifest, difference);
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "an earlier generation can't be built on"),
            }
        }
        Ok(best)
    }
}

/// Passages that go to an index, each list in the order of their ids.
pub(super) struct Sending {
    pub(super) create: Vec<ChunkId>,
    pub(super) replace: Vec<ChunkId>,
    pub(super) remove: Vec<ChunkId>,
}

impl Sending {
    /// All passages.
    pub(super) fn all(create: Vec<ChunkId>) -> Sending {
        Sending { create, replace: Vec::new(), remove: Vec::new() }
    }

    /// Those that are not as they are to be.
    pub(super) fn changes(difference: Difference) -> Sending {
        let Difference { new, changed, gone } = difference;
        Sending { create: new, replace: changed, remove: gone }
    }

    pub(super) fn len(&self) -> u64 {
        (self.create.len() + self.replace.len() + self.remove.len()) as u64
    }
}
