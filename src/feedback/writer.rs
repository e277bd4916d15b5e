//! The log's own thread: batches what waits, appends it, syncs, acknowledges.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::forget::{Forget, forget};
use super::options::FeedbackOptions;
use super::record::{Impression, Judgement, Loss, Record};
use super::segment::{self, OpenSegment, SegmentFile, open_on_disk};
use super::stats::{Counters, Wrote};
use crate::error::{Error, Result};
use crate::storage::{HEADER_LEN, append_frame};

/// Bytes that are written together at most, but for one record that alone is longer.
const BATCH_BYTES: usize = 1 << 20;
/// Commands that are handled together at most.
const BATCH_COMMANDS: usize = 1024;

/// Where a command's outcome goes.
pub(super) type Reply<T> = Sender<Result<T>>;

/// What the thread is asked to do. Commands are carried out in the order they were sent.
#[derive(Debug)]
pub(super) enum Command {
    Impression(Box<Impression>),
    Judgement(Judgement, Reply<()>),
    /// Answer when everything before is written, so that a reader finds it.
    Settle(Reply<()>),
    /// Answer when everything before is durable.
    Flush(Reply<()>),
    Forget(Forget, Reply<usize>),
    Close(Reply<()>),
}

/// How the thread meets the disk; tests put a failing one in its place.
pub(super) struct Disk {
    pub(super) open: OpenSegment,
    /// Impressions are not offered to a failed disk again before this time has passed.
    pub(super) retry_after: Duration,
}

impl Default for Disk {
    fn default() -> Self {
        Disk { open: Box::new(open_on_disk), retry_after: Duration::from_secs(1) }
    }
}

pub(super) struct Writer {
    folder: PathBuf,
    options: FeedbackOptions,
    counters: Arc<Counters>,
    disk: Disk,
    /// The number of the segment that is written to, or will be.
    number: u64,
    current: Option<Box<dyn SegmentFile>>,
    /// When the oldest record was written that is not known to be durable.
    unsynced_since: Option<Instant>,
    /// What was written since.
    unsynced: Wrote,
    failed_at: Option<Instant>,
    /// Impressions taken from the queue that are neither written nor counted as lost.
    in_hand: u64,
}

/// What is written together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    commands: usize,
    impressions: u64,
    judgements: u64,
    /// Whoever waits until this batch is written.
    settle: Vec<Reply<()>>,
    /// Whoever waits until it is durable.
    durable: Vec<Reply<()>>,
}

impl Writer {
    pub(super) fn new(
        folder: PathBuf,
        options: FeedbackOptions,
        counters: Arc<Counters>,
        disk: Disk,
        number: u64,
    ) -> Writer {
        Writer {
            folder,
            options,
            counters,
            disk,
            number,
            current: None,
            unsynced_since: None,
            unsynced: Wrote::default(),
            failed_at: None,
            in_hand: 0,
        }
    }

    /// What would be lost if the thread ended here.
    pub(super) fn in_hand(&self) -> u64 {
        self.in_hand
    }

    /// Serves commands until it is told to close.
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
                // A failure is counted and kept for the statistics; nobody waits for this.
                let _ = self.write(Batch::default(), true);
            }
        }
    }

    /// When something is to be done though nobody asks: a sync, or another attempt to write down losses.
    fn next_deadline(&self) -> Option<Instant> {
        let sync =
            self.unsynced_since.map(|since| since + Duration::from_millis(self.options.sync_interval_ms));
        let retry = self.failed_at.map(|at| at + self.disk.retry_after);
        sync.or(retry)
    }

    /// Carries out `first` and what waits behind it, up to a batch or to a command that stands alone.
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
                Command::Forget(what, reply) => {
                    self.finish(std::mem::take(&mut batch));
                    let _ = reply.send(self.forget(&what));
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
                self.counters.failed(format!("query {query_id} was too long to be logged"));
            }
        }
    }

    /// Writes a batch and answers who waits for it.
    fn finish(&mut self, mut batch: Batch) {
        let (settle, durable) = (std::mem::take(&mut batch.settle), std::mem::take(&mut batch.durable));
        let wrote = self.write(batch, !durable.is_empty());
        self.in_hand = 0;
        for reply in settle.into_iter().chain(durable) {
            // Whoever gave up waiting is not there to be told.
            let _ = reply.send(wrote.as_ref().map(|_| ()).map_err(|error| again(error, &self.folder)));
        }
    }

    /// Appends a batch, behind a record of the losses so far, and syncs if it must be `durable`.
    ///
    /// While the disk is failing, a batch that nobody waits for is lost without another attempt.
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
                let wrote = Wrote { impressions: batch.impressions, judgements: batch.judgements, losses };
                self.counters.wrote(wrote);
                self.unsynced.add(wrote);
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

    /// Appends to the current segment, or to a new one when it is full. After a failure even an empty `bytes` opens a
    /// segment, to see whether the disk is back.
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() && (self.current.is_some() || self.failed_at.is_none()) {
            return Ok(());
        }
        if let Some(current) = &self.current
            && current.len() > HEADER_LEN as u64
            && current.len() + bytes.len() as u64 > self.options.segment_bytes
        {
            self.sync()?;
            self.current = None;
            self.number += 1;
        }
        let current = match &mut self.current {
            Some(current) => current,
            none => none.insert((self.disk.open)(&segment::path_of(&self.folder, self.number))?),
        };
        if bytes.is_empty() { Ok(()) } else { current.append(bytes) }
    }

    fn sync(&mut self) -> Result<()> {
        if self.unsynced_since.is_none() {
            return Ok(());
        }
        let synced = self.current.as_mut().map_or(Ok(()), |current| current.sync());
        match &synced {
            Ok(()) => {
                self.unsynced_since = None;
                self.unsynced = Wrote::default();
            }
            Err(error) => self.fail(error),
        }
        synced
    }

    /// After a failure nothing is known of the segment's end, nor of what was not synced: the next record starts
    /// another segment. A sync that failed is not tried again, since the system may have dropped what it could not
    /// write and then report success.
    fn fail(&mut self, error: &Error) {
        tracing::warn!(%error, "the feedback log could not be written");
        self.counters.failed(error.to_string());
        self.counters.unwrote(std::mem::take(&mut self.unsynced));
        self.unsynced_since = None;
        self.failed_at = Some(Instant::now());
        if self.current.take().is_some() {
            self.number += 1;
        }
    }

    fn forget(&mut self, what: &Forget) -> Result<usize> {
        let synced = self.sync();
        // Segments are replaced by other files of the same name; an open one would go on being written unseen.
        self.current = None;
        let forgotten = forget(&self.folder, what);
        if let Err(error) = self.counters.recount(&self.folder) {
            self.counters.failed(error.to_string());
        }
        synced.and(forgotten)
    }
}

fn add_judgement(batch: &mut Batch, judgement: Judgement, reply: Reply<()>) {
    match Record::Judgement(judgement).encode() {
        Some(payload) => {
            append_frame(&mut batch.bytes, &payload);
            batch.judgements += 1;
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

/// The same failure for everyone who waits for a batch.
fn again(error: &Error, folder: &Path) -> Error {
    let (doing, path, source) = match error {
        Error::Io { doing, path, source } => {
            (*doing, path.as_path(), std::io::Error::new(source.kind(), source.to_string()))
        }
        other => ("write the feedback log in", folder, std::io::Error::other(other.to_string())),
    };
    Error::io(doing, path)(source)
}
