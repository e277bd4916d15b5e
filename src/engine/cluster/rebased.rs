//! What a round has learnt, for passages that have changed on the cluster since it began.

use std::collections::{BTreeMap, BTreeSet};

use super::edition::{GoesOn, Vectors};
use super::migration::Content;
use super::transfer::{Source, Vectored};
use crate::error::Result;
use crate::ids::ChunkId;
use crate::lexical::ChunkRecord;
use crate::search::Snapshot;
use crate::store::opensearch::{Client, Kept, Manifest, Names, records};

/// Documents that are read together.
const DOCUMENTS: usize = 1000;
/// Passages after which it is asked whether to go on.
const LOOK: usize = 1000;

/// The passages of the generation that serves, with vectors of the encoder that an index of this machine has.
pub(super) struct Rebased<'a> {
    pub(super) content: Content,
    snapshot: &'a Snapshot,
    /// Passages that are not as that index has them.
    changed: BTreeMap<ChunkId, Vectored>,
}

impl<'a> Rebased<'a> {
    /// Passages whose text that index has get its vectors; of the others those that are not among `vectors` are
    /// encoded.
    pub(super) fn of(
        serving: &Manifest,
        snapshot: &'a Snapshot,
        (client, names): (&Client, &Names),
        vectors: &mut Vectors,
        goes_on: GoesOn<'_>,
    ) -> Result<Rebased<'a>> {
        let index = names.generation(serving.passages());
        let (mut chunks, mut changed) = (Vec::new(), Vec::new());
        for record in records(client, &index) {
            let record = record?;
            if chunks.len().is_multiple_of(LOOK) {
                goes_on()?;
            }
            chunks.push(record.chunk);
            if snapshot.lexical.get(record.chunk)?.as_ref() != Some(&record) {
                changed.push(record);
            }
        }
        let generation = &snapshot.pinned.generation;
        let changed = match serving.weights == generation.meta.weights {
            true => as_there(changed, client, &index)?,
            false => encoded(changed, snapshot, vectors, goes_on)?,
        };
        let mut origin = serving.origin.clone();
        if let Some(origin) = &mut origin {
            origin.first = generation.meta.first_model();
        }
        let content = Content {
            chunks,
            documents: serving.documents,
            language: serving.language,
            other_languages: serving.other_languages.clone(),
            fields: serving.fields.clone(),
            folders: serving.folders.clone(),
            origin,
        };
        Ok(Rebased { content, snapshot, changed })
    }
}

impl Source for Rebased<'_> {
    fn passage(&self, chunk: ChunkId) -> Result<Option<Vectored>> {
        match self.changed.get(&chunk) {
            Some(changed) => Ok(Some(changed.clone())),
            None => self.snapshot.passage(chunk),
        }
    }
}

/// With the vectors that they have: the encoder is the same.
fn as_there(changed: Vec<ChunkRecord>, client: &Client, index: &str) -> Result<BTreeMap<ChunkId, Vectored>> {
    let wanted: BTreeSet<ChunkId> = changed.iter().map(|record| record.chunk).collect();
    let mut documents: Vec<&str> = changed.iter().map(|record| &*record.document).collect();
    documents.dedup();
    let mut there = BTreeMap::new();
    for some in documents.chunks(DOCUMENTS) {
        for kept in Kept::of_documents(client, index, some) {
            let Kept { record, vector } = kept?;
            if wanted.contains(&record.chunk) {
                there.insert(record.chunk, (record, vector));
            }
        }
    }
    Ok(there)
}

/// With vectors of the encoder that the index of this machine has.
fn encoded(
    changed: Vec<ChunkRecord>,
    snapshot: &Snapshot,
    vectors: &mut Vectors,
    goes_on: GoesOn<'_>,
) -> Result<BTreeMap<ChunkId, Vectored>> {
    let generation = &snapshot.pinned.generation;
    let mut had = BTreeMap::new();
    for record in &changed {
        let own = snapshot.lexical.get(record.chunk)?;
        let vector = snapshot.pinned.dense.vector(record.chunk);
        if let (Some(own), Some(vector)) = (own, vector)
            && own.chunk_digest == record.chunk_digest
        {
            had.insert(record.chunk, vector);
        }
    }
    let lacking: Vec<&ChunkRecord> =
        changed.iter().filter(|record| !had.contains_key(&record.chunk)).collect();
    vectors.make(generation.meta.weights, &|| generation.encoder().cloned(), &lacking, goes_on)?;
    let with_vector = |record: ChunkRecord| {
        let vector = had.remove(&record.chunk).or_else(|| vectors.of(&record));
        (record.chunk, (record, vector))
    };
    Ok(changed.into_iter().map(with_vector).collect())
}
