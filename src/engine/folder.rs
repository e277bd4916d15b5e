//! Keeping an index in step with a folder of files.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::Engine;
use super::document::Prepared;
use super::source;
use super::writer::Vectors;
use crate::corpus::{ChangedFile, ChunkedDocument, FileReader, Scanned, Skipped};
use crate::error::{Error, Result};
use crate::search::Snapshot;

/// Files are committed together until they have so many chunks.
const COMMIT_CHUNKS: usize = 4096;

/// What indexing a folder did.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct IndexReport {
    /// Files that were new or had changed.
    pub read: usize,
    /// Files whose content is the one that is indexed: nothing was done.
    pub unchanged: usize,
    /// Chunks that were encoded. Those whose vectors [`Options::embeddings`](crate::Options::embeddings) had are not.
    pub chunks_encoded: usize,
    /// Chunks that share the vector of the same text: as it was before, or in another file.
    pub chunks_kept: usize,
    /// Documents whose file is gone.
    pub removed: usize,
    /// Files that were passed over, each with the reason.
    pub skipped: Vec<Skipped>,
    /// Seconds until every text could be found by its words.
    pub words_seconds: f64,
    /// Seconds it took.
    pub seconds: f64,
}

/// How far indexing a folder is. No number ever falls.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct IndexProgress {
    /// Files that were looked at, to find those that are new or have changed.
    pub files: usize,
    /// Bytes of all files that are new or have changed; 0 until the whole folder was looked at.
    pub total_bytes: u64,
    /// Bytes of those that were read.
    pub bytes: u64,
    /// Chunks that have no vector yet, earlier runs' too; 0 until every text can be found by its words.
    pub total_chunks: usize,
    /// How many of those were given one.
    pub chunks: usize,
}

impl Engine {
    /// Makes the index hold what the folder holds: new and changed files are read, unchanged ones are not, documents
    /// whose file is gone are removed. Documents are named by their path below the folder, and can be filtered by
    /// `path` and `extension`. What an application has added under other ids stays. An index follows one folder.
    ///
    /// Words come first: all texts are committed, so that searches find them by their words, before any is encoded by
    /// [`encode_pending`](Engine::encode_pending), those of the files that were changed last before others.
    ///
    /// A file that can't be used is passed over and stands in the report; nothing but an unreadable folder stops the
    /// run. A run that is cut short, even by a kill, goes on where it stopped.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the index follows another folder; [`Error::Cancelled`] when `progress` breaks; what was
    /// committed stays.
    pub fn index_folder(
        &self,
        folder: &Path,
        progress: &mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<IndexReport> {
        let started = std::time::Instant::now();
        drop(self.lock_writer("index a folder")?);
        let options = source::follow(&self.inner.layout, folder, &self.inner.options.corpus)?;
        let snapshot = self.inner.snapshot.load_full();
        let digests = snapshot.lexical.documents()?;
        let encoder = Arc::clone(snapshot.pinned.generation.encoder()?);
        let known = |id: &str| digests.get(id).copied();
        let count = |text: &str| encoder.count_tokens(text);
        let reader = FileReader::new(&options, self.lengths()?, &count)?;
        let mut run = Run { report: IndexReport::default(), at: IndexProgress::default(), progress };
        let mut scan = reader.scan(folder, &[self.path().to_path_buf()], &known)?;
        let mut changed: Vec<ChangedFile> = Vec::new();
        for item in &mut scan {
            run.at.files += 1;
            match item {
                Scanned::Unchanged => run.report.unchanged += 1,
                Scanned::Changed(file) => changed.push(file),
                Scanned::Skipped(skipped) => run.report.skipped.push(skipped),
            }
            run.tell()?;
        }
        let mut seen = scan.into_seen();
        run.at.total_bytes = changed.iter().map(|file| file.bytes).sum();
        let mut pending = Pending::default();
        for file in &changed {
            match reader.read(file) {
                Ok(document) => pending.add(document),
                Err(reason) => {
                    let skipped = seen.as_mut().map(|seen| seen.turned_out(file, reason));
                    run.report.skipped.extend(skipped);
                }
            }
            run.at.bytes += file.bytes;
            if pending.chunks >= COMMIT_CHUNKS {
                self.commit_files(std::mem::take(&mut pending), &mut run)?;
            }
            run.tell()?;
        }
        self.commit_files(pending, &mut run)?;
        run.tell()?;
        if let Some(seen) = seen {
            let gone: Vec<&String> = digests.keys().filter(|id| seen.has_vanished(id)).collect();
            run.report.removed = self.remove_files(&snapshot, gone)?;
        }
        source::compare_skipped(&self.inner.layout, &mut run.report.skipped);
        changed.sort_by_cached_key(|file| std::cmp::Reverse(file.modified()));
        self.encode_in_order(changed.into_iter().map(|file| file.id).collect());
        run.report.words_seconds = started.elapsed().as_secs_f64();
        self.encode_folder(&mut run)?;
        let mut report = run.report;
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
    }

    fn encode_folder(&self, run: &mut Run<'_>) -> Result<()> {
        let Run { report, at, progress } = run;
        let encoded = self.encode_pending(&mut |done, total| {
            (at.chunks, at.total_chunks) = (done, at.total_chunks.max(total));
            progress(*at)
        });
        report.chunks_encoded = encoded.map_err(cancelled)?;
        Ok(())
    }

    /// Removes those documents that came from a folder.
    fn remove_files(&self, snapshot: &Snapshot, documents: Vec<&String>) -> Result<usize> {
        let mut files = Vec::new();
        for id in documents {
            let chunks = snapshot.lexical.chunks_of(id)?;
            if chunks.iter().any(|chunk| chunk.metadata.contains_key(source::MARK)) {
                files.push(id);
            }
        }
        self.remove(&files)
    }

    fn commit_files(&self, pending: Pending, run: &mut Run<'_>) -> Result<()> {
        let mut writer = self.lock_writer("index a folder")?;
        let snapshot = self.inner.snapshot.load_full();
        let report = &mut run.report;
        let nothing = &mut |_| ControlFlow::Continue(());
        let added = self.replace(&mut writer, &snapshot, pending.documents, Vectors::Later, nothing)?;
        report.read += added.documents;
        report.chunks_kept += added.chunks_kept;
        Ok(())
    }
}

const CANCELLED: Error = Error::Cancelled { doing: "indexing the folder" };

fn cancelled(error: Error) -> Error {
    match error {
        Error::Cancelled { .. } => CANCELLED,
        error => error,
    }
}

/// A run over the folder.
struct Run<'a> {
    report: IndexReport,
    at: IndexProgress,
    progress: &'a mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
}

impl Run<'_> {
    fn tell(&mut self) -> Result<()> {
        match (self.progress)(self.at) {
            ControlFlow::Break(()) => Err(CANCELLED),
            ControlFlow::Continue(()) => Ok(()),
        }
    }
}

/// Files that are committed together.
#[derive(Default)]
struct Pending {
    documents: Vec<Prepared>,
    chunks: usize,
}

impl Pending {
    fn add(&mut self, document: ChunkedDocument) {
        self.chunks += document.chunks.len();
        let metadata = source::metadata(&document.id);
        let ChunkedDocument { id, digest, chunks, .. } = document;
        self.documents.push(Prepared { id, digest, chunks, metadata });
    }
}
