//! The steps of a migration.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Sender, bounded};

use super::progress::MigrateProgress;
use crate::error::{Error, Result};
use crate::generation::OwnEncoder;
use crate::ids::{Digest, GenerationId};
use crate::lexical::{Analysis, Language};
use crate::search::Snapshot;
use crate::store::opensearch::{
    Bulk, Client, Content, Counts, Layout, Lease, Manifest, Names, Parts, StoredEncoder, check_maker, create,
    create_empty, document, drop_index, live, settle, swap,
};

/// Requests that are under way together.
const SENDERS: usize = 4;

/// What goes to a cluster, under the lease.
pub(super) struct Migration<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) language: Language,
    pub(super) analysis: &'a Analysis,
    pub(super) layout: Layout,
    pub(super) client: &'a Client,
    pub(super) names: &'a Names,
    pub(super) lease: &'a Lease,
    /// The index that has the alias.
    pub(super) serving: &'a str,
    /// The index of the generation that is to have it.
    pub(super) index: &'a str,
}

type Progress<'p> = &'p mut dyn FnMut(MigrateProgress) -> ControlFlow<()>;

impl Migration<'_> {
    /// The manifest of the next generation. Reads all passages and sends nothing. `kept` are those that stay.
    pub(super) fn manifest(
        &self,
        next: GenerationId,
        kept: &[Manifest],
        encoder: Option<StoredEncoder>,
    ) -> Result<Manifest> {
        let (counts, content) = self.survey()?;
        let (lexical, meta) = (&self.snapshot.lexical, &self.snapshot.pinned.generation.meta);
        Ok(Manifest {
            version: Manifest::VERSION,
            generation: next,
            replaces: self.names.id_of(self.serving),
            passages: self.same_passages(kept, content),
            content: Some(content),
            weights: meta.weights,
            model: meta.outside_model().map(Path::to_path_buf),
            encoder,
            dimensions: self.snapshot.pinned.dense.dimensions(),
            language: self.language,
            other_languages: lexical.other_languages(),
            fusion: meta.fusion,
            counts,
            fields: lexical.field_names()?,
            created_ms: crate::clock::now_ms(),
        })
    }

    /// Counts the chunks, and takes the digest of what an index of them is filled with.
    fn survey(&self) -> Result<(Counts, Digest)> {
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
        let digest = content.digest(self.layout, self.snapshot.pinned.dense.dimensions(), &counts);
        Ok((counts, digest))
    }

    /// The generation whose index has exactly these passages.
    fn same_passages(&self, kept: &[Manifest], content: Digest) -> Option<GenerationId> {
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

    /// Sends what the cluster has not, and has the generation serve. Returns the bytes of weights that were sent.
    pub(super) fn run(
        &self,
        manifest: &Manifest,
        own: Option<&OwnEncoder>,
        progress: Progress<'_>,
    ) -> Result<u64> {
        let done = self.send_encoder(manifest, own, progress).and_then(|bytes| {
            self.send_passages(manifest, progress)?;
            self.publish(manifest)?;
            Ok(bytes)
        });
        if done.is_err() {
            // Else the next migration does. Without the lease it is for whoever has that.
            let serves = live(self.client, self.names).map(|now| now.as_deref() == Some(self.index));
            if self.lease.check().is_ok() && serves.is_ok_and(|serves| !serves) {
                let _ = drop_index(self.client, self.index);
            }
        }
        done
    }

    fn send_encoder(
        &self,
        manifest: &Manifest,
        own: Option<&OwnEncoder>,
        progress: Progress<'_>,
    ) -> Result<u64> {
        let (Some(encoder), Some(own)) = (&manifest.encoder, own) else { return Ok(0) };
        let at_first = MigrateProgress { done: 0, total: manifest.counts.chunks };
        Parts::of(self.client, self.names).send(encoder, &own.folder, &mut || {
            self.lease.check()?;
            match progress(at_first) {
                ControlFlow::Break(()) => Err(Error::Cancelled { doing: "the migration" }),
                ControlFlow::Continue(()) => Ok(()),
            }
        })
    }

    fn send_passages(&self, manifest: &Manifest, progress: Progress<'_>) -> Result<()> {
        let Migration { client, index, lease, .. } = self;
        let Manifest { dimensions, counts, .. } = manifest;
        // Reading all passages takes a while.
        lease.check()?;
        if manifest.passages.is_some() {
            return create_empty(client, index, lease.holder());
        }
        create(client, index, self.layout, *dimensions, counts, lease.holder())?;
        self.fill(index, counts.chunks, progress)?;
        settle(client, index, counts.chunks)
    }

    /// Sends all chunks.
    fn fill(&self, index: &str, total: u64, progress: Progress<'_>) -> Result<()> {
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
    fn publish(&self, manifest: &Manifest) -> Result<()> {
        let Migration { client, names, lease, serving, index, .. } = self;
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
