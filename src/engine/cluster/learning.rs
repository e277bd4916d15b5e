//! Rounds of learning for an index on a cluster.

use std::ops::ControlFlow;

use serde::Serialize;

use super::encoding::Encoding;
use super::leased::Leased;
use super::migrate::{MigrateOptions, MigrateReport};
use super::progress::{EncodeProgress, MigrateProgress};
use super::round::Round;
use super::serving::{reached, serving};
use crate::engine::{Engine, Feedback};
use crate::error::Result;
use crate::exchange::{ImportOptions, ImportReport};
use crate::learn::{LearnOptions, LearnProgress, LearnStage, RoundReport};

/// How far a round for an index on a cluster is.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ClusterProgress {
    /// The round, on this machine.
    Learning(LearnProgress),
    /// Passages, by workers and this machine: a part of the round.
    Encoding(EncodeProgress),
    /// What it has published, on its way to the cluster.
    Migrating(MigrateProgress),
}

/// What a round for an index on a cluster has done.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ClusterRound {
    /// What was asked and judged there since the last import.
    pub imported: ImportReport,
    /// The round.
    pub round: RoundReport,
    /// What serves there now.
    pub migrated: MigrateReport,
}

impl Engine {
    /// Runs one round of learning for the index on the cluster at `store`, which was [migrated](crate::Reader::migrate)
    /// from this one: imports what was asked and judged there, runs a round as [`learn`](Engine::learn) does, and
    /// migrates the result. Searches go on, there and here; every process there answers with the new generation within
    /// a second, or once it has loaded its weights.
    ///
    /// Where workers are there ([`encode_for_rounds`](super::Cluster::encode_for_rounds)), they and this machine encode
    /// the passages of another encoder together, onto the cluster. Else this machine sends them. Either way they are
    /// there when the result is published.
    ///
    /// One process at a time does this for an index. Meanwhile other processes may [change](super::Cluster::add)
    /// documents there: what serves in the end has their documents, with what was learnt
    /// ([`behind`](MigrateReport::behind)). Documents that have changed on this machine since the last migration don't
    /// go there then. Nothing goes on trial: nobody votes here. If the round changes
    /// nothing, documents that have changed here are migrated all the same.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an index that is not there: migrate it first. Else as
    /// [`Feedback::import_cluster`], [`learn`](Engine::learn) and [`migrate`](crate::Reader::migrate). What the round
    /// has published by then serves on this machine, and [`migrate`](crate::Reader::migrate) publishes it there.
    pub fn learn_from_cluster(
        &self,
        store: &str,
        options: &LearnOptions,
        progress: &mut dyn FnMut(ClusterProgress) -> ControlFlow<()>,
    ) -> Result<ClusterRound> {
        self.check_open("learn")?;
        let (client, names) = reached(store)?;
        serving(&client, &names)?;
        let leased = Leased::learning(client, names)?;
        let (client, names) = (&leased.client, &leased.names);
        let begun = self.begin_step(client, names)?;
        let feedback = Feedback::open(self.path(), &self.inner.options)?;
        let imported = feedback.import_of(client, names, &ImportOptions::default())?;
        feedback.close()?;
        let encoding = Encoding::new(&leased, self.inner.settings.language)?;
        let round = self.learn_with(&encoding, options, &mut |at| match leased.lease.check() {
            Ok(()) => progress(told(at, encoding.others())),
            Err(_) => ControlFlow::Break(()),
        });
        // Why the round ended, if that is why.
        leased.lease.check()?;
        encoding.bury_dead();
        let round = round.inspect_err(|_| encoding.discard())?;
        let migrating = &mut |at| progress(ClusterProgress::Migrating(at));
        let weights = self.inner.snapshot.load().pinned.generation.meta.weights;
        // Vectors of an encoder that was not published are nobody's.
        let mut ended = Round::of(&leased, begun, encoding.made().filter(|made| made.weights == weights));
        self.send_ahead(&leased, &mut ended, migrating)?;
        let (writing, options) = (leased.writing()?, MigrateOptions::default());
        let migrated = self.migrate_with(&writing, &options, Some(&mut ended), migrating)?;
        Ok(ClusterRound { imported, round, migrated })
    }
}

/// How far a round is, with so many workers at it.
fn told(at: LearnProgress, workers: usize) -> ClusterProgress {
    match at {
        LearnProgress { stage: LearnStage::Reindex, done, total, .. } if workers > 0 => {
            ClusterProgress::Encoding(EncodeProgress { done: done as u64, total: total as u64, workers })
        }
        at => ClusterProgress::Learning(at),
    }
}
