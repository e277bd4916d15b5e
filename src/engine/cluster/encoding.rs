//! Has workers encode the passages of a round, beside the machine that learns.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::leased::Leased;
use super::slices::Hand;
use crate::error::{Error, Result};
use crate::generation::Building;
use crate::ids::ChunkId;
use crate::learn::Helpers;
use crate::lexical::Language;
use crate::search::Snapshot;
use crate::store::opensearch::{
    Held, Job, Kept, Manifest, Parts, Present, StoredEncoder, Target, drop_index, existing, live, next,
};

/// How often it is looked who is there.
const LOOK: Duration = Duration::from_millis(500);
/// How often it is looked how far workers are.
const REPORT: Duration = Duration::from_secs(2);
/// Vectors that are read at a time. One of them is made here too.
const BATCH: usize = 1000;
/// Vectors of the same weights have this cosine at least, whatever processor and precision they were made with: int8,
/// the coarsest, has .99 with f32.
const LEAST_COSINE: f32 = 0.97;

type Progress<'p> = &'p mut dyn FnMut(usize, usize) -> ControlFlow<()>;

/// Workers at an index, for a round.
pub(super) struct Encoding<'a> {
    /// Under the lease of the round.
    leased: &'a Leased,
    language: Language,
    /// Who was there at first, dead ones among them.
    first: Present,
    /// Others that work at the job.
    others: AtomicUsize,
    /// What the index of the job holds, once it is full.
    made: Mutex<Option<Manifest>>,
}

/// What a job is about.
struct Plan {
    source: Manifest,
    /// The passages of the source, which ascend.
    held: Vec<ChunkId>,
}

impl<'a> Encoding<'a> {
    /// Ends the job that an earlier round has left, and looks who is there. Its index the next sweep drops.
    pub(super) fn new(leased: &'a Leased, language: Language) -> Result<Encoding<'a>> {
        let Leased { client, names, lease } = leased;
        lease.check()?;
        Job::withdraw_all(client, names)?;
        let first = Present::look(client, names)?;
        Ok(Encoding { leased, language, first, others: AtomicUsize::new(0), made: Mutex::default() })
    }

    /// Others that work at a job now.
    pub(super) fn others(&self) -> usize {
        self.others.load(Ordering::Relaxed)
    }

    /// The index that workers have filled, as if it were a generation's.
    pub(super) fn made(&self) -> Option<Manifest> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Drops what workers have made. What can't be dropped the next migration drops.
    pub(super) fn discard(&self) {
        if let Some(made) = self.made()
            && self.leased.lease.check().is_ok()
        {
            let _ = drop_index(&self.leased.client, &self.leased.names.generation(made.generation));
        }
    }

    /// Forgets workers that were killed.
    pub(super) fn bury_dead(&self) {
        let Leased { client, names, .. } = self.leased;
        let buried = Present::look(client, names).and_then(|now| now.bury(&self.first, client, names));
        if let Err(error) = buried {
            tracing::warn!(%error, "workers that are gone are not forgotten");
        }
    }

    /// Workers that are alive: who is there for the first time, or has shown it since the round began.
    fn alive(&self) -> Result<usize> {
        loop {
            let now = Present::look(&self.leased.client, &self.leased.names)?;
            let alive = now.alive_since(&self.first);
            if alive > 0 || now.is_empty() || now.is_long_since(&self.first) {
                return Ok(alive);
            }
            self.leased.lease.check()?;
            thread::sleep(LOOK);
        }
    }

    /// What a job would be about. `None` if there is too little that the cluster has.
    fn plan(&self, building: &Building, snapshot: &Snapshot) -> Result<Option<Plan>> {
        let Leased { client, names, .. } = self.leased;
        let serving = live(client, names)?.and_then(|index| names.id_of(&index));
        let Some(serving) = serving else { return Ok(None) };
        let source = Manifest::read(client, names, serving)?;
        if source.version != Manifest::VERSION || source.layout.is_none() {
            return Ok(None);
        }
        let held = Held::all(client, &names.generation(source.passages()));
        let held = held.map(|held| held.map(|held| held.chunk)).collect::<Result<Vec<ChunkId>>>()?;
        let missing = building.missing(&snapshot.lexical, &snapshot.pinned.dense)?;
        let shared = missing.iter().filter(|&chunk| held.binary_search(chunk).is_ok()).count();
        // Else the migration would send all of them anyway.
        Ok((2 * shared > missing.len()).then_some(Plan { source, held }))
    }

    /// As [`plan`](Encoding::plan), with the lease of whoever writes: until a job names its source, a change may drop
    /// that.
    fn planned(&self, building: &Building, snapshot: &Snapshot) -> Result<Option<(Plan, Leased)>> {
        const ATTEMPTS: usize = 5;
        let Leased { client, names, .. } = self.leased;
        for attempt in 1..=ATTEMPTS {
            let plan = match self.plan(building, snapshot) {
                Ok(Some(plan)) => plan,
                Ok(None) => return Ok(None),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(error) => {
                    tracing::debug!(%error, "planning the job again");
                    continue;
                }
            };
            let writing = self.leased.writing()?;
            if existing(client, names)?.contains(&plan.source.passages()) {
                return Ok(Some((plan, writing)));
            }
        }
        tracing::warn!("documents change too fast for a job: all passages are encoded here");
        Ok(None)
    }

    /// Has passages encoded, into an index of their own that is closed then. Returns what that index is.
    fn run(
        &self,
        building: &Building,
        snapshot: &Snapshot,
        progress: Progress<'_>,
    ) -> Result<Option<Manifest>> {
        let Leased { client, names, lease } = self.leased;
        let Some(own) = building.own_encoder() else { return Ok(None) };
        let total = snapshot.lexical.live_chunks().len();
        let mut going_on = |done: usize| {
            lease.check()?;
            match progress(done.min(total), total) {
                ControlFlow::Break(()) => Err(Error::Cancelled { doing: "encoding the chunks" }),
                ControlFlow::Continue(()) => Ok(()),
            }
        };
        let encoder = StoredEncoder::of(&own)?;
        Parts::of(client, names).send(&encoder, &own.folder, &mut || going_on(0))?;
        let Some((Plan { source, held }, writing)) = self.planned(building, snapshot)? else {
            return Ok(None);
        };
        Parts::of(client, names).check(&encoder)?;
        let generation = next(client, names)?;
        Manifest::take_number(client, names, generation, lease.holder())?;
        let job = Job {
            generation,
            source: source.passages(),
            encoder,
            precision: building.encoder().backend().precisions.documents,
            language: self.language,
            other_languages: source.other_languages.clone(),
            starts: Job::cut(&held),
            passages: source.counts.encoded,
        };
        let made = Manifest { generation, passages: None, weights: own.weights, ..source };
        let target = Target::of(names, generation);
        let begun = self.begin(&job, &made, &target);
        drop(writing);
        let filled =
            begun.and_then(|()| self.fill(&job, building, &target, &mut |done| going_on(done as usize)));
        // Also where it has failed: workers then stop.
        let withdrawn = match lease.check() {
            Ok(()) => Job::withdraw_all(client, names),
            Err(error) => Err(error),
        };
        match filled.and(withdrawn) {
            Ok(()) => Ok(Some(made)),
            Err(error) => {
                if lease.check().is_ok() {
                    target.discard(client);
                }
                Err(error)
            }
        }
    }

    /// Makes the job and its index.
    fn begin(&self, job: &Job, made: &Manifest, target: &Target) -> Result<()> {
        let Leased { client, names, lease } = self.leased;
        let Some(layout) = made.layout else { return Ok(()) };
        target.create(client, layout, made.dimensions, &made.counts, lease.holder())?;
        job.put_up(client, names, lease.holder())
    }

    fn fill(
        &self,
        job: &Job,
        building: &Building,
        target: &Target,
        going_on: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let Leased { client, names, lease } = self.leased;
        let hand = Hand::new(client, names, lease.holder(), job, building.encoder(), REPORT);
        hand.work(&mut |_, standing| {
            self.others.store(standing.others, Ordering::Relaxed);
            going_on(standing.passages).map(|()| true)
        })?;
        lease.check()?;
        target.seal(client)
    }

    /// Reads the vectors of the passages that are the same here.
    fn read(
        &self,
        made: &Manifest,
        building: &mut Building,
        snapshot: &Snapshot,
        progress: Progress<'_>,
    ) -> Result<()> {
        let Leased { client, names, lease } = self.leased;
        let missing = building.missing(&snapshot.lexical, &snapshot.pinned.dense)?;
        let index = names.generation(made.generation);
        let (mut rows, mut last): (Vec<(ChunkId, Vec<f32>)>, _) = (Vec::new(), String::new());
        for kept in Kept::all(client, &index) {
            let Kept { record, vector: Some(vector) } = kept? else { continue };
            if missing.binary_search(&record.chunk).is_err() {
                continue;
            }
            let text = record.encoder_text();
            // Another index may have given the same number to another passage.
            if snapshot.lexical.get(record.chunk)?.is_none_or(|own| own.encoder_text() != text) {
                continue;
            }
            rows.push((record.chunk, vector));
            last = text;
            if rows.len() == BATCH {
                take(building, &mut rows, &last)?;
                lease.check()?;
                if progress(made.counts.encoded as usize, made.counts.encoded as usize).is_break() {
                    return Err(Error::Cancelled { doing: "encoding the chunks" });
                }
            }
        }
        take(building, &mut rows, &last)
    }
}

/// Has the generation take vectors, the last of which is that of this text: it is made here too.
fn take(building: &mut Building, rows: &mut Vec<(ChunkId, Vec<f32>)>, last: &str) -> Result<()> {
    let Some((chunk, vector)) = rows.last() else { return Ok(()) };
    let own = building.encoder().encode(&[last])?;
    let cosine: f32 = own.iter().flatten().zip(vector).map(|(a, b)| a * b).sum();
    if cosine.is_nan() || cosine < LEAST_COSINE {
        return Err(Error::Encoder {
            doing: "agree with the workers",
            message: format!(
                "passage {chunk} has a vector from a worker whose cosine with the one made here is {cosine:.4}: see \
                 that all workers run this version of retune, then learn again, at first without them"
            ),
        });
    }
    let some: Vec<(ChunkId, &[f32])> = rows.iter().map(|(chunk, row)| (*chunk, &row[..])).collect();
    building.take(&some)?;
    rows.clear();
    Ok(())
}

impl Helpers for Encoding<'_> {
    fn count(&self) -> usize {
        self.alive().unwrap_or_else(|error| {
            tracing::warn!(%error, "could not look for workers");
            0
        })
    }

    fn encode(&self, building: &mut Building, snapshot: &Snapshot, progress: Progress<'_>) -> Result<()> {
        if self.count() == 0 {
            return Ok(());
        }
        // Of an encoder that was tried before in this round.
        self.discard();
        let run = self.run(building, snapshot, progress);
        self.others.store(0, Ordering::Relaxed);
        let made = match run {
            Ok(Some(made)) => made,
            Ok(None) => return Ok(()),
            Err(error @ Error::Cluster { .. }) if self.leased.lease.check().is_ok() => {
                tracing::warn!(%error, "workers can't be asked: all passages are encoded here");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        match self.read(&made, building, snapshot, progress) {
            Err(error @ Error::Cluster { .. }) if self.leased.lease.check().is_ok() => {
                tracing::warn!(%error, "what workers have made can't be read: the rest is encoded here");
                Ok(())
            }
            read => read,
        }
    }
}
