//! The passages of a round without workers, sent before anybody has to wait for its result.

use std::time::Duration;

use super::basis::Sending;
use super::migrate::{Leased, MigrateOptions};
use super::migration::survey;
use super::transfer::{Progress, Transfer};
use crate::engine::Reader;
use crate::error::Result;
use crate::store::opensearch::{Lease, Manifest, create, drop_index, live, next, settle};

/// How long it waits for those who change documents.
const PATIENCE: Duration = Duration::from_secs(600);

impl Reader {
    /// Sends all passages to an index of their own that nobody searches, if what serves has vectors of other weights.
    /// The migration that follows builds on it; until then others can change documents. `leased` is the round's.
    /// Returns what that index holds.
    pub(super) fn fill(&self, leased: &Leased, progress: Progress<'_>) -> Result<Option<Manifest>> {
        let Leased { client, names, lease } = leased;
        let snapshot = self.inner.snapshot.load_full();
        let weights = snapshot.pinned.generation.meta.weights;
        let Some(serving) = live(client, names)? else { return Ok(None) };
        let Some(id) = names.id_of(&serving) else { return Ok(None) };
        let now = Manifest::read(client, names, id)?;
        if now.weights == weights {
            return Ok(None);
        }
        let content = self.content(&snapshot)?;
        let analysis = content.analysis();
        let counts = survey(&content, &*snapshot, &analysis)?.counts;
        let layout = MigrateOptions::default().layout(Some(&now));
        let dimensions = snapshot.pinned.dense.dimensions();
        // What another round may have begun is not to be hindered by an index of this number.
        lease.check()?;
        let writing = Lease::wait(client, names, PATIENCE)?;
        let generation = next(client, names)?;
        Manifest::take_number(client, names, generation, lease.holder())?;
        let index = names.generation(generation);
        let created = create(client, &index, layout, dimensions, &counts, lease.holder());
        drop(writing);
        let transfer = Transfer {
            source: &*snapshot,
            analysis: &analysis,
            layout,
            client,
            names,
            lease,
            serving: &serving,
            index: &index,
        };
        let filled = created
            .and_then(|()| transfer.send(&Sending::all(content.chunks.clone()), progress))
            .and_then(|()| settle(client, &index, counts.chunks));
        match filled {
            Ok(()) => Ok(Some(Manifest {
                generation,
                passages: None,
                layout: Some(layout),
                weights,
                counts,
                version: Manifest::VERSION,
                ..now
            })),
            Err(error) => {
                if lease.check().is_ok() {
                    let _ = drop_index(client, &index);
                }
                Err(error)
            }
        }
    }
}
