//! Snapshots of the index.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tantivy::columnar::Column;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocId, DocSet, Searcher, SegmentReader, TERMINATED, TantivyDocument, Term};

use super::analysis::Analyzer;
use super::facts::text_term;
use super::failure::{damaged, guard};
#[cfg(feature = "opensearch")]
use super::language::Language;
use super::languages::Analyzers;
use super::numbering::Numbering;
use super::schema::{CHUNK, ChunkRecord, Fields};
use crate::error::Result;
use crate::ids::{ChunkId, Digest};

/// The index as of one commit. Later commits and merges do not change it. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct LexicalSnapshot {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    searcher: Searcher,
    fields: Fields,
    analyzers: Analyzers,
    /// The chunk ids of each segment.
    chunks: Vec<Column<u64>>,
    /// The address of every live chunk, ascending by id.
    places: Vec<(ChunkId, DocAddress)>,
    /// Made when it is first asked for.
    numbering: OnceLock<Numbering>,
    payload: String,
    opstamp: u64,
}

impl LexicalSnapshot {
    pub(super) fn new(
        path: &Path,
        searcher: Searcher,
        fields: Fields,
        analyzer: &Analyzer,
        payload: String,
        opstamp: u64,
    ) -> Result<LexicalSnapshot> {
        let chunks: Vec<Column<u64>> = guard("open the latest commit", path, || {
            searcher.segment_readers().iter().map(|segment| segment.fast_fields().u64(CHUNK)).collect()
        })?;
        let analyzers = guard("open the latest commit", path, || {
            Analyzers::of(analyzer, searcher.segment_readers(), &fields)
        })?;
        let places = places(path, &searcher, &chunks)?;
        let path = path.to_path_buf();
        Ok(LexicalSnapshot {
            inner: Arc::new(Inner {
                path,
                searcher,
                fields,
                analyzers,
                chunks,
                places,
                numbering: OnceLock::new(),
                payload,
                opstamp,
            }),
        })
    }

    /// The payload of the commit; empty before the first commit.
    #[cfg(test)]
    pub(crate) fn payload(&self) -> &str {
        &self.inner.payload
    }

    /// The number of live chunks.
    pub(crate) fn chunk_count(&self) -> u64 {
        self.inner.searcher.num_docs()
    }

    /// The chunk with this id.
    pub(crate) fn get(&self, chunk: ChunkId) -> Result<Option<ChunkRecord>> {
        self.place(chunk).map(|address| self.fetch(address)).transpose()
    }

    /// Whether there is a chunk with this id.
    pub(crate) fn is_live(&self, chunk: ChunkId) -> bool {
        self.place(chunk).is_some()
    }

    /// The ids of a document's chunks, ascending. Reads no text.
    pub(crate) fn chunk_ids_of(&self, document: &str) -> Result<Vec<ChunkId>> {
        self.ids_of_term(&Term::from_field_text(self.inner.fields.document, document))
    }

    /// The chunks of a document in their order. Empty if the document does not exist.
    pub(crate) fn chunks_of(&self, document: &str) -> Result<Vec<ChunkRecord>> {
        let term = Term::from_field_text(self.inner.fields.document, document);
        let found = self.find_term("look up a document", &term)?;
        let mut records = found.into_iter().map(|address| self.fetch(address)).collect::<Result<Vec<_>>>()?;
        records.sort_by_key(|record| (record.ordinal, record.chunk));
        Ok(records)
    }

    /// One of the chunks of a document; `None` if the document does not exist.
    pub(crate) fn first_chunk_of(&self, document: &str) -> Result<Option<ChunkRecord>> {
        let term = Term::from_field_text(self.inner.fields.document, document);
        let first = self.find_term("look up a document", &term)?.into_iter().next();
        first.map(|address| self.fetch(address)).transpose()
    }

    /// The digest with which a document was indexed; `None` if the document does not exist.
    pub(crate) fn document_digest(&self, document: &str) -> Result<Option<Digest>> {
        Ok(self.first_chunk_of(document)?.map(|record| record.document_digest))
    }

    /// The live chunks with this digest, in whatever documents, ascending. Those that an earlier version of retune
    /// added are not found.
    pub(crate) fn chunks_with_text(&self, digest: &Digest) -> Result<Vec<ChunkId>> {
        self.ids_of_term(&Term::from_field_text(self.inner.fields.facts, &text_term(digest)))
    }

    fn ids_of_term(&self, term: &Term) -> Result<Vec<ChunkId>> {
        let found = self.find_term("look up chunks", term)?;
        let ids = found
            .iter()
            .filter_map(|place| self.chunk_column(place.segment_ord as usize).first(place.doc_id));
        let mut ids: Vec<ChunkId> = ids.map(ChunkId).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The ids of all chunks, ascending.
    pub(crate) fn live_chunks(&self) -> Vec<ChunkId> {
        self.inner.places.iter().map(|&(chunk, _)| chunk).collect()
    }

    /// Calls `visit` with every chunk in ascending order of id, until it returns an error. Holds one record and a few
    /// decompressed blocks in memory.
    pub(super) fn all_chunks(&self, visit: &mut dyn FnMut(ChunkRecord) -> Result<()>) -> Result<()> {
        self.inner.places.iter().try_for_each(|&(_, address)| visit(self.fetch(address)?))
    }

    /// The languages that chunks have instead of the index's own.
    #[cfg(feature = "opensearch")]
    pub(crate) fn other_languages(&self) -> Vec<Language> {
        self.analyzers().others().collect()
    }

    pub(super) fn segments(&self) -> &[SegmentReader] {
        self.inner.searcher.segment_readers()
    }

    pub(super) fn searcher(&self) -> &Searcher {
        &self.inner.searcher
    }

    /// The number of chunks in the statistics, deleted ones included.
    pub(super) fn held(&self) -> u64 {
        self.segments().iter().map(|segment| u64::from(segment.max_doc())).sum()
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.inner.fields
    }

    pub(super) fn analyzers(&self) -> &Analyzers {
        &self.inner.analyzers
    }

    /// The chunk ids of a segment.
    pub(super) fn chunk_column(&self, segment: usize) -> &Column<u64> {
        &self.inner.chunks[segment]
    }

    /// Runs `f` in [`guard`] with this index's folder.
    pub(super) fn guarded<T>(
        &self,
        doing: &'static str,
        f: impl FnOnce() -> tantivy::Result<T>,
    ) -> Result<T> {
        guard(doing, &self.inner.path, f)
    }

    /// The address of the live chunk with this id.
    pub(super) fn place(&self, chunk: ChunkId) -> Option<DocAddress> {
        let places = &self.inner.places;
        places.binary_search_by_key(&chunk, |&(id, _)| id).ok().map(|at| places[at].1)
    }

    /// The documents by number.
    pub(super) fn numbering(&self) -> Result<&Numbering> {
        if let Some(numbering) = self.inner.numbering.get() {
            return Ok(numbering);
        }
        let made = self.guarded("number the documents", || Numbering::of(self.segments()))?;
        Ok(self.inner.numbering.get_or_init(|| made))
    }

    pub(super) fn fetch(&self, address: DocAddress) -> Result<ChunkRecord> {
        let packed =
            self.guarded("read a stored chunk", || self.inner.searcher.doc::<TantivyDocument>(address))?;
        self.inner.fields.unpack(&packed, &self.inner.path)
    }

    fn find_term(&self, doing: &'static str, term: &Term) -> Result<Vec<DocAddress>> {
        self.guarded(doing, || {
            let mut found = Vec::new();
            for (ord, segment) in (0..).zip(self.segments()) {
                alive_docs(segment, term, |doc| found.push(DocAddress::new(ord, doc)))?;
            }
            Ok(found)
        })
    }
}

/// The address of every live chunk, ascending by id.
fn places(path: &Path, searcher: &Searcher, chunks: &[Column<u64>]) -> Result<Vec<(ChunkId, DocAddress)>> {
    const DOING: &str = "list the chunks";
    let mut all = guard(DOING, path, || {
        let mut all = Vec::with_capacity(searcher.num_docs() as usize);
        for (ord, (segment, column)) in (0..).zip(searcher.segment_readers().iter().zip(chunks)) {
            let docs = segment.doc_ids_alive();
            all.extend(docs.filter_map(|doc| Some((ChunkId(column.first(doc)?), DocAddress::new(ord, doc)))));
        }
        Ok(all)
    })?;
    if all.len() as u64 != searcher.num_docs() {
        return Err(damaged(DOING, path, "some chunks have no id"));
    }
    all.sort_unstable();
    Ok(all)
}

fn alive_docs(segment: &SegmentReader, term: &Term, mut visit: impl FnMut(DocId)) -> tantivy::Result<()> {
    let index = segment.inverted_index(term.field())?;
    if let Some(mut postings) = index.read_postings(term, IndexRecordOption::Basic)? {
        let mut doc = postings.doc();
        while doc != TERMINATED {
            if !segment.is_deleted(doc) {
                visit(doc);
            }
            doc = postings.advance();
        }
    }
    Ok(())
}

impl std::fmt::Debug for LexicalSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LexicalSnapshot")
            .field("path", &self.inner.path)
            .field("opstamp", &self.inner.opstamp)
            .field("payload", &self.inner.payload)
            .field("chunks", &self.chunk_count())
            .finish()
    }
}
