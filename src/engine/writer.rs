//! The one writer of an index: encode → append vectors → commit the lexical index, or commit first and encode later.
//!
//! The lexical commit is the moment at which a change exists. A chunk that is committed has its vector, durable before
//! the commit, or the commit says that it has none yet. Vectors of a change that never committed belong to no live
//! chunk and are never seen. Chunk ids are not used twice, not even those, so a stray vector can't come to stand for
//! another text.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Instant;

use super::commit::CommitPayload;
use super::document::AddReport;
use super::embeddings::Embeddings;
use super::namesakes::Namesakes;
use super::prepared::Prepared;
use super::unfinished::{Pace, Unfinished};
use crate::dense::DenseIndex;
use crate::error::{Error, Result};
use crate::generation::Generation;
use crate::ids::{ChunkId, Digest};
use crate::lexical::{ChunkRecord, LexicalIndex, LexicalSnapshot, LexicalWriter};
use crate::storage::WriterLock;

/// Chunks that are collected before any of them is encoded.
const ENCODE_BATCH: usize = 128;

/// Everything that may only exist once.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) lexical: LexicalWriter,
    pub(super) dense: DenseIndex,
    pub(super) next_chunk: u64,
    /// Chunks that were committed without a vector, ascending. Some may have one by now, or be gone.
    pub(super) pending: Vec<ChunkId>,
    /// Kept by the user, from one index to the next.
    pub(super) embeddings: Option<Embeddings>,
    pub(super) unfinished: Unfinished,
    pub(super) pace: Pace,
    pub(super) _lock: WriterLock,
}

/// Is told how many more chunks are done.
pub(super) type Progress<'a> = dyn FnMut(usize) -> ControlFlow<()> + 'a;

/// What the last commit says, with the first chunk id that neither a commit nor a stray vector has used.
pub(super) fn last_commit(lexical: &LexicalIndex, highest_vector: Option<ChunkId>) -> Result<CommitPayload> {
    let mut commit = CommitPayload::parse(&lexical.payload()?, lexical.path())?;
    commit.next_chunk = commit.next_chunk.max(highest_vector.map_or(0, |id| id.0 + 1));
    Ok(commit)
}

/// When chunks get their vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vectors {
    /// Before the commit.
    Now,
    /// Some time after it, unless the index has the same text already.
    Later,
}

/// A change that is not committed yet.
#[derive(Default)]
struct Staged {
    report: AddReport,
    /// Chunks whose vectors come later, ascending.
    later: Vec<ChunkId>,
    /// To be encoded next.
    waiting: Vec<ChunkRecord>,
    /// The chunk that got the vector of a text, by the text.
    fresh: HashMap<Digest, ChunkId>,
    /// Chunks with the text of another that is new too: `(chunk, other)`.
    twins: Vec<(ChunkId, ChunkId)>,
}

impl Writer {
    /// Replaces the given documents in one commit: after a crash all of them are there or none, and what was encoded
    /// of them is taken up when they are given again. `progress` is told how many chunks were given their vectors since
    /// the last call, and may cancel.
    pub(super) fn replace(
        &mut self,
        generation: &Generation,
        before: &LexicalSnapshot,
        documents: Vec<Prepared>,
        vectors: Vectors,
        progress: &mut Progress<'_>,
    ) -> Result<AddReport> {
        let staged = self.stage(generation, before, documents, vectors, progress);
        let result = staged.and_then(|Staged { mut report, later, .. }| {
            report.chunks_pending = later.len();
            self.dense.sync()?;
            self.commit(later)?;
            Ok(report)
        });
        self.or_roll_back(result)
    }

    /// Replaces documents by the same chunks with other metadata, in one commit. `records` are all chunks of each.
    pub(super) fn rewrite(&mut self, records: &[ChunkRecord]) -> Result<()> {
        for record in records.iter().filter(|record| record.ordinal == 0) {
            self.lexical.delete_document(&record.document);
        }
        let result = records.iter().try_for_each(|record| self.lexical.add(record));
        let result = result.and_then(|()| self.commit(Vec::new()));
        self.or_roll_back(result)
    }

    /// Removes the given documents in one commit.
    pub(super) fn remove(&mut self, documents: &[String]) -> Result<()> {
        documents.iter().for_each(|id| self.lexical.delete_document(id));
        let result = self.commit(Vec::new());
        self.or_roll_back(result)
    }

    /// Records which chunks have no vector yet, if the last commit says that more have none.
    pub(super) fn settle(&mut self, live: &LexicalSnapshot) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = self.dense.view(&self.pending)?.missing().to_vec();
        let pending: Vec<ChunkId> = pending.into_iter().filter(|&chunk| live.is_live(chunk)).collect();
        if pending.len() == self.pending.len() {
            return Ok(());
        }
        self.pending = pending;
        let result = self.commit(Vec::new());
        self.or_roll_back(result)
    }

    /// Releases the index when background merges are done.
    pub(super) fn close(self) -> Result<()> {
        self.dense.sync()?;
        self.lexical.close()
    }

    /// Forgets what was staged and not committed: after a panic in the middle of a change.
    pub(super) fn roll_back(&mut self) -> Result<()> {
        self.lexical.rollback()
    }

    fn or_roll_back<T>(&mut self, result: Result<T>) -> Result<T> {
        if result.is_err()
            && let Err(error) = self.roll_back()
        {
            tracing::error!(%error, "could not roll back a failed change");
        }
        result
    }

    /// Commits what is staged. `later` are its chunks without vectors.
    fn commit(&mut self, later: Vec<ChunkId>) -> Result<()> {
        let mut pending = self.dense.view(&self.pending)?.missing().to_vec();
        pending.extend(later);
        let ranges = pending.iter().copied().collect();
        self.lexical.commit(&CommitPayload { next_chunk: self.next_chunk, pending: ranges }.text())?;
        self.pending = pending;
        Ok(())
    }

    fn stage(
        &mut self,
        generation: &Generation,
        before: &LexicalSnapshot,
        documents: Vec<Prepared>,
        vectors: Vectors,
        progress: &mut Progress<'_>,
    ) -> Result<Staged> {
        let report = AddReport { documents: documents.len(), ..AddReport::default() };
        let mut staged = Staged { report, ..Staged::default() };
        for document in documents {
            let mut old: HashMap<Digest, Vec<ChunkId>> = HashMap::new();
            for chunk in before.chunks_of(&document.id)? {
                old.entry(chunk.chunk_digest).or_default().push(chunk.chunk);
            }
            let namesakes = Namesakes::of(before, &document)?;
            self.lexical.delete_document(&document.id);
            let (parts, chunks) = document.into_parts();
            for (ordinal, chunk) in chunks.into_iter().enumerate() {
                let kept = old.get_mut(&chunk.digest).and_then(Vec::pop);
                let same = namesakes.of_chunk(ordinal, &chunk);
                let id = kept.unwrap_or_else(|| self.take_id());
                let record = parts.record(id, ordinal, chunk);
                self.lexical.add(&record)?;
                let known = Known { kept: kept.is_some(), same };
                self.stage_vector(before, record, known, vectors, &mut staged)?;
                if staged.waiting.len() == ENCODE_BATCH {
                    self.encode_waiting(generation, &mut staged, progress)?;
                }
            }
        }
        self.encode_waiting(generation, &mut staged, progress)?;
        for &(chunk, other) in &staged.twins {
            if let Some(vector) = self.dense.view(&[other])?.vector(other) {
                self.dense.append(&[(chunk, &vector)])?;
            }
        }
        Ok(staged)
    }

    /// Decides where the vector of a chunk comes from.
    fn stage_vector(
        &mut self,
        before: &LexicalSnapshot,
        record: ChunkRecord,
        known: Known,
        vectors: Vectors,
        staged: &mut Staged,
    ) -> Result<()> {
        let (id, digest) = (record.chunk, record.chunk_digest);
        if known.kept && (vectors == Vectors::Later || self.pending.binary_search(&id).is_err()) {
            staged.report.chunks_kept += 1;
        } else if let Some(vector) = self.vector_of_text(before, &digest)?.or(self.vector_of(known.same)?) {
            self.dense.append(&[(id, &vector)])?;
            staged.report.chunks_kept += 1;
        } else if vectors == Vectors::Later {
            staged.later.push(id);
        } else if let Some(&other) = staged.fresh.get(&digest) {
            staged.twins.push((id, other));
            staged.report.chunks_kept += 1;
        } else {
            staged.fresh.insert(digest, id);
            staged.waiting.push(record);
        }
        Ok(())
    }

    fn vector_of(&self, chunk: Option<ChunkId>) -> Result<Option<Vec<f32>>> {
        let Some(chunk) = chunk else { return Ok(None) };
        Ok(self.dense.view(&[chunk])?.vector(chunk))
    }

    /// The vector of a text, wherever in the index it stands.
    pub(super) fn vector_of_text(
        &self,
        chunks: &LexicalSnapshot,
        digest: &Digest,
    ) -> Result<Option<Vec<f32>>> {
        let same = chunks.chunks_with_text(digest)?;
        let view = self.dense.view(&same)?;
        Ok(same.into_iter().find_map(|chunk| view.vector(chunk)))
    }

    /// Appends the vectors of the chunks that wait for them.
    fn encode_waiting(
        &mut self,
        generation: &Generation,
        staged: &mut Staged,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let records = std::mem::take(&mut staged.waiting);
        if records.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = records.iter().map(ChunkRecord::encoder_text).collect();
        generation.calibrate(&texts)?;
        let mut done = 0;
        while done < texts.len() {
            let part = done..texts.len().min(done + self.pace.texts());
            let started = Instant::now();
            let made = self.append_vectors(generation, &records[part.clone()], &texts[part.clone()])?;
            self.pace.measured(made, started.elapsed());
            staged.report.chunks_encoded += made;
            done = part.end;
            if progress(part.len()).is_break() {
                return Err(Error::Cancelled { doing: "adding documents" });
            }
        }
        Ok(())
    }

    fn append_vectors(
        &mut self,
        generation: &Generation,
        records: &[ChunkRecord],
        texts: &[String],
    ) -> Result<usize> {
        let (vectors, encoded) = match &mut self.embeddings {
            Some(embeddings) => embeddings.encode(generation.encoder()?, texts)?,
            None => self.unfinished.encode(generation, texts)?,
        };
        let ids = records.iter().map(|record| record.chunk);
        let rows: Vec<(ChunkId, &[f32])> = ids.zip(vectors.iter().map(Vec::as_slice)).collect();
        self.dense.append(&rows)?;
        Ok(encoded)
    }

    fn take_id(&mut self) -> ChunkId {
        self.next_chunk += 1;
        ChunkId(self.next_chunk - 1)
    }
}

/// What the index has of a chunk that is staged.
#[derive(Clone, Copy)]
struct Known {
    /// Whether it is the same chunk: it has its vector, unless it is pending itself.
    kept: bool,
    /// The same passage in a file of another name: its vector is taken, though the title may have been that name.
    same: Option<ChunkId>,
}
