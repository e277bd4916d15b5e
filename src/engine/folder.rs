//! Keeping an index in step with a folder of files.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::Engine;
use super::document::Prepared;
use super::source;
use crate::corpus::{Scanned, Skipped, scan_folder};
use crate::error::{Error, Result};

/// Files are committed together until they have so many chunks: a crash costs at most this much encoding.
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

/// How far indexing a folder is.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct IndexProgress {
    /// Files that were looked at.
    pub files: usize,
    /// Chunks encoded so far.
    pub chunks: usize,
}

impl Engine {
    /// Makes the index hold what the folder holds: new and changed files are read, unchanged ones are not, documents
    /// whose file is gone are removed. Documents are named by their path below the folder, and can be filtered by
    /// `path` and `extension`. What an application has added under other ids stays. An index follows one folder.
    ///
    /// A file that can't be used is passed over and stands in the report; nothing but an unreadable folder stops the
    /// run. It commits every few hundred chunks, so that a run that is cut short goes on where it stopped.
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
        source::follow(&self.inner.layout, folder)?;
        let snapshot = self.inner.snapshot.load_full();
        let digests = snapshot.lexical.documents()?;
        let encoder = Arc::clone(snapshot.pinned.generation.encoder()?);
        let options = self.inner.settings.corpus(&self.inner.options.corpus);
        let mut report = IndexReport::default();
        let mut at = IndexProgress { files: 0, chunks: 0 };
        let mut pending: Vec<Prepared> = Vec::new();
        let known = |id: &str| digests.get(id).copied();
        let count = |text: &str| encoder.count_tokens(text);
        let mut scan = scan_folder(folder, &[self.path().to_path_buf()], &options, &known, &count)?;
        for item in &mut scan {
            at.files += 1;
            match item {
                Scanned::Unchanged { .. } => report.unchanged += 1,
                Scanned::Changed(file) => {
                    let metadata = source::metadata(&file.id);
                    pending.push(Prepared {
                        id: file.id,
                        digest: file.digest,
                        chunks: file.chunks,
                        metadata,
                    });
                }
                Scanned::Skipped(skipped) => report.skipped.push(skipped),
            }
            if pending.iter().map(|one| one.chunks.len()).sum::<usize>() >= COMMIT_CHUNKS {
                self.commit_files(&mut pending, &mut report, &mut at, progress)?;
            }
            if progress(at).is_break() {
                return Err(Error::Cancelled { doing: "indexing the folder" });
            }
        }
        self.commit_files(&mut pending, &mut report, &mut at, progress)?;
        if let Some(seen) = scan.into_seen() {
            let mut gone = Vec::new();
            for id in digests.keys().filter(|id| seen.has_vanished(id)) {
                let chunks = snapshot.lexical.chunks_of(id)?;
                if chunks.iter().any(|chunk| chunk.metadata.contains_key(source::MARK)) {
                    gone.push(id);
                }
            }
            report.removed = self.remove(&gone)?;
        }
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
    }

    fn commit_files(
        &self,
        pending: &mut Vec<Prepared>,
        report: &mut IndexReport,
        at: &mut IndexProgress,
        progress: &mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut writer = self.lock_writer("index a folder")?;
        let snapshot = self.inner.snapshot.load_full();
        // Stopping is left to the caller's next look: what was encoded is worth committing.
        let added = self.replace(&mut writer, &snapshot, std::mem::take(pending), &mut |chunks| {
            at.chunks += chunks;
            let _ = progress(*at);
        })?;
        report.read += added.documents;
        report.chunks_encoded += added.chunks_encoded;
        report.chunks_kept += added.chunks_kept;
        Ok(())
    }
}
