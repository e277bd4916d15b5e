//! The public handle: open, add, remove, search, judge, learn, status, close.
//!
//! Searches read an immutable snapshot behind an atomic pointer. Changes go through one writer behind a mutex; a
//! round of learning holds a mutex of its own and takes the writer only to publish.

mod answered;
mod background;
mod backup;
mod brief;
mod catalogue;
mod changes;
#[cfg(feature = "opensearch")]
mod cluster;
mod commit;
mod document;
mod embeddings;
mod encode;
mod encode_idle;
mod encoding;
mod events;
mod exchange;
mod feedback;
mod files;
mod folder;
mod generations;
mod glance;
mod idle;
mod impression;
mod layout;
mod learning;
mod look;
mod merging;
mod model_card;
mod model_export;
mod namesakes;
mod open;
mod options;
mod pipeline;
mod prepared;
mod reader;
mod remove;
mod report;
mod rollback;
mod rules;
mod run;
mod source;
mod status;
mod stored;
mod threads;
mod touched;
mod trial;
mod unfinished;
mod upkeep;
mod waiting;
mod watch;
mod worker;
mod writer;

use std::ops::ControlFlow;
use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use arc_swap::ArcSwap;

pub use answered::{AnsweredQuery, QueryListing, QueryPage};
pub use changes::Changes;
#[cfg(feature = "opensearch")]
pub use cluster::{
    ChangeReport, Cluster, ClusterNodes, ClusterProgress, ClusterRound, ClusterStatus, EncodeProgress,
    EncodingStatus, FeedbackCounts, ListedDocument, ListedPage, MigrateOptions, MigrateProgress,
    MigrateReport, RestoreReport, WorkerProgress, WorkerReport,
};
pub use document::{AddOptions, AddReport, Document};
pub use feedback::Feedback;
pub use files::FileStatus;
pub use glance::RoundState;
pub use idle::IdleOptions;
pub use model_export::{ExportedModel, ModelExport};
pub use open::OpenProgress;
pub use options::{Chunking, LearnPolicy, Options};
pub use report::{IndexProgress, IndexReport};
pub use source::Folder;
pub use status::{GenerationStatus, Status};
pub use stored::{DocumentPage, Listing, StoredDocument, StoredPassage};
pub use watch::{WatchEvent, WatchOptions};
pub use worker::LearnTask;

use crate::corpus::Lengths;
use crate::dense::DenseIndex;
use crate::error::{Error, Result};
use crate::feedback::FeedbackLog;
use crate::generation::Pinned;
use crate::learn::History;
use crate::search::Snapshot;
use encoding::Encoding;
use generations::Generations;
use idle::LastSearch;
use layout::{Layout, Settings};
use prepared::Prepared;
use trial::state::Trials;
use upkeep::Upkeep;
use writer::{Vectors, Writer};

/// An open index. Cheap to clone; all clones are the same engine. `Send` and `Sync`: search from as many threads as
/// you like. It does all that a [`Reader`] does, and writes and learns.
///
/// ```no_run
/// use retune::{Document, Engine, Options, Query, Verdict};
///
/// # fn main() -> retune::Result<()> {
/// let engine = Engine::open("notes.retune", Options::default())?;
/// engine.add(vec![Document::new("n1", "The kettle is descaled on Mondays.")])?;
/// let answer = engine.search(&Query::new("when is the boiler cleaned"))?;
/// engine.judge(answer.query_id, &answer.hits[0].document, Verdict::Chosen)?;
/// engine.close()
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Engine {
    reader: Reader,
}

impl Deref for Engine {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

/// An index that is open for searching and judging, beside any number of other handles in this or other processes, one
/// of which may be an [`Engine`] that writes. Cheap to clone, `Send` and `Sync`.
///
/// ```no_run
/// use retune::{Options, Query, Reader, Verdict};
///
/// # fn main() -> retune::Result<()> {
/// let reader = Reader::open("notes.retune", Options::default())?;
/// let answer = reader.search(&Query::new("when is the boiler cleaned"))?;
/// reader.judge(answer.query_id, &answer.hits[0].document, Verdict::Chosen)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Reader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    layout: Layout,
    options: Options,
    settings: Settings,
    snapshot: ArcSwap<Snapshot>,
    lexical: crate::lexical::LexicalIndex,
    access: Access,
    feedback: Option<FeedbackLog>,
    generations: Mutex<Generations>,
    history: History,
    /// Held for the length of a round: one at a time.
    round: Mutex<()>,
    worker: Mutex<Option<worker::Worker>>,
    upkeep: Upkeep,
    trials: Trials,
    last_search: LastSearch,
    encoding: Encoding,
    /// Done once it was said that answers are not logged.
    unlogged: Once,
    /// Done once it was said that the encoder reads less than the index was made for.
    shorter: Once,
    closed: AtomicBool,
}

/// What a handle may do.
#[derive(Debug)]
enum Access {
    /// The writer is there until the engine is closed.
    Writing(Mutex<Option<Box<Writer>>>),
    /// The dense index as it was read last.
    Reading(Box<Mutex<DenseIndex>>),
}

impl Engine {
    /// Adds documents, or replaces those with the same ids, in one commit: all of them or none. Returns when they are
    /// durable and every later search sees them.
    ///
    /// Documents that are there already with the same content are left alone, and of a changed document only the
    /// changed chunks are encoded.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty or overlong id, for an id given twice and for fields that can't be stored;
    /// nothing was changed.
    pub fn add(&self, documents: Vec<Document>) -> Result<AddReport> {
        self.add_with(documents, &AddOptions::default(), &mut |_| ControlFlow::Continue(()))
    }

    /// As [`add`](Engine::add), with options. `progress` gets the number of chunks that were given their vectors since
    /// the last call, about every two seconds, and may break. Then nothing was changed, and adding the same again takes
    /// up the vectors.
    ///
    /// # Errors
    /// As [`add`](Engine::add); [`Error::Cancelled`] when `progress` breaks.
    pub fn add_with(
        &self,
        documents: Vec<Document>,
        options: &AddOptions,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<AddReport> {
        Document::validate_all(&documents)?;
        let mut writer = self.lock_writer("add documents")?;
        let snapshot = self.inner.snapshot.load_full();
        let encoder = Arc::clone(snapshot.pinned.generation.encoder()?);
        let lengths = self.lengths_within(encoder.max_tokens());
        let (mut prepared, mut unchanged) = (Vec::new(), 0);
        for document in documents {
            if snapshot.lexical.document_digest(&document.id)? == Some(document.digest()) {
                unchanged += 1;
                continue;
            }
            prepared.push(Prepared::of(&document, self.inner.settings.chunking, lengths, &encoder)?);
        }
        let vectors = if options.words_first { Vectors::Later } else { Vectors::Now };
        let mut report = self.replace(&mut writer, &snapshot, prepared, vectors, progress)?;
        writer.get()?.unfinished.clear();
        report.unchanged = unchanged;
        Ok(report)
    }

    fn lock_writer(&self, doing: &'static str) -> Result<WriterGuard<'_>> {
        self.check_open(doing)?;
        let Access::Writing(mutex) = &self.inner.access else {
            return Err(Error::ReadOnly { doing, path: self.inner.layout.path.clone() });
        };
        let guard = match mutex.lock() {
            Ok(guard) => guard,
            Err(poisoned) => {
                // A change panicked half-way: what it staged must not be part of the next commit.
                let mut guard = poisoned.into_inner();
                if let Some(writer) = guard.as_mut() {
                    writer.roll_back()?;
                }
                mutex.clear_poison();
                guard
            }
        };
        if guard.is_none() {
            return Err(Error::Closed { doing });
        }
        Ok(WriterGuard { guard, doing })
    }

    /// How long a passage of a file may be. Loads no encoder.
    fn folder_lengths(&self) -> Result<Lengths> {
        Ok(self.lengths_within(self.inner.snapshot.load().pinned.generation.max_tokens()?))
    }

    /// How many tokens the encoder reads of a text. Loads no encoder.
    fn tokens_read(&self) -> Result<usize> {
        Ok(layout::reads(self.inner.snapshot.load().pinned.generation.max_tokens()?))
    }

    /// How long a passage may be. Says once if the encoder reads less than the index was made for.
    fn lengths_within(&self, longest_input: usize) -> Lengths {
        let settings = &self.inner.settings;
        let lengths = settings.lengths(longest_input);
        if lengths.text < settings.max_tokens && settings.chunking == Chunking::Passages {
            self.inner.shorter.call_once(|| {
                tracing::warn!(
                    "the index was made for passages of {} tokens, the encoder reads fewer: new ones have {}",
                    settings.max_tokens,
                    lengths.text
                );
            });
        }
        lengths
    }

    /// Commits prepared documents and makes them visible.
    fn replace(
        &self,
        writer: &mut WriterGuard<'_>,
        snapshot: &Snapshot,
        documents: Vec<Prepared>,
        vectors: Vectors,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<AddReport> {
        if documents.is_empty() {
            return Ok(AddReport::default());
        }
        let generation = &snapshot.pinned.generation;
        let report = writer.get()?.replace(generation, &snapshot.lexical, documents, vectors, progress)?;
        self.refresh_from(writer)?;
        Ok(report)
    }

    /// Makes the writer's last commit visible.
    fn refresh_from(&self, writer: &mut WriterGuard<'_>) -> Result<()> {
        let writer = writer.get()?;
        let generation = Arc::clone(&self.inner.snapshot.load().pinned.generation);
        let lexical = self.inner.lexical.snapshot()?;
        let dense = writer.dense.view(&lexical.live_chunks())?;
        self.wake_upkeep(&writer.dense, &dense);
        self.inner.snapshot.store(Arc::new(Snapshot { lexical, pinned: Pinned { dense, generation } }));
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(error) = self.upkeep.stop() {
            tracing::warn!(%error, "the upkeep of the vector index ended with an error");
        }
        if let Err(error) = self.trials.stop() {
            tracing::warn!(%error, "the thread of a trial ended with an error");
        }
        let worker = self.worker.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = worker.map(worker::Worker::stop) {
            tracing::warn!(%error, "the background worker ended with an error");
        }
    }
}

/// The writer, locked. It is there as long as the engine is open.
struct WriterGuard<'a> {
    guard: MutexGuard<'a, Option<Box<Writer>>>,
    doing: &'static str,
}

impl WriterGuard<'_> {
    fn get(&mut self) -> Result<&mut Writer> {
        self.guard.as_deref_mut().ok_or(Error::Closed { doing: self.doing })
    }
}
