//! The writer of the index.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexWriter, Term};

use super::analysis::Analyzer;
use super::facts::language_of;
use super::failure::guard;
use super::language::Language;
use super::marker::Marker;
use super::schema::{ChunkRecord, Fields};
use crate::error::{Error, Result};
#[cfg(test)]
use crate::ids::ChunkId;

/// The only writer of an index, across all processes. Changes become visible with [`LexicalWriter::commit`].
///
/// Operations apply in the order of the calls: a delete removes only what was added before it, in the same commit or an
/// earlier one. After an error, call [`LexicalWriter::rollback`] before going on.
pub(crate) struct LexicalWriter {
    inner: IndexWriter,
    /// The index's own.
    language: Language,
    /// Of the languages beside it that were met.
    further: HashMap<Language, Analyzer>,
    fields: Fields,
    path: PathBuf,
}

impl std::fmt::Debug for LexicalWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LexicalWriter").finish_non_exhaustive()
    }
}

impl LexicalWriter {
    /// Default memory for chunks that are not on disk yet.
    pub(crate) const DEFAULT_HEAP_BYTES: usize = 64 << 20;
    /// The smallest accepted memory.
    pub(crate) const LEAST_HEAP_BYTES: usize = 16 << 20;

    pub(super) fn open(
        index: &Index,
        language: Language,
        fields: Fields,
        path: &Path,
        heap_bytes: usize,
    ) -> Result<LexicalWriter> {
        if !(Self::LEAST_HEAP_BYTES..u32::MAX as usize - (2 << 20)).contains(&heap_bytes) {
            return Err(Error::invalid("the writer's memory", heap_bytes, "16 MiB to under 4 GiB"));
        }
        let inner = guard("open for writing", path, || {
            // With one thread, a commit makes one segment with the chunks in the order they came. The encoder is
            // slower than one thread anyway.
            let options = IndexWriterOptions::builder()
                .num_worker_threads(1)
                .memory_budget_per_thread(heap_bytes)
                .num_merge_threads(1)
                .build();
            index.writer_with_options(options)
        })?;
        let writer =
            LexicalWriter { inner, language, further: HashMap::new(), fields, path: path.to_path_buf() };
        writer.collect_garbage()?;
        Ok(writer)
    }

    /// Adds a chunk. No live chunk may have its id: to replace a chunk, delete it first.
    pub(crate) fn add(&mut self, record: &ChunkRecord) -> Result<()> {
        let fields = self.fields;
        let other = match language_of(&record.metadata).filter(|&language| language != self.language) {
            Some(language) => Some((language, self.analyzer_of(language)?)),
            None => None,
        };
        let packed = fields.pack(record, other)?;
        guard("add a chunk", &self.path, || self.inner.add_document(packed))?;
        Ok(())
    }

    /// The analyzer of a language beside the index's own. From now on the index is one of several languages, which
    /// earlier versions refuse.
    fn analyzer_of(&mut self, language: Language) -> Result<&Analyzer> {
        if self.further.is_empty() {
            Marker::of(self.language).of_several_languages().write(&self.path)?;
        }
        Ok(self.further.entry(language).or_insert_with(|| Analyzer::beside(language)))
    }

    /// Deletes the chunk with this id, if there is one.
    #[cfg(test)]
    pub(crate) fn delete_chunk(&mut self, chunk: ChunkId) {
        self.inner.delete_term(Term::from_field_u64(self.fields.chunk, chunk.0));
    }

    /// Deletes all chunks of a document.
    pub(crate) fn delete_document(&mut self, document: &str) {
        self.inner.delete_term(Term::from_field_text(self.fields.document, document));
    }

    /// Makes all changes since the last commit durable and visible, atomically. `payload` is stored with the commit.
    pub(crate) fn commit(&mut self, payload: &str) -> Result<()> {
        guard("commit", &self.path, || {
            let mut prepared = self.inner.prepare_commit()?;
            prepared.set_payload(payload);
            prepared.commit()
        })?;
        Ok(())
    }

    /// Discards all changes since the last commit.
    pub(crate) fn rollback(&mut self) -> Result<()> {
        guard("roll back", &self.path, || self.inner.rollback())?;
        Ok(())
    }

    /// Waits for running merges and releases the writer's lock. Uncommitted changes are lost.
    pub(crate) fn close(self) -> Result<()> {
        let LexicalWriter { inner, path, .. } = self;
        guard("finish merging", &path, || inner.wait_merging_threads())
    }

    /// Removes the files of a writer that was killed.
    fn collect_garbage(&self) -> Result<()> {
        guard("collect garbage", &self.path, || self.inner.garbage_collect_files().wait())?;
        // Half-written `meta.json` files. Only the holder of the writer's lock makes them.
        for entry in fs::read_dir(&self.path).map_err(Error::io("list", &self.path))? {
            let entry = entry.map_err(Error::io("list", &self.path))?;
            if entry.file_name().to_string_lossy().starts_with(".tmp") {
                fs::remove_file(entry.path()).map_err(Error::io("remove", &entry.path()))?;
            }
        }
        Ok(())
    }
}
