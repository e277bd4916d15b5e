//! Keeping an index in step with a folder of files.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::Engine;
use super::document::Prepared;
use super::source;
use crate::corpus::{ChangedFile, ChunkedDocument, FileReader, Scanned, Skipped};
use crate::error::{Error, Result};
use crate::search::Snapshot;

/// Files are committed together until they have so many chunks.
const COMMIT_CHUNKS: usize = 256;

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
    /// Chunks of changed files that were the same as before and kept their vectors.
    pub chunks_kept: usize,
    /// Documents whose file is gone.
    pub removed: usize,
    /// Files that were passed over, each with the reason.
    pub skipped: Vec<Skipped>,
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
    /// Bytes of those that are done.
    pub bytes: u64,
    /// Chunks that were given their vectors.
    pub chunks: usize,
}

impl Engine {
    /// Makes the index hold what the folder holds: new and changed files are read, unchanged ones are not, documents
    /// whose file is gone are removed. Documents are named by their path below the folder, and can be filtered by
    /// `path`, `extension`, `modified` and what they say of themselves, such as `author` and `date`. What an application has added under other ids stays. An index follows one folder.
    ///
    /// A file that can't be used is passed over and stands in the report; nothing but an unreadable folder stops the
    /// run. It commits every few hundred chunks. A run that is cut short, even by a kill, goes on where it stopped: of
    /// what was encoded, the next run encodes no more than some seconds' work again.
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
            pending.bytes += file.bytes;
            reader.read(file, &mut |read| match read {
                Ok(document) => {
                    seen.iter_mut().for_each(|seen| seen.read(&document.id));
                    pending.add(document);
                }
                Err(skipped) => {
                    seen.iter_mut().for_each(|seen| seen.turned_out(&skipped));
                    run.report.skipped.push(skipped);
                }
            });
            if pending.chunks >= COMMIT_CHUNKS {
                self.commit_files(std::mem::take(&mut pending), &mut run)?;
            }
            run.tell()?;
        }
        self.commit_files(pending, &mut run)?;
        run.tell()?;
        self.lock_writer("index a folder")?.get()?.unfinished.clear();
        let mut report = run.report;
        if let Some(seen) = seen {
            let gone: Vec<&String> = digests.keys().filter(|id| seen.has_vanished(id)).collect();
            report.removed = self.remove_files(&snapshot, gone)?;
        }
        source::compare_skipped(&self.inner.layout, &mut report.skipped);
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
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
        let Run { report, at, progress } = run;
        let before = at.bytes;
        let mut done = 0;
        let added = self.replace(&mut writer, &snapshot, pending.documents, &mut |chunks| {
            at.chunks += chunks;
            done += chunks;
            at.bytes = before + pending.bytes * done as u64 / pending.chunks.max(1) as u64;
            progress(*at)
        });
        let added = added.map_err(|error| match error {
            Error::Cancelled { .. } => CANCELLED,
            error => error,
        })?;
        at.bytes = before + pending.bytes;
        report.read += added.documents;
        report.chunks_encoded += added.chunks_encoded;
        report.chunks_kept += added.chunks_kept;
        Ok(())
    }
}

const CANCELLED: Error = Error::Cancelled { doing: "indexing the folder" };

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
    bytes: u64,
}

impl Pending {
    fn add(&mut self, document: ChunkedDocument) {
        self.chunks += document.chunks.len();
        let metadata = source::metadata(&document);
        let ChunkedDocument { id, digest, chunks, .. } = document;
        self.documents.push(Prepared { id, digest, chunks, metadata });
    }
}
