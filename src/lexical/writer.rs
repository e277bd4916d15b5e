use std::fs;
use std::path::{Path, PathBuf};

use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexWriter, Term};

use super::failure::guard;
use super::schema::{ChunkRecord, Fields};
use crate::error::{Error, Result};
#[cfg(test)]
use crate::ids::ChunkId;

/// The one writer of an index, of all processes. What it adds and deletes is seen after [`LexicalWriter::commit`].
///
/// Operations apply in the order they are called: a delete removes what was added before it, in the same commit or an
/// earlier one, and nothing that is added after it. After an error, [`LexicalWriter::rollback`] before going on.
pub(crate) struct LexicalWriter {
    inner: IndexWriter,
    fields: Fields,
    path: PathBuf,
}

impl std::fmt::Debug for LexicalWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LexicalWriter").finish_non_exhaustive()
    }
}

impl LexicalWriter {
    /// Memory for chunks that are not yet on disk, unless said otherwise.
    pub(crate) const DEFAULT_HEAP_BYTES: usize = 64 << 20;
    /// Less memory than this is not accepted.
    pub(crate) const LEAST_HEAP_BYTES: usize = 16 << 20;

    pub(super) fn open(
        index: &Index,
        fields: Fields,
        path: &Path,
        heap_bytes: usize,
    ) -> Result<LexicalWriter> {
        if !(Self::LEAST_HEAP_BYTES..u32::MAX as usize - (2 << 20)).contains(&heap_bytes) {
            return Err(Error::invalid("the writer's memory", heap_bytes, "16 MiB to under 4 GiB"));
        }
        let inner = guard("open for writing", path, || {
            // One thread: a commit gives one segment, with its chunks in the order they came. Encoding is the bottleneck.
            let options = IndexWriterOptions::builder()
                .num_worker_threads(1)
                .memory_budget_per_thread(heap_bytes)
                .num_merge_threads(1)
                .build();
            index.writer_with_options(options)
        })?;
        let writer = LexicalWriter { inner, fields, path: path.to_path_buf() };
        writer.collect_garbage()?;
        Ok(writer)
    }

    /// Adds a chunk. Its id must be in no live chunk: to replace one, delete it first.
    pub(crate) fn add(&mut self, record: &ChunkRecord) -> Result<()> {
        let packed = self.fields.pack(record)?;
        guard("add a chunk", &self.path, || self.inner.add_document(packed))?;
        Ok(())
    }

    /// Deletes a chunk, if there is one of this id.
    #[cfg(test)]
    pub(crate) fn delete_chunk(&mut self, chunk: ChunkId) {
        self.inner.delete_term(Term::from_field_u64(self.fields.chunk, chunk.0));
    }

    /// Deletes every chunk of a document, if there is any.
    pub(crate) fn delete_document(&mut self, document: &str) {
        self.inner.delete_term(Term::from_field_text(self.fields.document, document));
    }

    /// Makes everything since the last commit durable and visible, all or nothing. `payload` is kept with it.
    pub(crate) fn commit(&mut self, payload: &str) -> Result<()> {
        guard("commit", &self.path, || {
            let mut prepared = self.inner.prepare_commit()?;
            prepared.set_payload(payload);
            prepared.commit()
        })?;
        Ok(())
    }

    /// Forgets everything since the last commit.
    pub(crate) fn rollback(&mut self) -> Result<()> {
        guard("roll back", &self.path, || self.inner.rollback())?;
        Ok(())
    }

    /// Waits for merges that are under way and gives the writer's lock back. What was not committed is lost.
    pub(crate) fn close(self) -> Result<()> {
        let LexicalWriter { inner, path, .. } = self;
        guard("finish merging", &path, || inner.wait_merging_threads())
    }

    /// Removes what a writer that was killed left behind.
    fn collect_garbage(&self) -> Result<()> {
        guard("collect garbage", &self.path, || self.inner.garbage_collect_files().wait())?;
        // tantivy's half-written `meta.json`; only the holder of the writer's lock makes such files.
        for entry in fs::read_dir(&self.path).map_err(Error::io("list", &self.path))? {
            let entry = entry.map_err(Error::io("list", &self.path))?;
            if entry.file_name().to_string_lossy().starts_with(".tmp") {
                fs::remove_file(entry.path()).map_err(Error::io("remove", &entry.path()))?;
            }
        }
        Ok(())
    }
}
