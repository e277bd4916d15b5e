//! Copies an index of this machine to a cluster, as its next generation.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::migration::Migration;
use super::progress::MigrateProgress;
use crate::engine::Reader;
use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::lexical::Analysis;
use crate::store::opensearch::{
    Address, Client, Counts, Layout, Lease, Manifest, Names, StoredEncoder, Swept, live, prepare, sweep,
};

/// How an index is laid out on a cluster.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MigrateOptions {
    /// The parts that it is divided into, each on one node. Fixed for a generation. Default 1, which is enough for
    /// some ten million passages.
    pub shards: u32,
    /// Copies of each part beside the first. Default 1: a node may be lost.
    pub replicas: u32,
}

impl Default for MigrateOptions {
    fn default() -> Self {
        MigrateOptions { shards: 1, replicas: 1 }
    }
}

impl MigrateOptions {
    /// Sets [`shards`](MigrateOptions::shards).
    pub fn with_shards(mut self, shards: u32) -> Self {
        self.shards = shards;
        self
    }

    /// Sets [`replicas`](MigrateOptions::replicas).
    pub fn with_replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    fn validate(&self) -> Result<()> {
        match self.shards {
            1..=1024 => Ok(()),
            shards => Err(Error::invalid("the number of shards", shards, "1 to 1024")),
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
    /// Passages that were sent: none where the generation before has the same with the same vectors.
    pub sent: u64,
    /// Bytes of weights that were sent: those that rounds have trained and that the cluster did not have.
    pub weights_bytes: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Reader {
    /// Copies the index as it is now to the cluster at `store`, as [`Cluster::open`](super::Cluster::open) takes it;
    /// without a name it has that of the folder. What serves there goes on until everything is there, and is then
    /// replaced at once. It stays for a way back; older ones are dropped.
    ///
    /// Weights that a round has trained go with it. Where passages and vectors are those of the generation that serves,
    /// as after a round that has moved the fusion weight or the encoder of queries alone, none of them is sent again.
    ///
    /// # Errors
    /// [`Error::Cluster`] if the cluster refuses something, if another migration of this index is at work, or if
    /// another one has replaced what served; [`Error::Damaged`] if trained weights are not as they were published;
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
        let started = Instant::now();
        let snapshot = self.inner.snapshot.load_full();
        let own = snapshot.pinned.generation.own_encoder();
        let encoder = own.as_ref().map(StoredEncoder::of).transpose()?;
        let Address { nodes, name } = store.parse()?;
        let names = Names::of(name.unwrap_or_else(|| Address::name_of(&folder_name(self.path()))));
        let client = Arc::new(Client::new(nodes)?);
        prepare(&client, &names)?;
        let lease = Lease::take(&client, &names)?;
        let Some(serving) = live(&client, &names)? else {
            return Err(Error::NotFound {
                what: "alias of the index on the cluster",
                id: names.alias().into(),
                remedy: "put it on the generation that is to serve, or remove the index NAME-state too",
            });
        };
        let Swept { kept, next } = sweep(&client, &names, &lease, &serving, encoder.as_ref())?;
        Manifest::take_number(&client, &names, next, lease.holder())?;
        let language = self.inner.settings.language;
        let migration = Migration {
            snapshot: &snapshot,
            language,
            analysis: &Analysis::new(language, snapshot.lexical.other_languages()),
            layout: Layout { shards: options.shards, replicas: options.replicas },
            client: &client,
            names: &names,
            lease: &lease,
            serving: &serving,
            index: &names.generation(next),
        };
        let manifest = migration.manifest(next, &kept, encoder)?;
        let weights_bytes = migration.run(&manifest, own.as_ref(), progress)?;
        let Counts { chunks, encoded, .. } = manifest.counts;
        Ok(MigrateReport {
            name: names.alias().to_string(),
            generation: next,
            chunks,
            encoded,
            sent: if manifest.passages.is_some() { 0 } else { chunks },
            weights_bytes,
            seconds: started.elapsed().as_secs_f64(),
        })
    }
}

/// The name of the folder that the index in `path` is of.
fn folder_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let named = match full.file_name() {
        Some(name) if name.to_string_lossy().starts_with('.') => full.parent().and_then(Path::file_name),
        name => name,
    };
    named.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
