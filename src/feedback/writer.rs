//! The writer thread: takes batches from the queue, appends and syncs them, and acknowledges.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::append::{CreateSegment, SegmentFile, create_on_disk};
use super::forget::{Forget, forget};
use super::options::FeedbackOptions;
use super::record::{Impression, Judgement, Loss, Record};
use super::seal::{Damaged, Maintenance};
use super::segment::{self, State};
use super::stats::Counters;
use crate::error::{Error, Result};
use crate::storage::{HEADER_LEN, append_frame};

/// Maximum bytes of a batch. A single longer record is a batch of its own.
const BATCH_BYTES: usize = 1 << 20;
/// Maximum bytes of a live segment: looking for a query reads it as a whole.
const LIVE_BYTES: u64 = 256 << 10;
/// Bytes of imported records that are written at once.
const IMPORTED_BYTES: usize = 64 << 10;
/// A handle that starts another segment seals the live ones if there are this many; otherwise the index's writer does.
const MANY: usize = 64;
/// Maximum commands of a batch.
const BATCH_COMMANDS: usize = 1024;

/// The channel for a command's result.
pub(super) type Reply<T> = Sender<Result<T>>;

/// A command to the thread. Commands are executed in the order they were sent.
#[derive(Debug)]
pub(super) enum Command {
    Impression(Box<Impression>),
    Judgement(Judgement, Reply<()>),
    /// Append these payloads of records, durably, in segments of their own.
    Import(Vec<Vec<u8>>, Reply<()>),
    /// Reply when all earlier commands are written, so that readers find them.
    Settle(Reply<()>),
    /// Reply when all earlier commands are durable.
    Flush(Reply<()>),
    /// What to forget, and how long to wait for others that replace segments.
    Forget(Forget, Duration, Reply<usize>),
    Close(Reply<()>),
}

/// The thread's access to the disk. Tests replace it by a failing one.
pub(super) struct Disk {
    pub(super) create: CreateSegment,
    /// After a failure, impressions are dropped for this time before the disk is tried again.
    pub(super) retry_after: Duration,
}

impl Default for Disk {
    fn default() -> Self {
        Disk { create: Box::new(create_on_disk), retry_after: Duration::from_secs(1) }
    }
}

pub(super) struct Writer {
    folder: PathBuf,
    options: FeedbackOptions,
    counters: Arc<Counters>,
    disk: Disk,
    /// The live segment of this handle, from its first record on.
    current: Option<Box<dyn SegmentFile>>,
    /// When the oldest record was written that may not be durable.
    unsynced_since: Option<Instant>,
    /// Impressions written or recorded as lost since then.
    unsynced: u64,
    failed_at: Option<Instant>,
    /// Impressions taken from the queue that are neither written nor counted as lost yet.
    in_hand: u64,
}

/// Records to be written together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    commands: usize,
    impressions: u64,
    /// Callers that wait until the batch is written.
    settle: Vec<Reply<()>>,
    /// Callers that wait until the batch is durable.
    durable: Vec<Reply<()>>,
}

impl Writer {
    pub(super) fn new(
        folder: PathBuf,
        options: FeedbackOptions,
        counters: Arc<Counters>,
        disk: Disk,
    ) -> Writer {
        Writer {
            folder,
            options,
            counters,
            disk,
            current: None,
            unsynced_since: None,
            unsynced: 0,
            failed_at: None,
            in_hand: 0,
        }
    }

    /// Impressions that would be lost if the thread ended now.
    pub(super) fn in_hand(&self) -> u64 {
        self.in_hand
    }

    /// Serves commands until [`Command::Close`].
    pub(super) fn run(&mut self, commands: &Receiver<Command>) {
        loop {
            let received = match self.next_deadline() {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(deadline) => commands.recv_deadline(deadline),
            };
            match received {
                Ok(first) => {
                    if let ControlFlow::Break(reply) = self.serve(first, commands) {
                        let closed = self.write(Batch::default(), true);
                        let _ = reply.send(closed);
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.next_deadline().is_some_and(|deadline| deadline <= Instant::now()) {
                // Nobody waits for this. Errors are counted and appear in the statistics.
                let _ = self.write(Batch::default(), true);
            }
        }
    }

    /// When to act without a command: to sync, or to try again to record losses.
    fn next_deadline(&self) -> Option<Instant> {
        let sync =
            self.unsynced_since.map(|since| since + Duration::from_millis(self.options.sync_interval_ms));
        let retry = self.failed_at.map(|at| at + self.disk.retry_after);
        sync.or(retry)
    }

    /// Executes `first` and the commands after it in the queue, up to a full batch.
    fn serve(&mut self, first: Command, commands: &Receiver<Command>) -> ControlFlow<Reply<()>> {
        let mut batch = Batch::default();
        let mut next = Some(first);
        let longest = BATCH_BYTES.min(usize::try_from(self.options.segment_bytes).unwrap_or(BATCH_BYTES));
        while let Some(command) = next.take() {
            match command {
                Command::Impression(impression) => self.add_impression(&mut batch, *impression),
                Command::Judgement(judgement, reply) => add_judgement(&mut batch, judgement, reply),
                Command::Settle(reply) => batch.settle.push(reply),
                Command::Flush(reply) => batch.durable.push(reply),
                Command::Import(records, reply) => {
                    self.finish(std::mem::take(&mut batch));
                    let _ = reply.send(self.import(&records));
                }
                Command::Forget(what, wait, reply) => {
                    self.finish(std::mem::take(&mut batch));
                    let _ = reply.send(self.forget(&what, wait));
                }
                Command::Close(reply) => {
                    self.finish(batch);
                    return ControlFlow::Break(reply);
                }
            }
            batch.commands += 1;
            if batch.commands < BATCH_COMMANDS && batch.bytes.len() < longest {
                next = commands.try_recv().ok();
            }
        }
        self.finish(batch);
        ControlFlow::Continue(())
    }

    fn add_impression(&mut self, batch: &mut Batch, impression: Impression) {
        self.in_hand += 1;
        let query_id = impression.query_id;
        match Record::Impression(impression).encode() {
            Some(payload) => {
                append_frame(&mut batch.bytes, &payload);
                batch.impressions += 1;
            }
            None => {
                self.in_hand -= 1;
                self.counters.lost(1);
                self.counters.set_last_error(format!("query {query_id} was too long to be logged"));
            }
        }
    }

    /// Writes a batch and replies to the callers that wait for it.
    fn finish(&mut self, mut batch: Batch) {
        let (settle, durable) = (std::mem::take(&mut batch.settle), std::mem::take(&mut batch.durable));
        let written = self.write(batch, !durable.is_empty());
        self.in_hand = 0;
        for reply in settle.into_iter().chain(durable) {
            // Sending fails if the caller is gone, which is fine.
            let _ = reply.send(written.as_ref().map(|_| ()).map_err(|error| copy_of(error, &self.folder)));
        }
    }

    /// Appends a batch and a record of the losses so far, and syncs if it must be `durable`.
    ///
    /// Shortly after a failure, a batch that nobody waits for is dropped without trying the disk again.
    fn write(&mut self, mut batch: Batch, durable: bool) -> Result<()> {
        let resting = self.failed_at.is_some_and(|at| at.elapsed() < self.disk.retry_after);
        if resting && !durable {
            self.counters.lost(batch.impressions);
            return Ok(());
        }
        let losses = self.counters.unrecorded_losses();
        if losses > 0
            && let Some(payload) = Record::Loss(Loss { impressions: losses }).encode()
        {
            append_frame(&mut batch.bytes, &payload);
        }
        match self.append(&batch.bytes) {
            Ok(()) => {
                self.counters.recorded(losses);
                self.unsynced += batch.impressions + losses;
            }
            Err(error) => {
                self.counters.lost(batch.impressions);
                self.fail(&error);
                return Err(error);
            }
        }
        if !batch.bytes.is_empty() {
            self.unsynced_since.get_or_insert_with(Instant::now);
        }
        self.failed_at = None;
        if durable { self.sync() } else { Ok(()) }
    }

    /// Appends to the current segment, or to a new one if it is full or others have sealed it. After a failure, even an
    /// empty `bytes` begins a segment, to check whether the disk works again.
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() && (self.current.is_some() || self.failed_at.is_none()) {
            return Ok(());
        }
        if let Some(current) = &self.current
            && current.len() > HEADER_LEN as u64
            && current.len() + bytes.len() as u64 > self.options.segment_bytes.min(LIVE_BYTES)
        {
            self.leave()?;
            self.seal_many();
        }
        loop {
            let current = match &mut self.current {
                Some(current) => current,
                none => none.insert((self.disk.create)(&self.folder)?),
            };
            if bytes.is_empty() || current.append(bytes)? {
                return Ok(());
            }
            self.leave()?;
        }
    }

    /// Makes the current segment durable and begins another one with the next record.
    fn leave(&mut self) -> Result<()> {
        self.sync()?;
        self.current = None;
        Ok(())
    }

    /// Seals the live segments if there are many of them, unless somebody else does.
    fn seal_many(&self) {
        if let Err(error) = seal_many(&self.folder, self.options.segment_bytes) {
            tracing::warn!(%error, "could not merge the segments of the feedback log");
            self.counters.set_last_error(error.to_string());
        }
    }

    fn sync(&mut self) -> Result<()> {
        if self.unsynced_since.is_none() {
            return Ok(());
        }
        let synced = self.current.as_mut().map_or(Ok(()), |current| current.sync());
        match &synced {
            Ok(()) => {
                self.unsynced_since = None;
                self.unsynced = 0;
            }
            Err(error) => self.fail(error),
        }
        synced
    }

    /// Handles a failure of the disk. The next record starts a new segment, since the end of the current one and its
    /// unsynced records are unknown. A failed sync is not repeated: the system may have dropped the data and then
    /// report success.
    fn fail(&mut self, error: &Error) {
        tracing::warn!(%error, "the feedback log could not be written");
        self.counters.set_last_error(error.to_string());
        self.counters.lost(std::mem::take(&mut self.unsynced));
        self.unsynced_since = None;
        self.failed_at = Some(Instant::now());
        self.current = None;
    }

    fn import(&mut self, records: &[Vec<u8>]) -> Result<()> {
        self.leave()?;
        let mut frames = Vec::new();
        for (at, record) in records.iter().enumerate() {
            append_frame(&mut frames, record);
            if frames.len() >= IMPORTED_BYTES || at + 1 == records.len() {
                if let Err(error) = self.append(&frames) {
                    self.fail(&error);
                    return Err(error);
                }
                self.unsynced_since.get_or_insert_with(Instant::now);
                frames.clear();
            }
        }
        self.leave()
    }

    fn forget(&mut self, what: &Forget, wait: Duration) -> Result<usize> {
        let synced = self.sync();
        self.current = None;
        let forgotten = forget(&self.folder, what, &self.options, wait);
        synced.and(forgotten)
    }
}

/// Seals the live segments if there are many of them, unless somebody else does.
pub(super) fn seal_many(folder: &Path, segment_bytes: u64) -> Result<()> {
    let live = segment::list(folder)?.into_iter().filter(|one| one.state == State::Live);
    if live.count() < MANY {
        return Ok(());
    }
    match Maintenance::begin(folder, Duration::ZERO) {
        Ok(maintenance) => maintenance.seal(segment_bytes, Damaged::Stay, Instant::now()).map(drop),
        Err(Error::Locked { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn add_judgement(batch: &mut Batch, judgement: Judgement, reply: Reply<()>) {
    match Record::Judgement(judgement).encode() {
        Some(payload) => {
            append_frame(&mut batch.bytes, &payload);
            batch.durable.push(reply);
        }
        None => {
            let _ = reply.send(Err(Error::invalid(
                "the document of the judgement",
                "16 MiB or more",
                "a document id",
            )));
        }
    }
}

/// A copy of the error for each caller that waits for a batch.
fn copy_of(error: &Error, folder: &Path) -> Error {
    let (doing, path, source) = match error {
        Error::Io { doing, path, source } => {
            (*doing, path.as_path(), std::io::Error::new(source.kind(), source.to_string()))
        }
        other => ("write the feedback log in", folder, std::io::Error::other(other.to_string())),
    };
    Error::io(doing, path)(source)
}
