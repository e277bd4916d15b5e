//! Copies an index of this machine to a cluster, as its next generation.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::Serialize;

use super::leased::Leased;
use super::migration::{Content, Migration};
use super::progress::MigrateProgress;
use super::rebased::Rebased;
use super::round::Round;
use super::transfer::{Source, Transfer, Transferred, going_on};
use crate::engine::writer::last_commit;
use crate::engine::{Inner, Reader};
use crate::error::{Error, Result};
use crate::ids::{ChunkSet as _, GenerationId};
use crate::lexical::Filter;
use crate::search::Snapshot;
use crate::store::opensearch::{Layout, Manifest, Names, Origin, OwnRound, StoredEncoder, Swept, sweep};

/// How an index is laid out on a cluster.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct MigrateOptions {
    /// The parts that it is divided into, each on one node. Default: as the generation that serves, or else 1, which is
    /// enough for some ten million passages. Another number sends all passages.
    pub shards: Option<u32>,
    /// Copies of each part beside the first. Default: as the generation that serves, or else 1: a node may be lost.
    pub replicas: Option<u32>,
}

impl MigrateOptions {
    /// Sets [`shards`](MigrateOptions::shards).
    pub fn with_shards(mut self, shards: u32) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Sets [`replicas`](MigrateOptions::replicas).
    pub fn with_replicas(mut self, replicas: u32) -> Self {
        self.replicas = Some(replicas);
        self
    }

    fn validate(&self) -> Result<()> {
        match self.shards {
            None | Some(1..=1024) => Ok(()),
            Some(shards) => Err(Error::invalid("the number of shards", shards, "1 to 1024")),
        }
    }

    pub(super) fn layout(&self, serving: Option<&Manifest>) -> Layout {
        let now = serving.and_then(|serving| serving.layout);
        Layout {
            shards: self.shards.or(now.map(|now| now.shards)).unwrap_or(1),
            replicas: self.replicas.or(now.map(|now| now.replicas)).unwrap_or(1),
        }
    }
}

/// What a migration has done.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct MigrateReport {
    /// The name of the index on the cluster.
    pub name: String,
    /// The cluster's number of the generation, which now serves.
    pub generation: GenerationId,
    /// Passages.
    pub chunks: u64,
    /// Passages that have a vector.
    pub encoded: u64,
    /// Passages that were sent or removed: all, or those that are not on the cluster in the same state with the same
    /// vector.
    pub sent: u64,
    /// Bytes of weights that were sent: those that rounds have trained and that the cluster did not have.
    pub weights_bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// Whether documents were changed on the cluster itself, and this index has not got them. They are there as they
    /// were changed, and have what was learnt here. [Bring the index back](super::Cluster::restore) before the next
    /// round.
    pub behind: bool,
}

impl Reader {
    /// Copies the index as it is now to the cluster at `store`, as [`Cluster::open`](super::Cluster::open) takes it;
    /// without a name it has that of the folder. What serves there goes on until everything is there, and is then
    /// replaced at once. It stays for a way back; older ones are dropped. If what serves there is the same, nothing
    /// changes.
    ///
    /// Weights that a round has trained go with it. Passages that are there with the same vectors are not sent again:
    /// after a change of some documents only these are, and after a round that has moved the fusion weight or the
    /// encoder of queries alone none is.
    ///
    /// If documents were changed on the cluster [itself](super::Cluster::add), only what a round has learnt since goes
    /// there, with those documents: where this machine's generation came from the one that serves.
    ///
    /// # Errors
    /// [`Error::Cluster`] if the cluster refuses something, if another migration of this index is at work, if
    /// another one has replaced what served, or if documents were changed there and nothing was learnt here since;
    /// [`Error::Damaged`] if trained weights are not as they were published;
    /// [`Error::Cancelled`] if `progress` breaks. What served goes on, and the next migration removes what this one
    /// leaves.
    pub fn migrate(
        &self,
        store: &str,
        options: &MigrateOptions,
        progress: &mut dyn FnMut(MigrateProgress) -> ControlFlow<()>,
    ) -> Result<MigrateReport> {
        self.check_open("migrate")?;
        options.validate()?;
        self.migrate_with(&Leased::take(store, self.path())?, options, None, progress)
    }

    /// As [`migrate`](Reader::migrate), under a lease that is held. What a `round` has published goes to the passages
    /// that serve, whatever has become of them since it began.
    pub(super) fn migrate_with(
        &self,
        leased: &Leased,
        options: &MigrateOptions,
        round: Option<&mut Round>,
        progress: &mut dyn FnMut(MigrateProgress) -> ControlFlow<()>,
    ) -> Result<MigrateReport> {
        let Leased { client, names, lease } = leased;
        let mut none = Round::of(leased, None, None);
        let round = round.unwrap_or(&mut none);
        let started = round.ended;
        let snapshot = self.inner.snapshot.load_full();
        let own = snapshot.pinned.generation.own_encoder();
        let encoder = own.as_ref().map(StoredEncoder::of).transpose()?;
        let serving = leased.aliased()?;
        let made = round.made.take();
        let filled = made.as_ref().map(|made| made.generation);
        let unseen = self.check_step(client, names, &snapshot, round.begun.as_ref())?;
        let own_round = round.begun.map(|_| OwnRound { holder: &round.holder, filled });
        let Swept { mut kept, next } = sweep(client, names, lease, &serving, own_round, encoder.as_ref())?;
        let goes_on = &mut || lease.check().and_then(|()| going_on(progress, MigrateProgress::default()));
        let rebase = |serving| Rebased::of(serving, &snapshot, (client, names), &mut round.vectors, goes_on);
        let rebased = unseen.as_ref().map(rebase).transpose()?;
        let behind = rebased.is_some();
        let as_here;
        let (source, content): (&dyn Source, &Content) = match &rebased {
            Some(rebased) => (rebased, &rebased.content),
            None => {
                as_here = self.content(&snapshot)?;
                (&*snapshot, &as_here)
            }
        };
        let migration = Migration {
            snapshot: &snapshot,
            content,
            transfer: Transfer {
                source,
                analysis: &content.analysis(),
                layout: options.layout(kept.first()),
                client,
                names,
                lease,
                serving: &serving,
                index: &names.generation(next),
            },
        };
        kept.extend(made);
        let plan = migration.plan(next, &kept, encoder)?;
        let same = kept.first().filter(|serving| plan.manifest.is_as(serving));
        let copied = filled.filter(|filled| *filled != plan.manifest.passages());
        if let Some(serving) = same.filter(|_| migration.has_weights(&plan)) {
            leased.drop_filled(copied);
            return Ok(MigrateReport { behind, ..MigrateReport::of(names, serving, started) });
        }
        Manifest::take_number(client, names, next, lease.holder())?;
        let nothing = MigrateReport::of(names, &plan.manifest, started);
        let Transferred { passages, weights_bytes } = migration.run(plan, own.as_ref(), progress)?;
        leased.drop_filled(copied);
        Ok(MigrateReport {
            sent: passages + round.sent,
            weights_bytes: weights_bytes + round.weights_bytes,
            behind,
            seconds: started.elapsed().as_secs_f64(),
            ..nothing
        })
    }

    /// What a generation is to hold: what this index holds.
    pub(super) fn content(&self, snapshot: &Snapshot) -> Result<Content> {
        let Inner { settings, lexical: index, .. } = &*self.inner;
        let lexical = &snapshot.lexical;
        let unknown = |error| Error::invalid("the settings of the index", error, "what JSON can represent");
        Ok(Content {
            chunks: lexical.live_chunks(),
            documents: lexical.one_per_document(&lexical.matching(&Filter::everything())?)?.len() as u64,
            language: settings.language,
            other_languages: lexical.other_languages(),
            fields: lexical.field_names()?,
            folders: self.folders()?.into_iter().map(|folder| folder.name).collect(),
            origin: Some(Origin {
                settings: serde_json::to_value(settings).map_err(unknown)?,
                first: snapshot.pinned.generation.meta.first_model(),
                next_chunk: last_commit(index, None)?.next_chunk,
            }),
        })
    }
}

impl MigrateReport {
    /// Of a generation for which nothing was sent.
    fn of(names: &Names, manifest: &Manifest, started: Instant) -> MigrateReport {
        MigrateReport {
            name: names.alias().to_string(),
            generation: manifest.generation,
            chunks: manifest.counts.chunks,
            encoded: manifest.counts.encoded,
            sent: 0,
            weights_bytes: 0,
            seconds: started.elapsed().as_secs_f64(),
            behind: false,
        }
    }
}
