//! A process that works at a job, slice by slice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};

use crate::dense::as_stored;
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::ids::ChunkId;
use crate::lexical::{Analysis, ChunkRecord};
use crate::store::opensearch::{
    Bulk, Client, Job, Names, Passage, Slice, SliceState, SliceWatch, Standing, Target, encoded_between,
};

/// Passages that are encoded at a time, and sent with one request.
const BATCH: usize = 32;
/// How often it is looked whether there is a slice to take, where there was none.
const LOOK: Duration = Duration::from_millis(500);

/// A process that works at a job.
pub(super) struct Hand<'a> {
    client: &'a Arc<Client>,
    names: &'a Names,
    holder: &'a str,
    job: &'a Job,
    encoder: &'a Encoder,
    analysis: Analysis,
    /// What workers write to.
    target: String,
    /// How often it is looked how far the others are, while there is something to do.
    report: Duration,
    /// Passages that it has sent.
    sent: AtomicU64,
    /// Slices that it has finished.
    finished: AtomicU64,
}

/// When it is asked whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before a slice is taken.
    Slice,
    /// Before a batch of one is encoded.
    Batch,
}

/// Called with how far the job is. Ends the work by `false`.
pub(super) type GoesOn<'g> = &'g mut dyn FnMut(Moment, &Standing) -> Result<bool>;

impl<'a> Hand<'a> {
    pub(super) fn new(
        client: &'a Arc<Client>,
        names: &'a Names,
        holder: &'a str,
        job: &'a Job,
        encoder: &'a Encoder,
        report: Duration,
    ) -> Hand<'a> {
        let analysis = Analysis::new(job.language, job.other_languages.iter().copied());
        let target = Target::of(names, job.generation).alias;
        let (sent, finished) = (AtomicU64::new(0), AtomicU64::new(0));
        Hand { client, names, holder, job, encoder, analysis, target, report, sent, finished }
    }

    /// Passages that it has sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Slices that it has finished.
    pub(super) fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    /// Takes slices until all are done, or `goes_on` ends it. Returns whether all are. Where others have the last ones,
    /// it waits, and takes over those of the dead.
    ///
    /// # Errors
    /// [`Error::Cluster`] if the cluster refuses something: then the slice is given back.
    pub(super) fn work(&self, goes_on: GoesOn<'_>) -> Result<bool> {
        let (mut watch, mut states) = (SliceWatch::default(), Vec::new());
        states.resize(self.job.starts.len(), SliceState::default());
        loop {
            SliceState::renew(&mut states, self.client, self.names, self.job)?;
            let standing = Standing::of(&states, self.holder);
            if standing.is_done() || !goes_on(Moment::Slice, &standing)? {
                return Ok(standing.is_done());
            }
            let Some(number) = watch.choose(&states, Instant::now(), rand::random::<u32>() as usize) else {
                thread::sleep(LOOK);
                continue;
            };
            let (client, names, job) = (self.client, self.names, self.job);
            let taken = Slice::take(client, names, job, number, &states[number], self.holder)?;
            if let Some(slice) = taken
                && !self.encode(slice, &mut states, goes_on)?
            {
                return Ok(false);
            }
        }
    }

    /// Encodes what is left of a slice. Returns whether to take another one.
    fn encode(&self, slice: Slice, states: &mut [SliceState], goes_on: GoesOn<'_>) -> Result<bool> {
        let panicked = || Error::Panicked { thread: "sender", message: "while it sent passages".into() };
        let (bulks, waiting) = bounded::<(Bulk, ChunkId)>(1);
        let produced = crossbeam_utils::thread::scope(|scope| {
            let slice = &slice;
            let sender = scope.spawn(move |_| -> Result<()> {
                for (bulk, last) in waiting {
                    slice.check()?;
                    let passages = bulk.len() as u64;
                    bulk.send(self.client, &self.target)?;
                    slice.advance(last, passages);
                    self.sent.fetch_add(passages, Ordering::Relaxed);
                }
                Ok(())
            });
            let produced = self.produce(slice, states, bulks, goes_on);
            // Why sending failed says more than that there was nobody to send.
            sender.join().unwrap_or_else(|_| Err(panicked())).and(produced)
        });
        match produced.unwrap_or_else(|_| Err(panicked())) {
            Ok(true) => {
                self.finished.fetch_add(u64::from(slice.finish()?), Ordering::Relaxed);
                Ok(true)
            }
            // What it has sent by then is what the other one sends.
            Err(error) if slice.check().is_err() => {
                tracing::debug!(%error, "passages to encode are left to another process");
                Ok(true)
            }
            ended => ended,
        }
    }

    /// Makes requests of the passages of a slice. Returns whether that was all of them.
    fn produce(
        &self,
        slice: &Slice,
        states: &mut [SliceState],
        bulks: Sender<(Bulk, ChunkId)>,
        goes_on: GoesOn<'_>,
    ) -> Result<bool> {
        let (from, before) = self.job.bounds(slice.number);
        let from = slice.behind().map_or(from, |behind| ChunkId(behind.0 + 1));
        let source = self.names.generation(self.job.source);
        let (mut looked, mut standing) = (Instant::now(), Standing::of(states, self.holder));
        let mut records = encoded_between(self.client, &source, from, before);
        loop {
            let batch = records.by_ref().take(BATCH).collect::<Result<Vec<ChunkRecord>>>()?;
            let Some(last) = batch.last().map(|record| record.chunk) else { return Ok(true) };
            let bulk = self.bulk(batch)?;
            if bulks.send((bulk, last)).is_err() {
                return Ok(false);
            }
            if looked.elapsed() >= self.report {
                SliceState::renew(states, self.client, self.names, self.job)?;
                (looked, standing) = (Instant::now(), Standing::of(states, self.holder));
            }
            if !goes_on(Moment::Batch, &standing)? {
                return Ok(false);
            }
        }
    }

    /// The passages with their new vectors.
    fn bulk(&self, batch: Vec<ChunkRecord>) -> Result<Bulk> {
        let texts: Vec<String> = batch.iter().map(ChunkRecord::encoder_text).collect();
        let vectors = self.encoder.encode(&texts)?;
        let mut bulk = Bulk::to_alias();
        for (record, vector) in batch.into_iter().zip(&vectors) {
            let indexed = self.analysis.of_chunk(&record);
            // As the machine that learns would send it: then that finds it there.
            bulk.create(Passage::of(record, &indexed, Some(&as_stored(vector)?))?)?;
        }
        Ok(bulk)
    }
}
