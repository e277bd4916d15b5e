//! Copies an index of this machine to a cluster, as its next generation.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crossbeam_channel::{Sender, bounded};
use serde::Serialize;

use crate::engine::Reader;
use crate::error::{Error, Result};
use crate::generation::GenerationMeta;
use crate::ids::GenerationId;
use crate::lexical::Analysis;
use crate::search::Snapshot;
use crate::store::Store as _;
use crate::store::opensearch::{
    Address, Bulk, Client, Counts, Layout, Lease, Manifest, Names, create, document, drop_index, live,
    prepare, settle, swap, sweep,
};

/// Requests that are under way together.
const SENDERS: usize = 4;

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

/// How far a migration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrateProgress {
    /// Passages that the cluster has.
    pub done: u64,
    /// Passages in all.
    pub total: u64,
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
    /// How long it took.
    pub seconds: f64,
}

impl Reader {
    /// Copies the index as it is now to the cluster at `store`, as [`Cluster::open`](super::Cluster::open) takes it;
    /// without a name it has that of the folder. What serves there goes on until everything is there, and is then
    /// replaced at once. It stays for a way back; older ones are dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a generation with weights of its own, which a cluster can't hold yet;
    /// [`Error::Cluster`] if the cluster refuses something, if another migration of this index is at work, or if
    /// another one has replaced what served; [`Error::Cancelled`] if `progress` breaks. What served goes on, and the
    /// next migration removes what this one leaves.
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
        let model = model_of(&snapshot.pinned.generation.meta)?;
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
        let generation = sweep(&client, &names, &serving)?;
        let analysis = Analysis::new(self.inner.settings.language, snapshot.lexical.other_languages());
        let counts = count(&snapshot, &analysis)?;
        let migration =
            Migration { snapshot: &snapshot, analysis: &analysis, client: &client, lease: &lease };
        let index = names.generation(generation);
        let layout = Layout { shards: options.shards, replicas: options.replicas };
        let manifest = Manifest {
            version: Manifest::VERSION,
            generation,
            replaces: names.id_of(&serving),
            weights: snapshot.pinned.generation.meta.weights,
            model: model.to_path_buf(),
            dimensions: snapshot.pinned.dense.dimensions(),
            language: self.inner.settings.language,
            other_languages: snapshot.lexical.other_languages(),
            fusion: snapshot.fusion(),
            counts,
            fields: snapshot.lexical.field_names()?,
            created_ms: crate::clock::now_ms(),
        };
        // Counting takes a while.
        lease.check()?;
        create(&client, &index, layout, manifest.dimensions, &counts)?;
        let done = migration.fill(&index, counts.chunks, progress);
        if let Err(error) = done.and_then(|()| migration.publish(&names, &serving, &index, &manifest)) {
            // Else the next migration does. Without the lease the index may be another's by now.
            if lease.check().is_ok()
                && live(&client, &names).is_ok_and(|serving| serving.as_deref() != Some(&index))
            {
                let _ = drop_index(&client, &index);
            }
            return Err(error);
        }
        Ok(MigrateReport {
            name: names.alias().to_string(),
            generation,
            chunks: counts.chunks,
            encoded: counts.encoded,
            seconds: started.elapsed().as_secs_f64(),
        })
    }
}

/// The folder of the model that a generation refers to.
fn model_of(meta: &GenerationMeta) -> Result<&Path> {
    match meta.outside_model() {
        Some(folder) => Ok(folder),
        None => Err(Error::invalid(
            "the index to migrate",
            format!("generation {}, which has weights that a round has trained", meta.id),
            "the model that it was created with: a cluster can't hold weights yet. `retune rollback` returns to it",
        )),
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

fn count(snapshot: &Snapshot, analysis: &Analysis) -> Result<Counts> {
    let mut counts = Counts { encoded: snapshot.coverage().encoded as u64, ..Counts::default() };
    for chunk in snapshot.lexical.live_chunks() {
        let Some(record) = snapshot.lexical.get(chunk)? else { continue };
        let indexed = analysis.of_chunk(&record);
        counts.chunks += 1;
        counts.titled += u64::from(!indexed.title.is_empty());
        counts.worded += u64::from(!indexed.text.is_empty());
    }
    Ok(counts)
}

struct Migration<'a> {
    snapshot: &'a Snapshot,
    analysis: &'a Analysis,
    client: &'a Client,
    lease: &'a Lease,
}

impl Migration<'_> {
    /// Sends all chunks.
    fn fill(
        &self,
        index: &str,
        total: u64,
        progress: &mut dyn FnMut(MigrateProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        let (done, failed) = (AtomicU64::new(0), AtomicBool::new(false));
        let (bulks, waiting) = bounded::<Bulk>(SENDERS);
        let panicked = || Error::Panicked { thread: "sender", message: "while it sent passages".into() };
        let filled = crossbeam_utils::thread::scope(|scope| {
            let (done, failed, waiting) = (&done, &failed, &waiting);
            let send = move || {
                let mut all = Ok(());
                // After a failure the rest is taken and dropped, so that nobody waits for room.
                for bulk in waiting.iter().filter(|_| !failed.load(Ordering::Acquire)) {
                    let chunks = bulk.len() as u64;
                    all = bulk.send(self.client, index);
                    match &all {
                        Ok(()) => drop(done.fetch_add(chunks, Ordering::Relaxed)),
                        Err(_) => failed.store(true, Ordering::Release),
                    }
                }
                all
            };
            let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(move |_| send())).collect();
            let produced = self.produce(&bulks, &mut || {
                let done = done.load(Ordering::Relaxed);
                match progress(MigrateProgress { done, total }) {
                    ControlFlow::Break(()) => Err(Error::Cancelled { doing: "the migration" }),
                    ControlFlow::Continue(()) => Ok(!failed.load(Ordering::Acquire)),
                }
            });
            drop(bulks);
            let sent = senders.into_iter().map(|sender| sender.join().unwrap_or_else(|_| Err(panicked())));
            // Why sending failed says more than that there was nobody to send.
            let sent: Vec<Result<()>> = sent.collect();
            sent.into_iter().collect::<Result<()>>().and(produced)
        });
        filled.unwrap_or_else(|_| Err(panicked()))
    }

    /// Makes requests of all chunks, while `goes_on`.
    fn produce(&self, bulks: &Sender<Bulk>, goes_on: &mut dyn FnMut() -> Result<bool>) -> Result<()> {
        let mut bulk = Bulk::default();
        for chunk in self.snapshot.lexical.live_chunks() {
            let Some(record) = self.snapshot.lexical.get(chunk)? else { continue };
            let indexed = self.analysis.of_chunk(&record);
            let vector = self.snapshot.pinned.dense.vector(chunk);
            bulk.push(chunk, document(record, &indexed, vector.as_deref())?);
            if bulk.is_full() {
                self.lease.check()?;
                if !goes_on()? || bulks.send(std::mem::take(&mut bulk)).is_err() {
                    return Ok(());
                }
            }
        }
        let _ = bulks.send(bulk);
        goes_on().map(|_| ())
    }

    /// Has the generation serve, if the one that it replaces still does.
    fn publish(&self, names: &Names, serving: &str, index: &str, manifest: &Manifest) -> Result<()> {
        settle(self.client, index, manifest.counts.chunks)?;
        self.lease.check()?;
        manifest.write(self.client, names)?;
        match swap(self.client, names, serving, index)? {
            true => Ok(()),
            false => Err(Error::Cluster {
                doing: "publish the generation",
                at: index.to_string(),
                found: format!("that {serving}, which it was to replace, no longer serves"),
                remedy: "see who has replaced it, then migrate again",
            }),
        }
    }
}
