//! The handle to the log.

use std::any::Any;
use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};

use super::find::{find, ids_within, latest};
use super::forget::Forget;
use super::headings::Headings;
use super::options::FeedbackOptions;
use super::record::{Impression, Judgement, Record};
use super::replay::{Replay, replay};
use super::seal::{Damaged, Maintenance};
use super::segment;
use super::stats::{Counters, FeedbackStats, JudgementCount};
use super::writer::{Command, Disk, Reply, Writer, seal_many};
use crate::error::{Error, Result};
use crate::ids::QueryId;
use crate::storage::sync_folder;

const THREAD: &str = "retune-feedback";
/// How often a caller that waits for the full queue checks that the thread is alive.
const POLL: Duration = Duration::from_millis(50);

/// The role of a handle, besides appending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It merges the segments that others left behind, like the writer of the index.
    Merging,
    /// It only appends, unless there are very many segments.
    Appending,
}

/// An open log with its writer thread. Any number of handles, of any processes, may have the same log open.
#[derive(Debug)]
pub(crate) struct FeedbackLog {
    folder: PathBuf,
    commands: Sender<Command>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    counters: Arc<Counters>,
    /// The receiving end. Once the thread has ended, callers drain the queue through it.
    queue: Receiver<Command>,
    ended: OnceLock<Ended>,
}

/// Why the thread has ended.
#[derive(Debug)]
enum Ended {
    Closed,
    Panicked(String),
}

impl FeedbackLog {
    /// Opens the log in `folder`, or creates it.
    ///
    /// # Errors
    /// [`Error::Version`] for a log of a newer format, [`Error::Invalid`] for unusable options.
    pub(crate) fn open(folder: &Path, options: FeedbackOptions, role: Role) -> Result<FeedbackLog> {
        FeedbackLog::open_with(folder, options, role, Disk::default())
    }

    pub(super) fn open_with(
        folder: &Path,
        options: FeedbackOptions,
        role: Role,
        disk: Disk,
    ) -> Result<FeedbackLog> {
        options.validate()?;
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
            folder.parent().map_or(Ok(()), sync_folder)?;
        }
        // Refuses a newer format.
        let unreadable = segment::open_all(folder)?.unreadable;
        if let Some(first) = unreadable.first() {
            tracing::warn!(
                folder = %folder.display(),
                "{} of the feedback log may not be read by this user, such as {}: what was asked and judged there does \
                 not count; let its owner make it readable",
                match unreadable.len() {
                    1 => "a segment".to_string(),
                    more => format!("{more} segments"),
                },
                first.name()
            );
        }
        let merged = match role {
            _ if !unreadable.is_empty() => Ok(0),
            Role::Merging => merge(folder, &options),
            Role::Appending => seal_many(folder, options.segment_bytes).map(|()| 0),
        };
        // The log is usable without it, for example if others own the files.
        let cut = merged.unwrap_or_else(|error| {
            tracing::warn!(%error, "could not merge the segments of the feedback log");
            0
        });
        let counters = Arc::new(Counters::new(cut));
        let (commands, queue) = bounded(options.queue);
        let writer = Writer::new(folder.to_path_buf(), options, Arc::clone(&counters), disk);
        let shared = Arc::new(Shared { counters, queue, ended: OnceLock::new() });
        let thread = spawn(writer, Arc::clone(&shared))?;
        Ok(FeedbackLog { folder: folder.to_path_buf(), commands, shared, thread: Mutex::new(Some(thread)) })
    }

    /// Sends an impression to the thread. Never waits and never fails: if the queue is full, counts it as lost.
    pub(crate) fn log_impression(&self, impression: Impression) {
        match self.commands.try_send(Command::Impression(Box::new(impression))) {
            Ok(()) => self.shared.drain_if_ended(),
            Err(_) => self.shared.counters.lost(1),
        }
    }

    /// Records a judgement and returns when it is durable. After an error the log may or may not have it.
    pub(crate) fn append_judgement(&self, judgement: Judgement) -> Result<()> {
        self.ask("record a judgement", |reply| Command::Judgement(judgement, reply))
    }

    /// Records impressions and judgements of another log, each in the order of their times, and returns when they are
    /// durable. They stand in segments of their own: records of one segment keep their order, and these may be older.
    ///
    /// # Errors
    /// [`Error::Invalid`] for one that is too long: then nothing was recorded. After another error a part may be there.
    pub(crate) fn import(&self, impressions: Vec<Impression>, judgements: Vec<Judgement>) -> Result<()> {
        let impressions = impressions.into_iter().map(Record::Impression);
        let records = impressions.chain(judgements.into_iter().map(Record::Judgement));
        let encoded = records.map(|record| {
            let too_long = || Error::invalid("a record to import", "16 MiB or more", "a query and documents");
            record.encode().ok_or_else(too_long)
        });
        let encoded = encoded.collect::<Result<Vec<_>>>()?;
        self.ask("import into the feedback log", |reply| Command::Import(encoded, reply))
    }

    /// Waits until everything sent so far is durable or counted as lost.
    ///
    /// # Errors
    /// If the disk can't be written.
    pub(crate) fn flush(&self) -> Result<()> {
        self.ask("flush the feedback log", Command::Flush)
    }

    /// Removes every impression of this query text, compared after [`normalise_query`](super::normalise_query), with
    /// its judgements. Returns the number of removed records.
    pub(crate) fn forget_query(&self, text: &str, wait: Duration) -> Result<usize> {
        self.forget(Forget::Query(text.to_string()), wait)
    }

    /// Removes one impression with its judgements. Returns the number of removed records.
    pub(crate) fn forget_query_id(&self, query_id: QueryId, wait: Duration) -> Result<usize> {
        self.forget(Forget::QueryId(query_id), wait)
    }

    /// Removes a document from the hits of every impression, and its judgements. Returns the number of removed or
    /// changed records.
    pub(crate) fn forget_document(&self, document: &str, wait: Duration) -> Result<usize> {
        self.forget(Forget::Document(document.to_string()), wait)
    }

    /// Removes all impressions and judgements. Returns their number.
    pub(crate) fn forget_everything(&self, wait: Duration) -> Result<usize> {
        self.forget(Forget::Everything, wait)
    }

    /// When this returns, no file of the log contains what was forgotten, and no damaged bytes, which might contain it.
    /// If it fails or the process is killed, some segments may still contain it: repeat the call. Waits for at most
    /// `wait` for another process that forgets or merges segments.
    fn forget(&self, what: Forget, wait: Duration) -> Result<usize> {
        self.ask("forget", |reply| Command::Forget(what, wait, reply))
    }

    /// Everything written so far, by all processes, without what is still in a queue. See [`flush`](Self::flush).
    pub(crate) fn replay(&self) -> Result<Replay> {
        replay(&self.folder)
    }

    /// As [`replay`](Self::replay), without what answers have shown.
    pub(crate) fn headings(&self) -> Result<Headings> {
        Headings::read(&self.folder)
    }

    /// The impression with this id, from any process.
    pub(crate) fn find_impression(&self, query_id: QueryId) -> Result<Option<Impression>> {
        self.settle();
        find(&self.folder, query_id)
    }

    /// The latest impression of all processes.
    pub(crate) fn latest_impression(&self) -> Result<Option<Impression>> {
        self.settle();
        latest(&self.folder)
    }

    /// The ids of impressions in this range, up to `limit` of them, ascending.
    pub(crate) fn ids_within(
        &self,
        ids: &RangeInclusive<QueryId>,
        limit: usize,
    ) -> Result<BTreeSet<QueryId>> {
        self.settle();
        ids_within(&self.folder, ids, limit)
    }

    /// Copies the log into a new folder, without what is still in the queues of other handles.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process forgets or merges segments for longer than `wait`.
    pub(crate) fn copy_to(&self, folder: &Path, wait: Duration) -> Result<()> {
        self.flush()?;
        // So that no segment is replaced meanwhile.
        let _maintenance = Maintenance::begin(&self.folder, wait)?;
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let segments = segment::open_all(&self.folder)?;
        // A copy without them would pass for a whole one.
        if let Some(closed) = segments.unreadable.first() {
            let denied = std::io::ErrorKind::PermissionDenied.into();
            return Err(Error::io("copy", &closed.path)(denied));
        }
        segments.opened.iter().try_for_each(|opened| opened.copy_to(folder))
    }

    /// Waits until everything handed over is written.
    fn settle(&self) {
        // If the log is closed or failing, search what is already written.
        let _ = self.ask("find a query", Command::Settle);
    }

    /// Judgements in the log, from all processes.
    pub(crate) fn judgements(&self) -> Result<JudgementCount> {
        self.shared.counters.judgements(&self.folder)
    }

    /// Statistics of the log.
    pub(crate) fn stats(&self) -> FeedbackStats {
        let mut stats = self.shared.counters.read(&self.folder);
        if let Some(Ended::Panicked(message)) = self.shared.ended.get() {
            stats.last_error = Some(panicked(message).to_string());
        }
        stats
    }

    /// Writes the queue, makes it durable and ends the thread. May be called twice.
    ///
    /// # Errors
    /// If the disk can't be written; [`Error::Panicked`] if the thread had panicked.
    pub(crate) fn close(&self) -> Result<()> {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let closed = self.ask("close the feedback log", Command::Close);
        // The thread catches its panics. Only a panic outside that code makes the join fail.
        thread.join().map_err(|panic| panicked(&message_of(panic.as_ref())))?;
        closed
    }

    /// Sends a command and waits for the reply.
    fn ask<T>(&self, doing: &'static str, command: impl FnOnce(Reply<T>) -> Command) -> Result<T> {
        let (reply, answer) = bounded(1);
        let mut command = command(reply);
        loop {
            if let Some(ended) = self.shared.ended.get() {
                return Err(ended.error(doing));
            }
            match self.commands.send_timeout(command, POLL) {
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(again) | SendTimeoutError::Disconnected(again)) => {
                    command = again
                }
            }
        }
        self.shared.drain_if_ended();
        // A command is dropped without a reply only when the thread ends, or after that.
        answer.recv().unwrap_or_else(|_| Err(self.shared.ended.wait().error(doing)))
    }
}

impl Drop for FeedbackLog {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the feedback log was not closed cleanly");
        }
    }
}

impl Shared {
    /// Drains the queue if the thread has ended. Impressions count as lost, and waiting callers wake up.
    ///
    /// Callers call this after they send, and the thread after it has set `ended`. So nothing stays in the queue.
    fn drain_if_ended(&self) {
        // With the fence, either this caller sees that the thread has ended, or the ending thread sees the command.
        fence(Ordering::SeqCst);
        if self.ended.get().is_none() {
            return;
        }
        for command in self.queue.try_iter() {
            if matches!(command, Command::Impression(_)) {
                self.counters.lost(1);
            }
        }
    }
}

impl Ended {
    fn error(&self, doing: &'static str) -> Error {
        match self {
            Ended::Closed => Error::Closed { doing },
            Ended::Panicked(message) => panicked(message),
        }
    }
}

/// Seals the segments that others left behind. Returns the number of bytes of torn tails cut off.
fn merge(folder: &Path, options: &FeedbackOptions) -> Result<u64> {
    let maintenance = match Maintenance::begin(folder, Duration::ZERO) {
        // Somebody else is doing it.
        Err(Error::Locked { .. }) => return Ok(0),
        maintenance => maintenance?,
    };
    let cut = maintenance.seal(options.segment_bytes, Damaged::Stay, Instant::now())?.cut;
    if cut > 0 {
        tracing::warn!(bytes = cut, folder = %folder.display(), "cut torn tails off the feedback log");
    }
    Ok(cut)
}

fn spawn(mut writer: Writer, shared: Arc<Shared>) -> Result<JoinHandle<()>> {
    let body = move || {
        let ended = match catch_unwind(AssertUnwindSafe(|| writer.run(&shared.queue))) {
            Ok(()) => Ended::Closed,
            Err(panic) => {
                shared.counters.lost(writer.in_hand());
                Ended::Panicked(message_of(panic.as_ref()))
            }
        };
        let _ = shared.ended.set(ended);
        shared.drain_if_ended();
    };
    let thread = std::thread::Builder::new().name(THREAD.into());
    thread.spawn(body).map_err(Error::io("start the thread", Path::new(THREAD)))
}

fn panicked(message: &str) -> Error {
    Error::Panicked { thread: THREAD, message: message.to_string() }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
