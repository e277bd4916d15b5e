//! Opening, creating, closing.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Once};

use arc_swap::ArcSwap;

use super::embeddings::Embeddings;
use super::encoding::Encoding;
use super::generations::Generations;
use super::idle::LastSearch;
use super::layout::{Layout, Settings};
use super::options::Options;
use super::trial::state::Trials;
use super::unfinished::{Pace, Unfinished};
use super::upkeep::Upkeep;
use super::writer::{Writer, last_commit};
use super::{Access, Engine, Inner, Reader};
use crate::dense::DenseIndex;
use crate::encoder::{Encoder, model};
use crate::error::{Error, Result};
use crate::feedback::{FeedbackLog, Role};
use crate::generation::{Building, Generation, Manifest, Pinned, collect_garbage, fill, publish};
use crate::ids::{ChunkId, GenerationId};
use crate::learn::{self, History};
use crate::lexical::LexicalIndex;
use crate::search::Snapshot;
use crate::storage::{WriterLock, rebuild};

/// What is being repaired while an index is opened, and how far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenProgress {
    /// The lexical index of an earlier version is made anew from its own texts.
    Lexical {
        /// Chunks that are done.
        done: usize,
        /// Chunks in all.
        total: usize,
    },
    /// Vectors that were lost or damaged are encoded again.
    Vectors {
        /// Chunks that are done.
        done: usize,
        /// Chunks in all.
        total: usize,
    },
}

impl Engine {
    /// Opens the index in the folder `path` for reading and writing; creates it if there is none.
    ///
    /// Whatever a crash has left is repaired here: stray vectors are hidden, lost ones are encoded again, abandoned
    /// builds are removed, torn tails of the log are cut. Vectors that are damaged are encoded again too. Where the
    /// folder `lexical` is missing, the documents are: the index is empty, and what it has learnt stays.
    ///
    /// # Errors
    /// [`Error::Locked`] when another handle has it open for writing for longer than [`Options::lock_wait`];
    /// [`Error::ModelUnavailable`] when no model is on
    /// this machine; [`Error::Damaged`] and [`Error::Version`] when files of the index can't be used.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Engine> {
        Engine::open_with(path, options, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`open`](Engine::open). `progress` is told how far repairs are, if there are any, and may break.
    ///
    /// # Errors
    /// As [`open`](Engine::open); [`Error::Cancelled`] when `progress` breaks. What was repaired stays, and another
    /// opening goes on.
    pub fn open_with(
        path: impl AsRef<Path>,
        options: Options,
        progress: &mut dyn FnMut(OpenProgress) -> ControlFlow<()>,
    ) -> Result<Engine> {
        options.validate()?;
        let layout = Layout::new(path.as_ref());
        layout.claim()?;
        let lock = WriterLock::acquire(&layout.path, options.lock_wait)?;
        let (settings, lexical, manifest) = match Settings::read(&layout)? {
            Some(settings) => {
                let lexical = open_or_empty_lexical(&layout, &settings, &mut |done, total| {
                    progress(OpenProgress::Lexical { done, total })
                })?;
                (settings, lexical, read_manifest(&layout)?)
            }
            None => create_parts(&layout, &options)?,
        };
        let feedback = FeedbackLog::open(&layout.feedback(), options.feedback.clone(), Role::Merging)?;
        collect_garbage(&layout.generations(), &manifest)?;
        let generation = Arc::new(open_generation(&layout, manifest.current, &options)?);
        learn::Unfinished::collect_garbage(&layout.checkpoint(), generation.meta.weights)?;
        History::remove_retired(&layout.rounds())?;
        let mut dense = generation.open_dense(&settings.dense)?;
        let used = highest_chunk(&layout, &manifest, &lexical, &dense, &feedback)?;
        let chunks = lexical.snapshot()?;
        let commit = last_commit(&lexical, used)?;
        let missing = dense.view(&chunks.live_chunks())?.missing().to_vec();
        let (pending, lost): (Vec<ChunkId>, Vec<ChunkId>) =
            missing.into_iter().partition(|&chunk| commit.pending.contains(chunk));
        let encoder = || generation.encoder().cloned();
        fill(&mut dense, &encoder, generation.folder(), &chunks, &lost, &mut |done, total| {
            progress(OpenProgress::Vectors { done, total })
        })?;
        let writer = Writer {
            lexical: lexical.writer()?,
            next_chunk: commit.next_chunk,
            pending,
            dense,
            unfinished: Unfinished::open(&generation),
            pace: Pace::default(),
            embeddings: options
                .embeddings
                .as_deref()
                .map(|folder| Ok(Embeddings::open(folder, generation.encoder()?)))
                .transpose()?
                .flatten(),
            _lock: lock,
        };
        let pinned = Pinned { dense: writer.dense.view(&chunks.live_chunks())?, generation };
        let snapshot = Snapshot { lexical: chunks, pinned };
        let access = Access::Writing(Mutex::new(Some(Box::new(writer))));
        let engine =
            Engine { reader: assemble(layout, options, settings, lexical, snapshot, access, Some(feedback)) };
        engine.resume_trial()?;
        if engine.inner.options.works_by_itself() {
            engine.start_worker()?;
        }
        let view = engine.inner.snapshot.load().pinned.dense.clone();
        engine.wake_upkeep(&engine.lock_writer("open")?.get()?.dense, &view);
        Ok(engine)
    }
}

pub(super) fn assemble(
    layout: Layout,
    options: Options,
    settings: Settings,
    lexical: LexicalIndex,
    snapshot: Snapshot,
    access: Access,
    feedback: Option<FeedbackLog>,
) -> Reader {
    let generations = Generations::starting_with(&snapshot.pinned.generation);
    let history = History::new(layout.rounds());
    Reader {
        inner: Arc::new(Inner {
            layout,
            options,
            settings,
            snapshot: ArcSwap::from_pointee(snapshot),
            lexical,
            access,
            feedback,
            generations: Mutex::new(generations),
            history,
            round: Mutex::new(()),
            worker: Mutex::new(None),
            upkeep: Upkeep::default(),
            trials: Trials::default(),
            last_search: LastSearch::new(),
            encoding: Encoding::default(),
            unlogged: Once::new(),
            shorter: Once::new(),
            closed: AtomicBool::new(false),
        }),
    }
}

/// The lexical index; an empty one where its folder is gone: that is how a damaged one is replaced. One of an earlier
/// version is made anew.
pub(super) fn open_or_empty_lexical(
    layout: &Layout,
    settings: &Settings,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<LexicalIndex> {
    let folder = layout.lexical();
    if let Some(lexical) = LexicalIndex::open_for_writing(&folder, progress)? {
        return Ok(lexical);
    }
    tracing::warn!(folder = %folder.display(), "there is no lexical index: it begins anew, without documents");
    LexicalIndex::create(&folder, settings.language)
}

/// The largest chunk id that anything but the lexical index names: vectors of the current and the kept generations,
/// live or not, and, where the commits or the vectors may have been lost, the log.
fn highest_chunk(
    layout: &Layout,
    manifest: &Manifest,
    lexical: &LexicalIndex,
    dense: &DenseIndex,
    feedback: &FeedbackLog,
) -> Result<Option<ChunkId>> {
    let mut highest = dense.highest_chunk();
    for &kept in manifest.kept.iter().chain(&manifest.candidate) {
        match Generation::highest_chunk(&layout.generations(), kept) {
            Ok(chunk) => highest = highest.max(chunk),
            // It answers nothing; a rollback steps over it or makes its vectors anew.
            Err(error) => tracing::warn!(%error, generation = %kept, "a kept generation is damaged"),
        }
    }
    if lexical.payload()?.is_empty() || dense.highest_chunk().is_none() {
        let impressions = feedback.replay()?.impressions;
        highest =
            highest.max(impressions.iter().flat_map(|shown| &shown.hits).filter_map(|hit| hit.chunk).max());
    }
    Ok(highest)
}

pub(super) fn read_manifest(layout: &Layout) -> Result<Manifest> {
    Manifest::read(&layout.generations())?.ok_or_else(|| Error::Damaged {
        path: layout.generations(),
        found: "no CURRENT".into(),
        expected: "the name of the current generation".into(),
        remedy: rebuild!(),
    })
}

/// Creates an empty index. The settings are written last: until then a crash leaves a folder that the next call starts
/// afresh.
fn create_parts(layout: &Layout, options: &Options) -> Result<(Settings, LexicalIndex, Manifest)> {
    refuse_to_create_over(layout)?;
    let encoder = match &options.encoder {
        Some(encoder) => Arc::clone(encoder),
        None => Arc::new(Encoder::load_with(&find_model(options)?, options.backend().options())?),
    };
    let settings = Settings::of(options, &encoder)?;
    for leftover in [layout.lexical(), layout.generations()] {
        crate::storage::remove_folder(&leftover)?;
    }
    fs::create_dir_all(layout.generations()).map_err(Error::io("create", &layout.generations()))?;
    let lexical = LexicalIndex::create(&layout.lexical(), settings.language)?;
    let building = Building::first(&layout.generations(), encoder, settings.fusion, &settings.dense)?;
    publish(&layout.generations(), building, options.keep_generations, |_| Ok(()))?;
    settings.write(layout)?;
    let manifest = read_manifest(layout)?;
    Ok((settings, lexical, manifest))
}

/// What a crash has left of an index that was being created holds no document and nothing learnt. An index that does
/// has lost its settings, and is not to be written over.
fn refuse_to_create_over(layout: &Layout) -> Result<()> {
    let learnt = Manifest::read(&layout.generations())?.is_some_and(|manifest| manifest.current.0 > 1);
    // One that can't be read may hold documents: a creation publishes it whole.
    let folder = layout.lexical();
    let holds = || LexicalIndex::open(&folder).and_then(|lexical| lexical.payload());
    if learnt || folder.exists() && holds().map_or(true, |payload| !payload.is_empty()) {
        return Err(Error::Damaged {
            path: layout.settings(),
            found: "no such file".into(),
            expected: "the settings of the index, since it holds documents".into(),
            remedy: "restore the file from a copy, or from an index that was made with the same options",
        });
    }
    Ok(())
}

fn find_model(options: &Options) -> Result<PathBuf> {
    match model::locate(options.model.as_deref())? {
        Some(located) => Ok(located.folder),
        None => Err(Error::ModelUnavailable {
            tried: vec![
                "RETUNE_MODEL, retune's cache and the Hugging Face cache (run `retune model fetch`)".into(),
            ],
        }),
    }
}

/// What a reader sees now. A writer may publish, and remove what was current, while it is being opened.
pub(super) fn read_snapshot(
    layout: &Layout,
    lexical: &LexicalIndex,
    options: &Options,
) -> Result<(Snapshot, DenseIndex)> {
    let mut manifest = read_manifest(layout)?;
    loop {
        let opened = read_generation(layout, lexical, manifest.current, options);
        let now = read_manifest(layout)?;
        if opened.is_ok() || now.current == manifest.current {
            return opened;
        }
        manifest = now;
    }
}

fn open_generation(layout: &Layout, id: GenerationId, options: &Options) -> Result<Generation> {
    let open = if options.lazy_model { Generation::open_unloaded } else { Generation::open };
    open(&layout.generations(), id, &options.model_source())
}

fn read_generation(
    layout: &Layout,
    lexical: &LexicalIndex,
    id: GenerationId,
    options: &Options,
) -> Result<(Snapshot, DenseIndex)> {
    let generation = Arc::new(open_generation(layout, id, options)?);
    let lexical = lexical.snapshot()?;
    let reader = generation.open_dense_read_only()?;
    let dense = reader.view(&lexical.live_chunks())?;
    Ok((Snapshot { lexical, pinned: Pinned { dense, generation } }, reader))
}
