//! Compares the own graph with usearch, on the same vectors in one run, at equal recall.
//!
//! usearch stores vectors as f16, bf16 or i8, or as signed bytes of our own scaling (`i8 scaled`: its own divides by
//! the length of the whole vector, which leaves few levels for 768 dimensions). All results are rescored with the
//! stored rows, so that scores are comparable.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use crossbeam_utils::thread::scope;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use crate::dense::{DenseIndex, DenseOptions, DenseView};
use crate::ids::ChunkId;
use crate::searches::{Queries, recall};
use crate::texts::Texts;
use crate::timing::{Percentiles, timed};
use crate::vectors::Vectors;

/// The recall@10 at which searches are compared.
const RECALL: f64 = 0.99;
/// Numbers of candidates (`ef`), ascending: the first that reaches [`RECALL`] is timed.
const BREADTHS: [usize; 12] = [16, 32, 48, 64, 96, 128, 200, 400, 800, 1600, 3200, 6400];
/// Vectors inserted one by one into a finished index.
const INSERTED: usize = 500;
/// Vectors per append to the own index.
const APPEND: usize = 1000;
/// Thread slots of usearch.
const SLOTS: usize = 8;

/// The formats of vectors in usearch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    F16,
    Bf16,
    I8,
    I8Scaled,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::F16, Kind::Bf16, Kind::I8, Kind::I8Scaled];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::F16 => "f16",
            Kind::Bf16 => "bf16",
            Kind::I8 => "i8",
            Kind::I8Scaled => "i8-scaled",
        }
    }

    fn scalar(self) -> ScalarKind {
        match self {
            Kind::F16 => ScalarKind::F16,
            Kind::Bf16 => ScalarKind::BF16,
            Kind::I8 | Kind::I8Scaled => ScalarKind::I8,
        }
    }
}

/// What to compare.
pub(crate) struct Comparison {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) threads: Vec<usize>,
}

/// One line of the table.
struct Row {
    name: String,
    threads: usize,
    seconds: f64,
    unreachable: usize,
    bytes: f64,
    search: Option<(usize, f64, Percentiles)>,
    insert_ms: f64,
}

impl Comparison {
    /// Compares the libraries on `size` vectors and prints a table.
    pub(crate) fn run(
        &self,
        folder: &Path,
        texts: &Texts,
        vectors: &Vectors,
        queries: &Queries,
        size: usize,
    ) {
        let folder = folder.join(format!("libraries-{size}"));
        let stored = Stored::write(&folder, texts, vectors, size);
        let expected = stored.expected(queries);
        println!(
            "\n| vectors | graph | threads | build, s | vectors/s | unreachable | bytes of a vector | candidates | \
             recall@10 | search, ms | an insert, ms |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        let print = |row: Row| {
            let Row { name, threads, seconds, unreachable, bytes, search, insert_ms } = row;
            let search = search.map_or("– | – | –".into(), |(ef, recall, time)| {
                format!("{ef} | {recall:.4} | {time}")
            });
            println!(
                "| {size} | {name} | {threads} | {seconds:.1} | {:.0} | {unreachable} | {bytes:.0} | {search} | \
                 {insert_ms:.2} |",
                size as f64 / seconds
            );
        };
        for &threads in &self.threads {
            print(stored.own(&expected, queries, threads));
        }
        for &kind in &self.kinds {
            for &threads in &self.threads {
                print(stored.usearch(&expected, queries, kind, threads));
            }
        }
    }
}

/// The vectors in the dense index, with a few more that are inserted at the end.
struct Stored<'a> {
    folder: &'a Path,
    weights: crate::ids::Digest,
    size: usize,
    view: DenseView,
}

impl Stored<'_> {
    fn write<'a>(folder: &'a Path, texts: &Texts, vectors: &Vectors, size: usize) -> Stored<'a> {
        let all = size + INSERTED;
        let options = DenseOptions { exact_below: usize::MAX, ..DenseOptions::default() };
        let _ = fs::remove_dir_all(folder);
        let mut dense =
            DenseIndex::create(folder, vectors.dimensions(), vectors.weights, options).expect("an index");
        append(&mut dense, texts, vectors, 0..all);
        let live: Vec<ChunkId> = (0..all as u64).map(ChunkId).collect();
        let view = dense.view(&live).expect("a view");
        Stored { folder, weights: vectors.weights, size, view }
    }

    /// The ten nearest of the first `size` vectors.
    fn expected(&self, queries: &Queries) -> Vec<Vec<ChunkId>> {
        let first: Vec<ChunkId> = (0..self.size as u64).map(ChunkId).collect();
        let best = |vector: &Vec<f32>| {
            let found = self.view.search(vector, 10, Some(&first)).expect("an answer");
            found.into_iter().map(|(id, _)| id).collect()
        };
        queries.vectors().iter().map(best).collect()
    }

    fn own(&self, expected: &[Vec<ChunkId>], queries: &Queries, threads: usize) -> Row {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let open = |exact_below, ef_search| {
            let options = DenseOptions { exact_below, ef_search, ..DenseOptions::default() };
            DenseIndex::renew_options(&self.folder.join("own"), &options).expect("options");
            DenseIndex::open(&self.folder.join("own"), self.weights).expect("an index")
        };
        let first: Vec<ChunkId> = (0..self.size as u64).map(ChunkId).collect();
        let own = self.folder.join("own");
        let _ = fs::remove_dir_all(&own);
        let options = DenseOptions { exact_below: 0, ..DenseOptions::default() };
        let dimensions = queries.vectors()[0].len();
        let mut dense = DenseIndex::create(&own, dimensions, self.weights, options).expect("an index");
        self.copy(&mut dense, 0..self.size);
        let view = dense.view(&first).expect("a view");
        let (_, built_ms) = timed(|| {
            pool.install(|| dense.merge_all(&view, &mut |_, _| ControlFlow::Continue(()))).expect("a graph")
        });
        let rows = fs::metadata(own.join("vectors.bin")).expect("rows").len();
        let bytes = (crate::build::folder_bytes(&own) - rows) as f64 / self.size as f64;
        let search = BREADTHS.iter().find_map(|&breadth| {
            let view = open(0, breadth).view(&first).expect("a view");
            let found = |query: usize| {
                let found = view.search(&queries.vectors()[query], 10, None).expect("an answer");
                found.into_iter().map(|(id, _)| id).collect()
            };
            let recall = recall(expected, 10, found);
            eprintln!("{} own, {breadth}: {recall:.4}", self.size);
            (recall >= RECALL).then(|| {
                let time = Percentiles::of(expected.len(), |query| timed(|| found(query)).1);
                (DenseOptions::default().ef(breadth, self.size), recall, time)
            })
        });
        let mut dense = open(0, 200);
        self.copy(&mut dense, self.size..self.size + INSERTED);
        let all: Vec<ChunkId> = (0..(self.size + INSERTED) as u64).map(ChunkId).collect();
        let view = dense.view(&all).expect("a view");
        let insert = || dense.merge_all(&view, &mut |_, _| ControlFlow::Continue(())).expect("a graph");
        let insert_ms = timed(|| pool.install(insert)).1 / INSERTED as f64;
        let _ = fs::remove_dir_all(&own);
        Row { name: "own".into(), threads, seconds: built_ms / 1e3, unreachable: 0, bytes, search, insert_ms }
    }

    fn copy(&self, dense: &mut DenseIndex, range: std::ops::Range<usize>) {
        for first in range.clone().step_by(APPEND) {
            let block: Vec<(ChunkId, Vec<f32>)> = (first..range.end.min(first + APPEND))
                .map(|number| (ChunkId(number as u64), self.vector(number)))
                .collect();
            let rows: Vec<(ChunkId, &[f32])> = block.iter().map(|(id, v)| (*id, v.as_slice())).collect();
            dense.append(&rows).expect("vectors");
        }
        dense.sync().expect("vectors on disk");
    }

    fn vector(&self, number: usize) -> Vec<f32> {
        self.view.vector(ChunkId(number as u64)).expect("a vector")
    }

    fn usearch(&self, expected: &[Vec<ChunkId>], queries: &Queries, kind: Kind, threads: usize) -> Row {
        let dimensions = queries.vectors()[0].len();
        let options = IndexOptions {
            dimensions,
            metric: MetricKind::IP,
            quantization: kind.scalar(),
            connectivity: DenseOptions::default().connectivity,
            expansion_add: DenseOptions::default().ef_construction,
            expansion_search: BREADTHS[0],
            multi: false,
        };
        let index = Index::new(&options).expect("an index");
        index.reserve_capacity_and_threads(self.size + INSERTED, SLOTS).expect("room");
        let add = |number: usize| match kind {
            Kind::I8Scaled => index.add(number as u64, &scaled(&self.vector(number))),
            _ => index.add(number as u64, &self.vector(number)),
        };
        let (_, built_ms) = timed(|| {
            scope(|scope| {
                for thread in 0..threads {
                    let add = &add;
                    scope.spawn(move |_| {
                        (thread..self.size).step_by(threads).for_each(|number| add(number).expect("a node"));
                    });
                }
            })
            .expect("a build");
        });
        let unreachable = self.size - reached(&index, self.size);
        let bytes = index.memory_usage() as f64 / self.size as f64;
        let search = BREADTHS.iter().find_map(|&breadth| {
            index.change_expansion_search(breadth);
            let found = |query: usize| -> Vec<ChunkId> {
                let vector = &queries.vectors()[query];
                let found = match kind {
                    Kind::I8Scaled => index.search(&scaled(vector), breadth),
                    _ => index.search(vector, breadth),
                };
                let ids: Vec<ChunkId> = found.expect("an answer").keys.into_iter().map(ChunkId).collect();
                let scores = self.view.score(vector, &ids).expect("scores");
                let mut scored: Vec<_> = ids.into_iter().zip(scores).map(|(id, score)| (score, id)).collect();
                scored.sort_by(|a, b| b.0.partial_cmp(&a.0).expect("a number").then(a.1.cmp(&b.1)));
                scored.into_iter().take(10).map(|(_, id)| id).collect()
            };
            let recall = recall(expected, 10, found);
            eprintln!("{} {}, {breadth}: {recall:.4}", self.size, kind.name());
            (recall >= RECALL)
                .then(|| (breadth, recall, Percentiles::of(expected.len(), |query| timed(|| found(query)).1)))
        });
        let insert = |number: usize| timed(|| add(number).expect("a node")).1;
        let insert_ms = (self.size..self.size + INSERTED).map(insert).sum::<f64>() / INSERTED as f64;
        let name = format!("usearch {}", kind.name());
        Row { name, threads, seconds: built_ms / 1e3, unreachable, bytes, search, insert_ms }
    }
}

fn append(dense: &mut DenseIndex, texts: &Texts, vectors: &Vectors, range: std::ops::Range<usize>) {
    for first in range.clone().step_by(APPEND) {
        let block: Vec<(ChunkId, Vec<f32>)> = (first..range.end.min(first + APPEND))
            .map(|number| (ChunkId(number as u64), vectors.vector(texts, number)))
            .collect();
        let rows: Vec<(ChunkId, &[f32])> = block.iter().map(|(id, v)| (*id, v.as_slice())).collect();
        dense.append(&rows).expect("vectors");
    }
    dense.sync().expect("vectors on disk");
}

/// Signed bytes that spread the usual elements of a unit vector over all levels.
fn scaled(vector: &[f32]) -> Vec<i8> {
    let widest = 6.0 / (vector.len() as f32).sqrt();
    vector.iter().map(|x| ((x / widest).clamp(-1.0, 1.0) * 127.0).round() as i8).collect()
}

/// Counts the keys below `size` that can be reached from the entry point: level by level downwards, along all links.
fn reached(index: &Index, size: usize) -> usize {
    // The entry point is the first node of the highest level.
    let entry = (0..size as u64).max_by_key(|&key| (index.level_of_key(key), std::cmp::Reverse(key)));
    let Some(entry) = entry else { return 0 };
    let mut met = vec![false; size];
    met[entry as usize] = true;
    let mut found = vec![entry];
    let mut links = [0; 256];
    for level in (0..=index.level_of_key(entry)).rev() {
        let mut at = 0;
        while let Some(&key) = found.get(at) {
            at += 1;
            let count = index.neighbors(key, level).drain_into(&mut links);
            found.extend(
                links[..count].iter().filter(|&&key| !std::mem::replace(&mut met[key as usize], true)),
            );
        }
    }
    found.len()
}
