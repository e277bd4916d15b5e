//! The one writer of an index: encode → append vectors → commit the lexical index.
//!
//! The lexical commit is the moment at which a change exists. Vectors are durable before it; those of a change that
//! never committed belong to no live chunk and are never seen. Chunk ids are not used twice, not even those, so a
//! stray vector can't come to stand for another text.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use super::document::{AddReport, Prepared};
use super::embeddings::Embeddings;
use super::unfinished::{Pace, Unfinished};
use crate::dense::DenseIndex;
use crate::error::{Error, Result};
use crate::generation::Generation;
use crate::ids::{ChunkId, Digest};
use crate::lexical::{ChunkRecord, LexicalIndex, LexicalSnapshot, LexicalWriter, REMEDY};
use crate::storage::WriterLock;

/// Chunks that are collected before any of them is encoded.
const ENCODE_BATCH: usize = 128;

/// Everything that may only exist once.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) lexical: LexicalWriter,
    pub(super) dense: DenseIndex,
    pub(super) next_chunk: u64,
    /// Kept by the user, from one index to the next.
    pub(super) embeddings: Option<Embeddings>,
    pub(super) unfinished: Unfinished,
    pub(super) pace: Pace,
    pub(super) _lock: WriterLock,
}

/// Is told how many more chunks are done.
pub(super) type Progress<'a> = dyn FnMut(usize) -> ControlFlow<()> + 'a;

/// Stored with every lexical commit: `next_chunk crc32`. In a lexical index of version 1 it has no other checksum.
struct CommitPayload {
    next_chunk: u64,
}

impl CommitPayload {
    fn text(&self) -> String {
        let number = self.next_chunk.to_string();
        format!("{number} {:08x}", crc32fast::hash(number.as_bytes()))
    }

    fn parse(text: &str, path: &Path) -> Result<CommitPayload> {
        let next_chunk = text.split(' ').next().and_then(|number| number.parse().ok());
        let parsed = next_chunk.map(|next_chunk| CommitPayload { next_chunk });
        parsed.filter(|payload| payload.text() == text).ok_or_else(|| Error::Damaged {
            path: path.join("meta.json"),
            found: format!("the payload {text:?}"),
            expected: "a number with its checksum".into(),
            remedy: REMEDY,
        })
    }
}

/// The first chunk id that no commit and no stray vector has used.
pub(super) fn next_chunk(lexical: &LexicalIndex, highest_vector: Option<ChunkId>) -> Result<u64> {
    let payload = lexical.payload()?;
    let committed =
        if payload.is_empty() { 0 } else { CommitPayload::parse(&payload, lexical.path())?.next_chunk };
    Ok(committed.max(highest_vector.map_or(0, |id| id.0 + 1)))
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
        progress: &mut Progress<'_>,
    ) -> Result<AddReport> {
        let result = self.stage(generation, before, documents, progress).and_then(|report| {
            self.dense.sync()?;
            self.commit()?;
            Ok(report)
        });
        self.or_roll_back(result)
    }

    /// Removes the given documents in one commit.
    pub(super) fn remove(&mut self, documents: &[String]) -> Result<()> {
        documents.iter().for_each(|id| self.lexical.delete_document(id));
        let result = self.commit();
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

    fn commit(&mut self) -> Result<()> {
        self.lexical.commit(&CommitPayload { next_chunk: self.next_chunk }.text())
    }

    fn stage(
        &mut self,
        generation: &Generation,
        before: &LexicalSnapshot,
        documents: Vec<Prepared>,
        progress: &mut Progress<'_>,
    ) -> Result<AddReport> {
        let mut report = AddReport { documents: documents.len(), ..AddReport::default() };
        let mut pending: Vec<ChunkRecord> = Vec::new();
        for document in documents {
            let mut old: HashMap<Digest, Vec<ChunkId>> = HashMap::new();
            for chunk in before.chunks_of(&document.id)? {
                old.entry(chunk.chunk_digest).or_default().push(chunk.chunk);
            }
            self.lexical.delete_document(&document.id);
            for (ordinal, chunk) in document.chunks.into_iter().enumerate() {
                let kept = old.get_mut(&chunk.digest).and_then(Vec::pop);
                let record = ChunkRecord {
                    chunk: kept.unwrap_or_else(|| self.take_id()),
                    document: document.id.clone(),
                    ordinal: ordinal as u32,
                    title: chunk.title,
                    body: chunk.text,
                    start: chunk.start,
                    end: chunk.end,
                    place: chunk.place,
                    chunk_digest: chunk.digest,
                    document_digest: document.digest,
                    metadata: document.metadata.clone(),
                };
                self.lexical.add(&record)?;
                if kept.is_some() {
                    report.chunks_kept += 1;
                    continue;
                }
                pending.push(record);
                if pending.len() == ENCODE_BATCH {
                    report.chunks_encoded += self.encode(generation, &mut pending, progress)?;
                }
            }
        }
        report.chunks_encoded += self.encode(generation, &mut pending, progress)?;
        Ok(report)
    }

    /// Appends the vectors of chunks. Returns how many had to be encoded for it.
    fn encode(
        &mut self,
        generation: &Generation,
        pending: &mut Vec<ChunkRecord>,
        progress: &mut Progress<'_>,
    ) -> Result<usize> {
        let texts: Vec<String> = pending.iter().map(ChunkRecord::encoder_text).collect();
        generation.calibrate(&texts)?;
        let mut encoded = 0;
        let mut done = 0;
        while done < texts.len() {
            let part = done..texts.len().min(done + self.pace.texts());
            let started = Instant::now();
            let made = self.append_vectors(generation, &pending[part.clone()], &texts[part.clone()])?;
            self.pace.measured(made, started.elapsed());
            encoded += made;
            done = part.end;
            if progress(part.len()).is_break() {
                return Err(Error::Cancelled { doing: "adding documents" });
            }
        }
        pending.clear();
        Ok(encoded)
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
