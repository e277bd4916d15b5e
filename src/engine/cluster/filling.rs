//! What a round has made, sent before anybody has to wait for its result.

use super::basis::Sending;
use super::leased::Leased;
use super::migrate::MigrateOptions;
use super::migration::survey;
use super::progress::MigrateProgress;
use super::rebased::Rebased;
use super::round::Round;
use super::transfer::{Progress, Transfer, going_on};
use crate::engine::Reader;
use crate::error::{Error, Result};
use crate::store::opensearch::{Manifest, Parts, StoredEncoder, create, drop_index, live, next, settle};

impl Reader {
    /// Sends what a round has published but for what makes it serve: the encoder, the passages, the changes of others.
    /// `leased` is the round's. What fails here for the cluster's sake is done again, with others waiting.
    pub(super) fn send_ahead(
        &self,
        leased: &Leased,
        round: &mut Round,
        progress: Progress<'_>,
    ) -> Result<()> {
        let sent = self.send_all(leased, round, progress);
        match sent {
            Err(error @ Error::Cluster { .. }) if leased.lease.check().is_ok() => {
                tracing::warn!(%error, "not all that was learnt could be sent ahead");
                Ok(())
            }
            sent => sent,
        }
    }

    fn send_all(&self, leased: &Leased, round: &mut Round, progress: Progress<'_>) -> Result<()> {
        let Leased { client, names, lease } = leased;
        let snapshot = self.inner.snapshot.load_full();
        self.check_step(client, names, &snapshot, round.begun.as_ref())?;
        round.weights_bytes = self.send_encoder(leased, progress)?;
        if round.made.is_none() {
            round.made = self.fill(leased, progress)?;
            round.sent = round.made.as_ref().map_or(0, |made| made.counts.chunks);
        }
        // A change after the next drops what is read.
        const ATTEMPTS: usize = 5;
        let goes_on = &mut || lease.check().and_then(|()| going_on(progress, MigrateProgress::default()));
        let mut ahead = || match self.check_step(client, names, &snapshot, round.begun.as_ref())? {
            Some(serving) => {
                Rebased::of(&serving, &snapshot, (client, names), &mut round.vectors, goes_on).map(drop)
            }
            None => Ok(()),
        };
        for _ in 1..ATTEMPTS {
            match ahead() {
                Err(error @ Error::Cluster { .. }) => {
                    tracing::debug!(%error, "reading what has changed again")
                }
                done => return done,
            }
        }
        ahead()
    }

    /// Sends the encoder, if a round has trained it. Returns how many bytes the cluster did not have.
    fn send_encoder(&self, leased: &Leased, progress: Progress<'_>) -> Result<u64> {
        let Leased { client, names, lease } = leased;
        let Some(own) = self.inner.snapshot.load().pinned.generation.own_encoder() else { return Ok(0) };
        Parts::of(client, names).send(&StoredEncoder::of(&own)?, &own.folder, &mut || {
            lease.check()?;
            going_on(progress, MigrateProgress::default())
        })
    }

    /// Sends all passages to an index of their own that nobody searches, if what serves has vectors of other weights.
    /// The migration that follows builds on it; until then others can change documents. `leased` is the round's.
    /// Returns what that index holds.
    fn fill(&self, leased: &Leased, progress: Progress<'_>) -> Result<Option<Manifest>> {
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
        let writing = leased.writing()?;
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
