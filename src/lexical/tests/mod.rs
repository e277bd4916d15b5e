//! Tests of the lexical index on real folders.

mod containing;
mod counting;
mod durability;
mod filtering;
mod languages;
mod renewal;
mod searching;
mod storing;
mod written_filters;

use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

use super::{ChunkRecord, Filter, Language, LexicalIndex, LexicalSnapshot, LexicalWriter};
use crate::ids::{ChunkId, ChunkSet as _, Digest};
use crate::place::Place;

/// An index in a temporary folder.
struct Fixture {
    folder: TempDir,
    index: LexicalIndex,
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let index = LexicalIndex::create(&folder.path().join("lexical"), Language::English).unwrap();
        Fixture { folder, index }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("lexical")
    }

    /// Adds `records` in one commit.
    fn add(&self, records: &[ChunkRecord]) {
        self.change(|writer| records.iter().for_each(|record| writer.add(record).unwrap()));
    }

    /// Commits the changes that `change` makes.
    fn change(&self, change: impl FnOnce(&mut LexicalWriter)) {
        let mut writer = self.index.writer_with_heap(LexicalWriter::LEAST_HEAP_BYTES).unwrap();
        change(&mut writer);
        writer.commit("").unwrap();
        writer.close().unwrap();
    }

    fn snapshot(&self) -> LexicalSnapshot {
        self.index.snapshot().unwrap()
    }
}

fn chunk(id: u64, title: &str, body: &str) -> ChunkRecord {
    ChunkRecord::sample(id, title, body)
}

fn of_document(id: u64, document: &str, ordinal: u32) -> ChunkRecord {
    ChunkRecord { document: document.to_owned(), ordinal, ..chunk(id, document, &format!("part {ordinal}")) }
}

fn with_metadata(id: u64, metadata: Json) -> ChunkRecord {
    let Json::Object(metadata) = metadata else { panic!("metadata is an object") };
    ChunkRecord { metadata, ..chunk(id, "", "text") }
}

fn ids(hits: &[(ChunkId, f32)]) -> Vec<u64> {
    hits.iter().map(|hit| hit.0.0).collect()
}

fn numbers(chunks: &[ChunkId]) -> Vec<u64> {
    chunks.iter().map(|chunk| chunk.0).collect()
}
