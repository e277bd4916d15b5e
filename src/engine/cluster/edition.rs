//! What a generation comes to when some of its documents change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::transfer::Vectored;
use crate::dense::as_stored;
use crate::encoder::Encoder;
use crate::engine::prepared::Prepared;
use crate::error::Result;
use crate::ids::{ChunkId, Digest, GenerationId};
use crate::lexical::{Analysis, ChunkRecord, Language, field_names_of, language_of};
use crate::store::opensearch::{Client, ClusterState, Counts, Kept, Manifest};

/// Texts that are encoded together.
const BATCH: usize = 128;
/// Documents that are looked up together.
const DOCUMENTS: usize = 1000;

/// Loads the encoder, if it is not loaded.
pub(super) type Encoding<'e> = &'e dyn Fn() -> Result<Arc<Encoder>>;

/// Called after each batch. Ends the work by an error.
pub(super) type GoesOn<'g> = &'g mut dyn FnMut() -> Result<()>;

/// Vectors of passages as an index of a machine has them, by the digest of their text, of one encoder.
#[derive(Default)]
pub(super) struct Vectors {
    weights: Option<Digest>,
    by_text: HashMap<Digest, Vec<f32>>,
}

impl Vectors {
    /// How many were made.
    pub(super) fn made(&self) -> usize {
        self.by_text.len()
    }

    /// That of a passage, if it was made.
    pub(super) fn of(&self, record: &ChunkRecord) -> Option<Vec<f32>> {
        self.by_text.get(&record.chunk_digest).cloned()
    }

    /// Makes those of the texts that it has not.
    pub(super) fn make(
        &mut self,
        weights: Digest,
        encoder: Encoding<'_>,
        records: &[&ChunkRecord],
        goes_on: GoesOn<'_>,
    ) -> Result<()> {
        if self.weights.replace(weights) != Some(weights) {
            self.by_text.clear();
        }
        let mut seen = HashSet::new();
        let lacking = records.iter().filter(|record| {
            !self.by_text.contains_key(&record.chunk_digest) && seen.insert(record.chunk_digest)
        });
        let (digests, texts): (Vec<Digest>, Vec<String>) =
            lacking.map(|record| (record.chunk_digest, record.encoder_text())).unzip();
        if texts.is_empty() {
            return Ok(());
        }
        let encoder = encoder()?;
        for (digests, texts) in digests.chunks(BATCH).zip(texts.chunks(BATCH)) {
            for (digest, vector) in digests.iter().zip(encoder.encode(texts)?) {
                self.by_text.insert(*digest, as_stored(&vector)?);
            }
            goes_on()?;
        }
        Ok(())
    }
}

/// The next state of a generation's passages.
pub(super) struct Edition {
    pub(super) analysis: Analysis,
    /// Those that are sent.
    pub(super) passages: BTreeMap<ChunkId, Vectored>,
    /// Of these the ones whose id is new.
    pub(super) new: Vec<ChunkId>,
    /// Those that take the place of one with their id.
    pub(super) changed: Vec<ChunkId>,
    /// Those that go.
    pub(super) gone: Vec<ChunkId>,
    /// Documents that change.
    pub(super) documents: usize,
    /// Documents that don't.
    pub(super) unchanged: usize,
    counts: Counts,
    documents_in_all: u64,
    next_chunk: u64,
    fields: BTreeSet<String>,
    other_languages: Vec<Language>,
}

impl Edition {
    /// What `state` comes to with these documents, and without the `removed` ones.
    pub(super) fn of(
        client: &Client,
        state: &ClusterState,
        added: &[Prepared],
        removed: &[String],
    ) -> Result<Edition> {
        let manifest = state.manifest();
        let ids = added.iter().map(|document| &document.id).chain(removed);
        let mut there = there(client, state, &ids.map(String::as_str).collect::<Vec<_>>())?;
        let languages = added.iter().filter_map(|document| language_of(&document.metadata));
        let others = languages.filter(|&language| language != manifest.language);
        let mut others: Vec<Language> = others.chain(manifest.other_languages.iter().copied()).collect();
        others.sort_by_key(|language| language.name());
        others.dedup();
        let mut edition = Edition {
            analysis: Analysis::new(manifest.language, others.iter().copied()),
            passages: BTreeMap::new(),
            new: Vec::new(),
            changed: Vec::new(),
            gone: Vec::new(),
            documents: 0,
            unchanged: 0,
            counts: manifest.counts,
            documents_in_all: manifest.documents,
            next_chunk: manifest.origin.as_ref().map_or(0, |origin| origin.next_chunk),
            fields: manifest.fields.clone(),
            other_languages: others,
        };
        for document in added {
            let old = there.remove(&document.id).unwrap_or_default();
            if old.first().is_some_and(|first| first.record.document_digest == document.digest) {
                edition.unchanged += 1;
                continue;
            }
            edition.replace(document.clone(), old);
        }
        for id in removed {
            match there.remove(id) {
                Some(old) => edition.remove(old),
                None => edition.unchanged += 1,
            }
        }
        edition.changed.sort_unstable();
        edition.gone.sort_unstable();
        Ok(edition)
    }

    fn remove(&mut self, old: Vec<Kept>) {
        self.documents += 1;
        self.documents_in_all = self.documents_in_all.saturating_sub(1);
        self.forget(&old);
        self.gone.extend(old.iter().map(|kept| kept.record.chunk));
    }

    /// Passages whose text stays keep their ids and vectors.
    fn replace(&mut self, document: Prepared, old: Vec<Kept>) {
        self.documents += 1;
        self.documents_in_all += u64::from(old.is_empty());
        self.forget(&old);
        let mut by_text: HashMap<Digest, Vec<Kept>> = HashMap::new();
        for kept in old {
            by_text.entry(kept.record.chunk_digest).or_default().push(kept);
        }
        self.fields.extend(field_names_of(&document.metadata));
        let (parts, chunks) = document.into_parts();
        for (ordinal, chunk) in chunks.into_iter().enumerate() {
            let kept = by_text.get_mut(&chunk.digest).and_then(Vec::pop);
            let (id, vector) = match kept {
                Some(kept) => {
                    self.changed.push(kept.record.chunk);
                    (kept.record.chunk, kept.vector)
                }
                None => {
                    self.next_chunk += 1;
                    self.new.push(ChunkId(self.next_chunk - 1));
                    (ChunkId(self.next_chunk - 1), None)
                }
            };
            self.passages.insert(id, (parts.record(id, ordinal, chunk), vector));
        }
        self.gone.extend(by_text.into_values().flatten().map(|kept| kept.record.chunk));
    }

    fn forget(&mut self, old: &[Kept]) {
        for kept in old {
            self.counts.take(&Counts::of(&self.analysis.of_chunk(&kept.record), kept.vector.is_some()));
        }
    }

    /// Gives every passage its vector, of these weights.
    pub(super) fn encode(
        &mut self,
        weights: Digest,
        encoder: Encoding<'_>,
        vectors: &mut Vectors,
    ) -> Result<()> {
        let lacking = self.passages.values().filter(|(_, vector)| vector.is_none());
        let lacking: Vec<&ChunkRecord> = lacking.map(|(record, _)| record).collect();
        vectors.make(weights, encoder, &lacking, &mut || Ok(()))?;
        for (record, vector) in self.passages.values_mut().filter(|(_, vector)| vector.is_none()) {
            *vector = vectors.of(record);
        }
        Ok(())
    }

    /// The manifest of the generation that has it, which replaces the one with `before`.
    pub(super) fn manifest(&self, generation: GenerationId, before: &Manifest) -> Manifest {
        let mut counts = self.counts;
        for (record, vector) in self.passages.values() {
            counts.add(&Counts::of(&self.analysis.of_chunk(record), vector.is_some()));
        }
        Manifest {
            generation,
            replaces: Some(before.generation),
            passages: None,
            other_languages: self.other_languages.clone(),
            counts,
            documents: self.documents_in_all,
            fields: self.fields.clone(),
            origin: before.origin.as_ref().map(|origin| origin.edited(self.next_chunk)),
            created_ms: crate::clock::now_ms(),
            ..before.clone()
        }
    }
}

/// The passages of these documents, by document.
fn there(client: &Client, state: &ClusterState, documents: &[&str]) -> Result<HashMap<String, Vec<Kept>>> {
    let mut there: HashMap<String, Vec<Kept>> = HashMap::new();
    for some in documents.chunks(DOCUMENTS) {
        for kept in Kept::of_documents(client, state.index(), some) {
            let kept = kept?;
            there.entry(kept.record.document.clone()).or_default().push(kept);
        }
    }
    Ok(there)
}
