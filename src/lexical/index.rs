use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tantivy::store::Compressor;
use tantivy::{Index, IndexMeta, IndexReader, IndexSettings, ReloadPolicy};

use super::analysis::Analyzer;
use super::directory::DurableDirectory;
use super::failure::{REMEDY, damaged, guard};
use super::language::Language;
use super::schema::{ANALYZER, Fields};
use super::snapshot::LexicalSnapshot;
use super::writer::LexicalWriter;
use crate::error::{Error, Result};
use crate::storage;

/// The version of the schema and of the text analysis: either changed means that the documents are indexed again.
const VERSION: u32 = 1;
const MARKER: &str = "retune-lexical.json";
const KIND: &str = "lexical";

/// Decompressed blocks of stored chunks kept per segment, 16 KiB each.
const STORE_CACHE_BLOCKS: usize = 64;

/// What was fixed when the index was created.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    language: Language,
}

/// A lexical index on disk: gives out one writer and any number of snapshots. Any number of processes may have it open.
pub(crate) struct LexicalIndex {
    path: PathBuf,
    language: Language,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    analyzer: Analyzer,
    /// The newest snapshot given out. Its lock also keeps two reloads from overtaking each other.
    newest: Mutex<Option<(Version, LexicalSnapshot)>>,
}

/// Tells commits apart. The opstamp alone does not: it starts over when a writer is opened or rolled back.
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

    /// Merges change the segments, not what is in them.
    fn same_commit(&self, other: &Version) -> bool {
        (self.opstamp, &self.payload) == (other.opstamp, &other.payload)
    }
}

impl LexicalIndex {
    /// Creates an empty index in the folder `path`, which must not exist yet. It appears whole or not at all.
    pub(crate) fn create(path: &Path, language: Language) -> Result<LexicalIndex> {
        if path.exists() {
            let found = format!("{}, which exists", path.display());
            return Err(Error::invalid(
                "the folder for a new lexical index",
                found,
                "a folder that does not exist",
            ));
        }
        let draft = path.with_extension("new");
        storage::remove_folder(&draft)?;
        fs::create_dir_all(&draft).map_err(Error::io("create", &draft))?;
        guard("create the index", &draft, || {
            let settings =
                IndexSettings { docstore_compression: Compressor::Lz4, ..IndexSettings::default() };
            Index::create(DurableDirectory::open(&draft)?, Fields::schema(), settings)
        })?;
        storage::write_envelope(&draft.join(MARKER), KIND, VERSION, &Marker { language })?;
        storage::publish_folder(&draft, path)?;
        LexicalIndex::open(path)
    }

    /// Opens the index in the folder `path`, to read, to write, or both.
    pub(crate) fn open(path: &Path) -> Result<LexicalIndex> {
        if !path.is_dir() {
            return Err(Error::NotFound {
                what: "lexical index",
                id: path.display().to_string(),
                remedy: "index the documents again; what was learnt stays",
            });
        }
        let marker: Option<Marker> = storage::read_envelope(&path.join(MARKER), KIND, VERSION)
            .map_err(|error| error.with_remedy(REMEDY))?;
        let language = marker.ok_or_else(|| damaged("open", path, format!("{MARKER} is missing")))?.language;
        let analyzer = Analyzer::new(language);
        let (index, reader, fields) = guard("open", path, || {
            let index = Index::open(DurableDirectory::open(path)?)?;
            index.tokenizers().register(ANALYZER, analyzer.for_indexing());
            let fields = Fields::of(&index.schema())?;
            let reader = index
                .reader_builder()
                .reload_policy(ReloadPolicy::Manual)
                .doc_store_cache_num_blocks(STORE_CACHE_BLOCKS)
                .try_into()?;
            Ok((index, reader, fields))
        })?;
        let opened = LexicalIndex {
            path: path.to_path_buf(),
            language,
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

    /// The one writer, with [`LexicalWriter::DEFAULT_HEAP_BYTES`] of memory. [`Error::Locked`] while another exists.
    pub(crate) fn writer(&self) -> Result<LexicalWriter> {
        self.writer_with_heap(LexicalWriter::DEFAULT_HEAP_BYTES)
    }

    /// The one writer, with at most about `heap_bytes` of memory for chunks that are not yet on disk.
    pub(crate) fn writer_with_heap(&self, heap_bytes: usize) -> Result<LexicalWriter> {
        LexicalWriter::open(&self.index, self.fields, &self.path, heap_bytes)
    }

    /// The index as of the latest commit of any process; unchanged by later ones. Cheap while nothing was committed.
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
                Ok((self.reader.searcher(), self.index.load_metas()?))
            })?;
            let after = Version::of(&meta);
            // Another process may commit between the three steps: the payload must be that of the searcher.
            if before.same_commit(&after) {
                let payload = meta.payload.unwrap_or_default();
                let snapshot = LexicalSnapshot::new(
                    &self.path,
                    searcher,
                    self.fields,
                    self.analyzer.clone(),
                    payload,
                    meta.opstamp,
                )?;
                *newest = Some((after, snapshot.clone()));
                return Ok(snapshot);
            }
            before = after;
        }
    }

    /// The payload of the latest commit; empty before the first.
    pub(crate) fn payload(&self) -> Result<String> {
        let meta = guard("read the latest commit", &self.path, || self.index.load_metas())?;
        Ok(meta.payload.unwrap_or_default())
    }

    /// Reads every file of the latest commit and names those whose checksum is wrong.
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
