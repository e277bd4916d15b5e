//! Builds an index with a given number of passages, part by part, and times each part.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use retune::{Chunking, Engine, Options};
use serde::{Deserialize, Serialize};

use crate::dense::{DenseIndex, DenseOptions};
use crate::ids::{ChunkId, Digest};
use crate::lexical::{ChunkRecord, LexicalIndex};
use crate::texts::Texts;
use crate::timing::timed;
use crate::vectors::Vectors;

/// Passages per commit, and vectors per append.
const COMMIT: usize = 10_000;
const APPEND: usize = 1000;
/// Fields for filters: each is 0 in one of this many passages.
pub(crate) const SHARES: [(&str, usize); 3] = [("half", 2), ("hundredth", 100), ("ten_thousandth", 10_000)];

/// The content and the settings of an index.
#[derive(PartialEq, Serialize, Deserialize)]
struct Basis {
    texts: Digest,
    weights: Digest,
    dense: DenseOptions,
}

/// Build times in seconds.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Seconds {
    lexical: f64,
    vectors: f64,
    graph: f64,
}

pub(crate) struct Built {
    pub(crate) size: usize,
    pub(crate) index: PathBuf,
    pub(crate) weights: Digest,
    seconds: Seconds,
}

impl Built {
    /// Builds the index in `folder`, unless the same one was built there before.
    pub(crate) fn at(folder: &Path, model: &Path, texts: &Texts, vectors: &Vectors, size: usize) -> Built {
        let (index, record) = (folder.join("index"), folder.join("built.json"));
        let weights = vectors.weights;
        let basis = Basis { texts: texts.digest(), weights, dense: DenseOptions::default() };
        let built = fs::read(&record)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<(Basis, Seconds)>(&bytes).ok())
            .and_then(|(of, seconds)| (of == basis).then_some(seconds));
        if built.is_none() && folder.exists() {
            fs::remove_dir_all(folder).expect("an unfinished index can be removed");
        }
        fs::create_dir_all(folder).expect("a folder");
        if built.is_none() {
            let options = Options::default().with_model(model).with_chunking(Chunking::Whole);
            let engine = Engine::open(&index, options).expect("a new index");
            engine.close().expect("a sound index");
        }
        let mut this = Built { size, index, weights, seconds: built.unwrap_or_default() };
        if built.is_none() {
            this.seconds.lexical = this.write_texts(texts);
            eprintln!("{size} passages: lexical index in {:.0} s", this.seconds.lexical);
            this.write_vectors(texts, vectors);
            let json = serde_json::to_vec(&(&basis, this.seconds)).expect("JSON");
            fs::write(&record, json).expect("a record of the build");
        }
        this
    }

    fn write_texts(&self, texts: &Texts) -> f64 {
        let lexical = LexicalIndex::open(&self.index.join("lexical")).expect("a lexical index");
        let mut writer = lexical.writer().expect("a writer");
        let mut milliseconds = 0.0;
        for first in (0..self.size).step_by(COMMIT) {
            let records: Vec<ChunkRecord> =
                (first..self.size.min(first + COMMIT)).map(|number| record(texts, number)).collect();
            milliseconds += timed(|| {
                records.iter().for_each(|record| writer.add(record).expect("a passage"));
                writer.commit("").expect("a commit");
            })
            .1;
        }
        (milliseconds + timed(|| writer.close().expect("merged segments")).1) / 1e3
    }

    fn write_vectors(&mut self, texts: &Texts, vectors: &Vectors) {
        let mut dense = self.dense(DenseOptions { exact_below: 0, ..DenseOptions::default() });
        for first in (0..self.size).step_by(APPEND) {
            let block: Vec<(ChunkId, Vec<f32>)> = (first..self.size.min(first + APPEND))
                .map(|number| (ChunkId(number as u64), vectors.vector(texts, number)))
                .collect();
            let rows: Vec<(ChunkId, &[f32])> = block.iter().map(|(id, v)| (*id, v.as_slice())).collect();
            self.seconds.vectors += timed(|| dense.append(&rows).expect("vectors")).1 / 1e3;
        }
        self.seconds.vectors += timed(|| dense.sync().expect("vectors on disk")).1 / 1e3;
        let mut told = 0;
        let mut tell = |done: usize, all: usize| {
            if done >= told {
                eprintln!("{} passages: {done} of {all} in the graph", self.size);
                told += (all / 20).max(1);
            }
            ControlFlow::Continue(())
        };
        let live: Vec<ChunkId> = (0..self.size as u64).map(ChunkId).collect();
        let view = dense.view(&live).expect("a view");
        self.seconds.graph = timed(|| dense.merge_all(&view, &mut tell).expect("a graph")).1 / 1e3;
    }

    /// The dense index, searched with other options than it was created with.
    pub(crate) fn dense(&self, options: DenseOptions) -> DenseIndex {
        let folder = self.dense_folder();
        DenseIndex::renew_options(&folder, &options).expect("options");
        let dense = DenseIndex::open(&folder, self.weights).expect("a dense index");
        DenseIndex::renew_options(&folder, &DenseOptions::default()).expect("options");
        dense
    }

    fn dense_folder(&self) -> PathBuf {
        self.index.join("generations/000001/dense")
    }

    pub(crate) fn row(&self, bytes_in_memory: Option<f64>) -> String {
        let Seconds { lexical, vectors, graph } = self.seconds;
        let of_passage = |bytes: u64| bytes as f64 / self.size as f64;
        let rows = fs::metadata(self.dense_folder().join("vectors.bin")).map_or(0, |file| file.len());
        format!(
            "| {} | {lexical:.1} | {vectors:.1} | {graph:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} |",
            self.size,
            self.size as f64 / graph,
            of_passage(folder_bytes(&self.index.join("lexical"))),
            of_passage(rows),
            of_passage(folder_bytes(&self.dense_folder()) - rows),
            bytes_in_memory.map_or_else(|| "–".into(), |bytes| format!("{bytes:.0}")),
        )
    }
}

pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
        meta => meta.map_or(0, |meta| meta.len()),
    });
    bytes.sum()
}

/// Passage `number` as it is indexed.
pub(crate) fn record(texts: &Texts, number: usize) -> ChunkRecord {
    let passage = texts.passage(number);
    let digest = Digest::of(passage.text.as_bytes());
    let facts = SHARES.iter().map(|&(field, share)| (field.to_owned(), (number % share).into()));
    ChunkRecord {
        chunk: ChunkId(number as u64),
        document: format!("passage/{number}"),
        ordinal: 0,
        start: 0,
        end: passage.text.len() as u64,
        place: Default::default(),
        title: passage.title,
        body: passage.text,
        chunk_digest: digest,
        document_digest: digest,
        metadata: facts.collect(),
    }
}
