//! The handle to the log.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};

use super::forget::Forget;
use super::options::FeedbackOptions;
use super::record::{Impression, Judgement};
use super::replay::{Replay, find, replay};
use super::segment;
use super::stats::{Counters, FeedbackStats};
use super::writer::{Command, Disk, Reply, Writer};
use crate::error::{Error, Result};
use crate::ids::QueryId;
use crate::storage::sync_folder;

const THREAD: &str = "retune-feedback";
/// How often a caller that waits for the full queue checks that the thread is alive.
const POLL: Duration = Duration::from_millis(50);

/// An open log with its writer thread. The caller holds the index's writer lock.
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
    /// Opens the log in `folder`, or creates it. Cuts off a torn tail.
    ///
    /// # Errors
    /// [`Error::Version`] for a log of a newer format, [`Error::Invalid`] for unusable options.
    pub(crate) fn open(folder: &Path, options: FeedbackOptions) -> Result<FeedbackLog> {
        FeedbackLog::open_with(folder, options, Disk::default())
    }

    pub(super) fn open_with(folder: &Path, options: FeedbackOptions, disk: Disk) -> Result<FeedbackLog> {
        options.validate()?;
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
            folder.parent().map_or(Ok(()), sync_folder)?;
        }
        segment::remove_strays(folder)?;
        let segments = segment::list(folder)?;
        segments.iter().try_for_each(|(_, path)| segment::check_version(path))?;
        let cut = segments.last().map_or(Ok(0), |(_, last)| segment::cut_torn_tail(last))?;
        if cut > 0 {
            tracing::warn!(bytes = cut, folder = %folder.display(), "cut a torn tail off the feedback log");
        }
        let counters = Arc::new(Counters::new(folder, cut)?);
        let (commands, queue) = bounded(options.queue);
        let number = segments.last().map_or(1, |(number, _)| *number);
        let writer = Writer::new(folder.to_path_buf(), options, Arc::clone(&counters), disk, number);
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

    /// Waits until everything sent so far is durable or counted as lost.
    ///
    /// # Errors
    /// If the disk can't be written.
    pub(crate) fn flush(&self) -> Result<()> {
        self.ask("flush the feedback log", Command::Flush)
    }

    /// Removes every impression of this query text, compared after [`normalise_query`](super::normalise_query), with
    /// its judgements. Returns the number of removed records.
    pub(crate) fn forget_query(&self, text: &str) -> Result<usize> {
        self.forget(Forget::Query(text.to_string()))
    }

    /// Removes one impression with its judgements. Returns the number of removed records.
    pub(crate) fn forget_query_id(&self, query_id: QueryId) -> Result<usize> {
        self.forget(Forget::QueryId(query_id))
    }

    /// Removes a document from the hits of every impression, and its judgements. Returns the number of removed or
    /// changed records.
    pub(crate) fn forget_document(&self, document: &str) -> Result<usize> {
        self.forget(Forget::Document(document.to_string()))
    }

    /// When this returns, no file of the log contains what was forgotten, and no damaged bytes, which might contain it.
    /// If it fails or the process is killed, some segments may still contain it: repeat the call.
    fn forget(&self, what: Forget) -> Result<usize> {
        self.ask("forget", |reply| Command::Forget(what, reply))
    }

    /// Everything written so far, without what is still in the queue. See [`flush`](Self::flush).
    pub(crate) fn replay(&self) -> Result<Replay> {
        replay(&self.folder)
    }

    /// The impression with this id, from this or an earlier process.
    pub(crate) fn find_impression(&self, query_id: QueryId) -> Result<Option<Impression>> {
        // If the log is closed or failing, search what was written.
        let _ = self.ask("find a query", Command::Settle);
        find(&self.folder, query_id)
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
