//! The steps of a migration.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Sender, bounded};

use super::progress::MigrateProgress;
use crate::error::{Error, Result};
use crate::ids::{Digest, GenerationId};
use crate::lexical::Analysis;
use crate::search::Snapshot;
use crate::store::opensearch::{
    Bulk, Client, Content, Counts, Layout, Lease, Manifest, Names, Parts, StoredEncoder, check_maker,
    document, settle, swap,
};

/// Requests that are under way together.
const SENDERS: usize = 4;

/// What goes to a cluster, under the lease.
pub(super) struct Migration<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) analysis: &'a Analysis,
    pub(super) client: &'a Client,
    pub(super) names: &'a Names,
    pub(super) lease: &'a Lease,
}

impl Migration<'_> {
    /// Counts the chunks, and takes the digest of what an index of them would be filled with.
    pub(super) fn survey(&self, layout: Layout) -> Result<(Counts, Digest)> {
        let encoded = self.snapshot.coverage().encoded as u64;
        let mut counts = Counts { encoded, ..Counts::default() };
        let mut content = Content::default();
        for chunk in self.snapshot.lexical.live_chunks() {
            let Some(record) = self.snapshot.lexical.get(chunk)? else { continue };
            let indexed = self.analysis.of_chunk(&record);
            counts.chunks += 1;
            counts.titled += u64::from(!indexed.title.is_empty());
            counts.worded += u64::from(!indexed.text.is_empty());
            let vector = self.snapshot.pinned.dense.vector(chunk);
            content.add(&document(record, &indexed, None)?, vector.as_deref());
        }
        let digest = content.digest(layout, self.snapshot.pinned.dense.dimensions(), &counts);
        Ok((counts, digest))
    }

    /// The generation that is kept whose index holds exactly what is to be there.
    pub(super) fn same_passages(&self, kept: &[Manifest], content: Digest) -> Option<GenerationId> {
        let weights = self.snapshot.pinned.generation.meta.weights;
        let is_same = |one: &&Manifest| one.content == Some(content) && one.weights == weights;
        let same = kept.iter().find(is_same)?;
        let index = self.names.generation(same.passages());
        match settle(self.client, &index, same.counts.chunks) {
            Ok(()) => Some(same.passages()),
            Err(error) => {
                tracing::warn!(%error, "the passages that are there are not whole; sending all");
                None
            }
        }
    }

    /// Sends the parts of an encoder's files that are not there yet. Returns their bytes.
    pub(super) fn send_encoder(
        &self,
        encoder: &StoredEncoder,
        folder: &Path,
        goes_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<u64> {
        Parts::of(self.client, self.names).send(encoder, folder, &mut || {
            self.lease.check()?;
            goes_on()
        })
    }

    /// Sends all chunks.
    pub(super) fn fill(
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
    pub(super) fn publish(&self, serving: &str, index: &str, manifest: &Manifest) -> Result<()> {
        let Migration { client, names, lease, .. } = self;
        if let Some(encoder) = &manifest.encoder {
            Parts::of(client, names).check(encoder)?;
        }
        lease.check()?;
        manifest.write(client, names)?;
        check_maker(client, index, lease.holder())?;
        match swap(client, names, serving, index)? {
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
