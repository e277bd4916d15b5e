use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tantivy::store::Compressor;
use tantivy::{Index, IndexMeta, IndexReader, IndexSettings, ReloadPolicy};

use super::analysis::Analyzer;
use super::directory::DurableDirectory;
use super::failure::guard;
use super::language::Language;
use super::marker::Marker;
use super::schema::{ANALYZER, Fields};
use super::snapshot::LexicalSnapshot;
use super::writer::LexicalWriter;
use crate::error::{Error, Result};
use crate::storage;

/// Number of decompressed blocks of stored chunks to cache per segment, 16 KiB each.
const STORE_CACHE_BLOCKS: usize = 64;

/// A lexical index on disk, with one writer and any number of snapshots. Several processes may have it open.
pub(crate) struct LexicalIndex {
    path: PathBuf,
    language: Language,
    directory: DurableDirectory,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    analyzer: Analyzer,
    /// The newest snapshot. Its lock also serialises reloads.
    newest: Mutex<Option<(Version, LexicalSnapshot)>>,
}

/// Identifies a state of the index. The opstamp alone does not: it starts over when a writer is opened or rolled back.
#[derive(PartialEq)]
struct Version {
    opstamp: u64,
    payload: Option<String>,
    segments: Vec<(String, u32, Option<u64>)>,
}

impl Version {
    fn of(meta: &IndexMeta) -> Version {
        let segments = meta.segments.iter();
        Version {
            opstamp: meta.opstamp,
            payload: meta.payload.clone(),
            segments: segments
                .map(|s| (s.id().uuid_string(), s.num_deleted_docs(), s.delete_opstamp()))
                .collect(),
        }
    }

    /// Whether both are the same commit. Merges change the segments but not their content.
    fn same_commit(&self, other: &Version) -> bool {
        (self.opstamp, &self.payload) == (other.opstamp, &other.payload)
    }
}

impl LexicalIndex {
    /// Creates an empty index in the new folder `path`. The folder appears whole or not at all.
    pub(crate) fn create(path: &Path, language: Language) -> Result<LexicalIndex> {
        if path.exists() {
            return Err(Error::invalid(
                "the folder for a new lexical index",
                format!("{}, which exists", path.display()),
                "a folder that does not exist",
            ));
        }
        let draft = LexicalIndex::draft(path, language)?;
        storage::publish_folder(&draft, path)?;
        LexicalIndex::open(path)
    }

    /// Creates an empty index that is to be published as `path`. Returns its folder, beside `path`.
    pub(super) fn draft(path: &Path, language: Language) -> Result<PathBuf> {
        let draft = path.with_extension("new");
        storage::remove_folder(&draft)?;
        fs::create_dir_all(&draft).map_err(Error::io("create", &draft))?;
        guard("create the index", &draft, || {
            let settings =
                IndexSettings { docstore_compression: Compressor::Lz4, ..IndexSettings::default() };
            Index::create(DurableDirectory::open(&draft, true)?, Fields::schema(), settings)
        })?;
        Marker::of(language).write(&draft)?;
        Ok(draft)
    }

    /// Opens the index in the folder `path` for reading and writing.
    ///
    /// # Errors
    /// [`Error::Lexical`] when an earlier version of retune made it: see
    /// [`open_for_writing`](LexicalIndex::open_for_writing).
    pub(crate) fn open(path: &Path) -> Result<LexicalIndex> {
        let marker = Marker::read(path)?;
        marker.must_be_current(path)?;
        LexicalIndex::open_marked(path, &marker)
    }

    /// Opens an index of any version. One of an earlier version can list its chunks, but not be searched.
    pub(super) fn open_marked(path: &Path, marker: &Marker) -> Result<LexicalIndex> {
        let analyzer = Analyzer::new(marker.language);
        let (directory, index, reader, fields) = guard("open", path, || {
            let directory = DurableDirectory::open(path, marker.has_checksums())?;
            let index = Index::open(directory.clone())?;
            index.tokenizers().register(ANALYZER, analyzer.for_indexing());
            let fields = Fields::of(&index.schema())?;
            let reader = index
                .reader_builder()
                .reload_policy(ReloadPolicy::Manual)
                .doc_store_cache_num_blocks(STORE_CACHE_BLOCKS)
                .try_into()?;
            Ok((directory, index, reader, fields))
        })?;
        let opened = LexicalIndex {
            path: path.to_path_buf(),
            language: marker.language,
            directory,
            index,
            reader,
            fields,
            analyzer,
            newest: Mutex::default(),
        };
        opened.snapshot()?;
        Ok(opened)
    }

    /// The language fixed at creation.
    #[cfg(test)]
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the only writer, with [`LexicalWriter::DEFAULT_HEAP_BYTES`] of memory.
    ///
    /// # Errors
    /// [`Error::Locked`] while another writer exists.
    pub(crate) fn writer(&self) -> Result<LexicalWriter> {
        self.writer_with_heap(LexicalWriter::DEFAULT_HEAP_BYTES)
    }

    /// Opens the only writer, with about `heap_bytes` of memory for chunks that are not on disk yet.
    pub(crate) fn writer_with_heap(&self, heap_bytes: usize) -> Result<LexicalWriter> {
        LexicalWriter::open(&self.index, self.language, self.fields, &self.path, heap_bytes)
    }

    /// A snapshot of the latest commit of any process. Cheap if nothing was committed since the last call.
    pub(crate) fn snapshot(&self) -> Result<LexicalSnapshot> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before =
            Version::of(&guard("read the latest commit", &self.path, || self.index.load_metas())?);
        loop {
            if let Some((version, snapshot)) = newest.as_ref()
                && *version == before
            {
                return Ok(snapshot.clone());
            }
            let (searcher, meta) = guard("open the latest commit", &self.path, || {
                self.reader.reload()?;
                let searcher = self.reader.searcher();
                for segment in searcher.segment_readers() {
                    self.directory.refusal(&segment.segment_id().uuid_string())?;
                }
                Ok((searcher, self.index.load_metas()?))
            })?;
            let after = Version::of(&meta);
            // Another process may commit between these steps, but payload and searcher must be of one commit.
            if before.same_commit(&after) {
                let payload = meta.payload.unwrap_or_default();
                let snapshot = LexicalSnapshot::new(
                    &self.path,
                    searcher,
                    self.fields,
                    &self.analyzer,
                    payload,
                    meta.opstamp,
                )?;
                *newest = Some((after, snapshot.clone()));
                return Ok(snapshot);
            }
            before = after;
        }
    }

    /// The payload of the latest commit; empty before the first commit.
    pub(crate) fn payload(&self) -> Result<String> {
        let meta = guard("read the latest commit", &self.path, || self.index.load_metas())?;
        Ok(meta.payload.unwrap_or_default())
    }

    /// Reads every file of the latest commit and returns those with a wrong checksum.
    pub(crate) fn damaged_files(&self) -> Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> =
            guard("verify the checksums", &self.path, || self.index.validate_checksum())?
                .into_iter()
                .collect();
        files.sort();
        Ok(files)
    }
}

impl std::fmt::Debug for LexicalIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LexicalIndex").field("path", &self.path).field("language", &self.language).finish()
    }
}
