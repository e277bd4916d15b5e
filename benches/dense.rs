//! Exact search and graph search, with 20,000 and 100,000 vectors of 768 dimensions.
//!
//! The dense index is not a public API; its sources are compiled into this program. Building the larger graph takes
//! minutes. Recall and build times are printed on standard error.

#![allow(dead_code, unused_imports)]

#[path = "../src/dense/mod.rs"]
mod dense;
#[path = "../src/error.rs"]
mod error;
#[path = "../src/ids.rs"]
mod ids;
#[path = "../src/storage/mod.rs"]
mod storage;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dense::{DenseIndex, DenseOptions, DenseView};
use ids::{ChunkId, ChunkSet, Digest};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIMENSIONS: usize = 768;

/// Vectors around centres, in blocks that limit the memory of unrounded vectors.
fn fill(index: &mut DenseIndex, count: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut vector = || (0..DIMENSIONS).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
    let centres: Vec<Vec<f32>> = (0..256).map(|_| vector()).collect();
    for first in (0..count).step_by(1000) {
        let block: Vec<(ChunkId, Vec<f32>)> = (first..count.min(first + 1000))
            .map(|id| {
                let centre = &centres[id as usize * 7919 % centres.len()];
                (ChunkId(id), centre.iter().zip(vector()).map(|(c, v)| c + v).collect())
            })
            .collect();
        index.append(&block.iter().map(|(id, v)| (*id, v.as_slice())).collect::<Vec<_>>()).expect("append");
    }
}

fn queries(view: &DenseView) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    (0..200)
        .map(|i| {
            let near = view.vector(view.chunks()[i * view.len() / 200]).expect("a live chunk");
            near.into_iter().map(|x| x + rng.random_range(-0.03..0.03)).collect()
        })
        .collect()
}

fn recall(exact: &DenseView, graph: &DenseView, queries: &[Vec<f32>]) -> f64 {
    let top = |view: &DenseView, query: &[f32]| view.search(query, 10, None).expect("search");
    let found = queries.iter().map(|query| {
        let expected = top(exact, query);
        top(graph, query).iter().filter(|hit| expected.contains(hit)).count()
    });
    found.sum::<usize>() as f64 / (10 * queries.len()) as f64
}

fn searches(c: &mut Criterion) {
    let mut group = c.benchmark_group("dense");
    group.sample_size(50).measurement_time(Duration::from_secs(5));
    for count in [20_000u64, 100_000] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let options = DenseOptions { exact_below: 1000, ..DenseOptions::default() };
        let mut index = DenseIndex::create(&dir.path().join("dense"), DIMENSIONS, Digest([0; 32]), options)
            .expect("create");
        fill(&mut index, count);
        let live: Vec<ChunkId> = (0..count).map(ChunkId).collect();
        let exact = index.view(&live).expect("view");
        let queries = queries(&exact);
        let mut run = |name: &str, view: &DenseView, allowed: Option<&Vec<ChunkId>>| {
            let mut next = 0;
            group.bench_function(BenchmarkId::new(name, count), |b| {
                b.iter(|| {
                    next = (next + 1) % queries.len();
                    let allowed = allowed.map(|list| list as &dyn ChunkSet);
                    black_box(view.search(&queries[next], 10, allowed).expect("search"))
                });
            });
        };
        run("exact", &exact, None);
        let start = Instant::now();
        index.merge_all(&exact, &mut |_, _| ControlFlow::Continue(())).expect("build");
        let rate = count as f64 / start.elapsed().as_secs_f64();
        let view = index.view(&live).expect("view");
        eprintln!("{count} vectors: {rate:.0} vectors/s, recall@10 {:.4}", recall(&exact, &view, &queries));
        run("graph", &view, None);
        for share in [2, 10, 100] {
            let allowed: Vec<ChunkId> = live.iter().copied().step_by(share).collect();
            run(&format!("filter 1 in {share}"), &view, Some(&allowed));
        }
    }
    group.finish();
}

criterion_group!(benches, searches);
criterion_main!(benches);
