//! Passages on their way to a cluster: the index of a generation is made, filled and published.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Sender, bounded};

use super::basis::{Basis, Sending};
use super::progress::MigrateProgress;
use crate::error::{Error, Result};
use crate::generation::OwnEncoder;
use crate::ids::ChunkId;
use crate::lexical::{Analysis, ChunkRecord};
use crate::search::Snapshot;
use crate::store::opensearch::{
    Bulk, Client, Copies, Counts, Layout, Lease, Manifest, Names, Parts, Passage, check_maker, copies, copy,
    create, create_empty, drop_index, live, set_replicas, settle, swap,
};

/// Requests that are under way together.
const SENDERS: usize = 4;

/// A passage with its vector, if it has one.
pub(super) type Vectored = (ChunkRecord, Option<Vec<f32>>);

/// Where passages come from.
pub(super) trait Source {
    /// `None` for one that is not there.
    fn passage(&self, chunk: ChunkId) -> Result<Option<Vectored>>;
}

impl Source for Snapshot {
    fn passage(&self, chunk: ChunkId) -> Result<Option<Vectored>> {
        let record = self.lexical.get(chunk)?;
        Ok(record.map(|record| (record, self.pinned.dense.vector(chunk))))
    }
}

impl Source for BTreeMap<ChunkId, Vectored> {
    fn passage(&self, chunk: ChunkId) -> Result<Option<Vectored>> {
        Ok(self.get(&chunk).cloned())
    }
}

/// A generation that is made on a cluster, under the lease.
pub(super) struct Transfer<'a> {
    pub(super) source: &'a dyn Source,
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

/// What was sent.
pub(super) struct Transferred {
    /// Passages that were sent or removed.
    pub(super) passages: u64,
    pub(super) weights_bytes: u64,
}

pub(super) type Progress<'p> = &'p mut dyn FnMut(MigrateProgress) -> ControlFlow<()>;

pub(super) fn going_on(progress: Progress<'_>, at: MigrateProgress) -> Result<()> {
    match progress(at) {
        ControlFlow::Break(()) => Err(Error::Cancelled { doing: "the migration" }),
        ControlFlow::Continue(()) => Ok(()),
    }
}

impl Transfer<'_> {
    /// Sends what the cluster has not, and has the generation serve.
    /// `all` are the ids of its passages: they are sent where an earlier generation can't be copied. Without it that is
    /// an error.
    pub(super) fn run(
        &self,
        manifest: &Manifest,
        basis: Basis<'_>,
        all: Option<&dyn Fn() -> Vec<ChunkId>>,
        own: Option<&OwnEncoder>,
        progress: Progress<'_>,
    ) -> Result<Transferred> {
        let done = self.send_encoder(manifest, own, progress).and_then(|weights_bytes| {
            let passages = self.make(manifest, basis, all, progress)?;
            self.publish(manifest)?;
            Ok(Transferred { passages, weights_bytes })
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
            going_on(progress, at_first)
        })
    }

    /// Makes the index of the generation. Returns how many passages were sent or removed.
    fn make(
        &self,
        manifest: &Manifest,
        basis: Basis<'_>,
        all: Option<&dyn Fn() -> Vec<ChunkId>>,
        progress: Progress<'_>,
    ) -> Result<u64> {
        let Transfer { client, index, lease, layout, .. } = self;
        let Manifest { dimensions, counts, .. } = manifest;
        // Reading all passages takes a while.
        lease.check()?;
        let sending = match basis {
            Basis::Same(earlier) => {
                let passages = self.names.generation(earlier.passages());
                if earlier.layout.is_some_and(|of| of.replicas != layout.replicas) {
                    set_replicas(client, &passages, layout.replicas)?;
                }
                settle(client, &passages, counts.chunks)?;
                return create_empty(client, index, lease.holder()).map(|()| 0);
            }
            Basis::Most(earlier, difference) => match self.copy(earlier, counts) {
                Ok(()) => Some(Sending::changes(difference)),
                Err(error) if all.is_none() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the passages that are there can't be copied: sending all");
                    drop_index(client, index)?;
                    None
                }
            },
            Basis::Nothing => None,
        };
        let is_copy = sending.is_some();
        let sending = match sending {
            Some(changes) => changes,
            None => {
                create(client, index, *layout, *dimensions, counts, lease.holder())?;
                Sending::all(all.map(|all| all()).unwrap_or_default())
            }
        };
        self.send(&sending, progress)?;
        settle(client, index, counts.chunks)?;
        if is_copy {
            self.wait_for_copies(sending.len(), progress)?;
        }
        Ok(sending.len())
    }

    /// Waits until every node has its part of an index that began as a copy: only what was linked is there at once.
    fn wait_for_copies(&self, total: u64, progress: Progress<'_>) -> Result<()> {
        // Copies that wait for their turn are not under way either. Where there are too few nodes, none ever is.
        const LOOKS: u32 = 3;
        let mut idle = 0;
        while idle < LOOKS {
            match copies(self.client, self.index)? {
                Copies::AllThere => return Ok(()),
                Copies::UnderWay => idle = 0,
                Copies::Missing => idle += 1,
            }
            self.lease.check()?;
            going_on(progress, MigrateProgress { done: total, total })?;
        }
        Ok(())
    }

    /// Has the index begin with the passages of an earlier generation.
    fn copy(&self, earlier: &Manifest, counts: &Counts) -> Result<()> {
        let Transfer { client, names, index, lease, layout, .. } = self;
        copy(client, names, earlier, index, *layout, counts, lease.holder())
    }

    /// Sends passages to the index.
    pub(super) fn send(&self, sending: &Sending, progress: Progress<'_>) -> Result<()> {
        let (client, index, total) = (self.client, self.index, sending.len());
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
                    all = bulk.send(client, index);
                    match &all {
                        Ok(()) => drop(done.fetch_add(chunks, Ordering::Relaxed)),
                        Err(_) => failed.store(true, Ordering::Release),
                    }
                }
                all
            };
            let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(move |_| send())).collect();
            let produced = self.produce(sending, &bulks, &mut || {
                let done = done.load(Ordering::Relaxed);
                going_on(progress, MigrateProgress { done, total })?;
                Ok(!failed.load(Ordering::Acquire))
            });
            drop(bulks);
            let sent = senders.into_iter().map(|sender| sender.join().unwrap_or_else(|_| Err(panicked())));
            // Why sending failed says more than that there was nobody to send.
            let sent: Vec<Result<()>> = sent.collect();
            sent.into_iter().collect::<Result<()>>().and(produced)
        });
        filled.unwrap_or_else(|_| Err(panicked()))
    }

    /// Makes requests of the passages, while `goes_on`.
    fn produce(
        &self,
        sending: &Sending,
        bulks: &Sender<Bulk>,
        goes_on: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<()> {
        let mut bulk = Bulk::default();
        let mut pass_on = |bulk: &mut Bulk| -> Result<bool> {
            if !bulk.is_full() {
                return Ok(true);
            }
            self.lease.check()?;
            Ok(goes_on()? && bulks.send(std::mem::take(bulk)).is_ok())
        };
        for &chunk in &sending.remove {
            bulk.remove(chunk);
            if !pass_on(&mut bulk)? {
                return Ok(());
            }
        }
        let replaced = sending.replace.iter().map(|&chunk| (chunk, true));
        for (chunk, is_there) in replaced.chain(sending.create.iter().map(|&chunk| (chunk, false))) {
            let Some((record, vector)) = self.source.passage(chunk)? else { continue };
            let indexed = self.analysis.of_chunk(&record);
            let passage = Passage::of(record, &indexed, vector.as_deref())?;
            if is_there {
                bulk.replace(passage)?
            } else {
                bulk.create(passage)?
            };
            if !pass_on(&mut bulk)? {
                return Ok(());
            }
        }
        let _ = bulks.send(bulk);
        goes_on().map(|_| ())
    }

    /// Has the generation serve, if the one that it replaces still does.
    fn publish(&self, manifest: &Manifest) -> Result<()> {
        let Transfer { client, names, lease, serving, index, .. } = self;
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
                remedy: "see who has replaced it, then try again",
            }),
        }
    }
}
