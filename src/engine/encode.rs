//! Giving vectors to chunks that were committed without them.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::Engine;
use super::unfinished::Pace;
use crate::error::{Error, Result};
use crate::ids::ChunkId;
use crate::lexical::ChunkRecord;
use crate::search::Snapshot;

/// Chunks that int8 is calibrated with.
const SAMPLE: usize = 256;

impl Engine {
    /// Gives a vector to every chunk that was committed without one: first to those of documents that searches have
    /// just found, then to those of the files that were changed last. Each step takes about two seconds and is durable;
    /// searches and changes go on meanwhile. `progress` gets how many chunks of how many were given their vectors after
    /// each step, and may break. Returns how many were encoded: chunks with the same text share a vector.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `progress` breaks: what was encoded stays.
    pub fn encode_pending(&self, progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>) -> Result<usize> {
        const DOING: &str = "encode chunks";
        drop(self.lock_writer(DOING)?);
        let _turn = self.inner.encoding.turn();
        let (mut done, mut encoded, mut pace) = (0, 0, Pace::default());
        loop {
            let snapshot = self.inner.snapshot.load_full();
            let missing = snapshot.pinned.dense.missing();
            if missing.is_empty() {
                break;
            }
            self.calibrate(&snapshot)?;
            let next = self.next_to_encode(&snapshot, pace.texts())?;
            let started = Instant::now();
            let step = self.encode_step(&snapshot, &next)?;
            pace.measured(step.encoded, started.elapsed());
            encoded += step.encoded;
            done += step.covered;
            let left = missing.len().saturating_sub(step.covered);
            if progress(done, done + left).is_break() {
                return Err(Error::Cancelled { doing: "encoding the chunks" });
            }
        }
        self.settle()?;
        Ok(encoded)
    }

    /// Records that nothing is pending.
    pub(super) fn settle(&self) -> Result<()> {
        let mut writer = self.lock_writer("encode chunks")?;
        let lexical = self.inner.lexical.snapshot()?;
        writer.get()?.settle(&lexical)?;
        self.refresh_from(&mut writer)
    }

    /// The next `count` chunks, or all if there are fewer.
    fn next_to_encode(&self, snapshot: &Snapshot, count: usize) -> Result<Vec<ChunkId>> {
        let missing = snapshot.pinned.dense.missing();
        let (mut next, mut seen) = (Vec::new(), HashSet::new());
        while next.len() < count {
            let Some(document) = self.inner.encoding.next() else { break };
            let mut pending = snapshot.lexical.chunk_ids_of(&document)?;
            pending.retain(|chunk| missing.binary_search(chunk).is_ok() && !seen.contains(chunk));
            let room = count - next.len();
            if pending.len() > room {
                pending.truncate(room);
                self.inner.encoding.go_on_with(document);
            }
            seen.extend(pending.iter().copied());
            next.extend(pending);
        }
        // Those that nobody has ordered: what was added last.
        let others = missing.iter().rev().copied().filter(|&chunk| seen.insert(chunk));
        let lacking = count.saturating_sub(next.len());
        next.extend(others.take(lacking));
        Ok(next)
    }

    fn calibrate(&self, snapshot: &Snapshot) -> Result<()> {
        let generation = &snapshot.pinned.generation;
        if !generation.encoder()?.wants_calibration() {
            return Ok(());
        }
        let missing = snapshot.pinned.dense.missing();
        let sample = missing.iter().step_by(missing.len().div_ceil(SAMPLE).max(1));
        let records = sample.map(|&chunk| snapshot.lexical.get(chunk)).collect::<Result<Vec<_>>>()?;
        let texts: Vec<String> = records.iter().flatten().map(ChunkRecord::encoder_text).collect();
        generation.calibrate(&texts)
    }

    fn encode_step(&self, snapshot: &Snapshot, chunks: &[ChunkId]) -> Result<Step> {
        let dense = &snapshot.pinned.dense;
        let (mut texts, mut owners): (Vec<String>, Vec<Vec<ChunkId>>) = Default::default();
        let (mut seen, mut known) = (HashSet::new(), Vec::new());
        for &chunk in chunks {
            let Some(record) = snapshot.lexical.get(chunk)? else { continue };
            if !seen.insert(record.chunk_digest) {
                continue;
            }
            let mut same = snapshot.lexical.chunks_with_text(&record.chunk_digest)?;
            let vector = same.iter().find_map(|&other| dense.vector(other));
            same.retain(|other| dense.missing().binary_search(other).is_ok());
            // Those of an earlier version are not found by their text.
            if !same.contains(&chunk) {
                same.push(chunk);
            }
            match vector {
                Some(vector) => known.push((same, vector)),
                None => {
                    texts.push(record.encoder_text());
                    owners.push(same);
                }
            }
        }
        let (vectors, encoded) = self.encode_texts(snapshot, &texts)?;
        known.extend(owners.into_iter().zip(vectors));
        let rows =
            known.iter().flat_map(|(chunks, vector)| chunks.iter().map(move |&id| (id, vector.as_slice())));
        let rows: Vec<(ChunkId, &[f32])> = rows.collect();
        let mut writer = self.lock_writer("encode chunks")?;
        let serving = Arc::clone(&self.inner.snapshot.load().pinned.generation);
        if serving.meta.id != snapshot.pinned.generation.meta.id {
            // Another encoder's by now, perhaps. What it lacks is encoded by the next step.
            return Ok(Step { covered: 0, encoded });
        }
        let dense = &mut writer.get()?.dense;
        dense.append(&rows)?;
        dense.sync()?;
        self.refresh_from(&mut writer)?;
        Ok(Step { covered: rows.len(), encoded })
    }

    /// The vectors of texts, and how many had to be encoded. Doesn't hold the writer meanwhile.
    fn encode_texts(&self, snapshot: &Snapshot, texts: &[String]) -> Result<(Vec<Vec<f32>>, usize)> {
        let encoder = snapshot.pinned.generation.encoder()?;
        let kept = self.lock_writer("encode chunks")?.get()?.embeddings.take();
        let Some(mut kept) = kept else { return Ok((encoder.encode(texts)?, texts.len())) };
        let vectors = kept.encode(encoder, texts);
        self.lock_writer("encode chunks")?.get()?.embeddings = Some(kept);
        vectors
    }
}

/// What a step did.
struct Step {
    /// Chunks that have vectors now.
    covered: usize,
    /// Texts that were encoded for them.
    encoded: usize,
}
