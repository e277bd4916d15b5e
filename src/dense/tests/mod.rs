//! The room as a whole, against naive models.

mod file;
mod graphs;
mod hnsw;
mod live;
mod merging;
mod searching;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use half::bf16;
use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::error::Error;
use crate::ids::{ChunkId, ChunkSet, Digest};

const WEIGHTS: Digest = Digest([7; 32]);

fn small(exact_below: usize) -> DenseOptions {
    DenseOptions { exact_below, ef_search: 64, ..DenseOptions::default() }
}

/// `count` vectors around `count / 20` centres: distributed like embeddings, not like noise.
fn clustered(seed: u64, count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut vector =
        |scale: f32| (0..dimensions).map(|_| rng.random_range(-scale..scale)).collect::<Vec<f32>>();
    let centres: Vec<Vec<f32>> = (0..count.div_ceil(20)).map(|_| vector(1.0)).collect();
    let near = |i: usize, noise: Vec<f32>| {
        centres[i % centres.len()].iter().zip(noise).map(|(c, n)| c + n).collect()
    };
    (0..count).map(|i| near(i, vector(0.7))).collect()
}

fn rows(first: u64, vectors: &[Vec<f32>]) -> Vec<(ChunkId, &[f32])> {
    (first..).map(ChunkId).zip(vectors.iter().map(Vec::as_slice)).collect()
}

fn ids(range: impl IntoIterator<Item = u64>) -> Vec<ChunkId> {
    range.into_iter().map(ChunkId).collect()
}

fn as_set(list: Option<&Vec<ChunkId>>) -> Option<&dyn ChunkSet> {
    list.map(|list| list as &dyn ChunkSet)
}

/// The stored form of a vector, computed in f64: length 1, rounded to bf16, length 1 again.
fn stored(vector: &[f32]) -> Vec<f64> {
    let unit = |v: Vec<f64>| {
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        v.into_iter().map(|x| x / length).collect::<Vec<f64>>()
    };
    let rounded = unit(vector.iter().map(|&x| f64::from(x)).collect());
    unit(rounded.into_iter().map(|x| bf16::from_f32(x as f32).to_f64()).collect())
}

/// The expected content of every chunk's row.
type Model = BTreeMap<ChunkId, Vec<f64>>;

fn naive(model: &Model, query: &[f32], k: usize) -> Vec<(ChunkId, f64)> {
    let length = query.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    let cosine = |v: &[f64]| v.iter().zip(query).map(|(x, &q)| x * f64::from(q) / length).sum::<f64>();
    let mut hits: Vec<_> = model.iter().map(|(&chunk, vector)| (chunk, cosine(vector))).collect();
    hits.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    hits.truncate(k);
    hits
}

/// Equal up to rounding: the same scores, and the same chunks except among scores that rounding may swap.
fn assert_same(found: &[(ChunkId, f32)], expected: &[(ChunkId, f64)]) {
    assert_eq!(found.len(), expected.len());
    for (at, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(f.1) - e.1).abs() < 2e-6, "rank {at}: {f:?} {e:?}");
        let near = |d: &(ChunkId, f64)| d.0 == f.0 && (d.1 - e.1).abs() < 4e-6;
        let tied_with_cut = (e.1 - expected[expected.len() - 1].1).abs() < 4e-6;
        assert!(expected.iter().any(near) || tied_with_cut, "rank {at}: {f:?} is not in {expected:?}");
    }
    let distinct: BTreeSet<_> = found.iter().map(|hit| hit.0).collect();
    assert_eq!(distinct.len(), found.len());
}

fn model(first: u64, vectors: &[Vec<f32>]) -> Model {
    (first..).map(ChunkId).zip(vectors.iter().map(|vector| stored(vector))).collect()
}

fn create(dir: &Path, dimensions: usize, exact_below: usize) -> DenseIndex {
    DenseIndex::create(dir, dimensions, WEIGHTS, small(exact_below)).unwrap()
}

fn go_on(_: usize, _: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A view of all chunks.
fn everything(index: &DenseIndex) -> DenseView {
    index.view(&ids(0..index.highest_chunk().map_or(0, |highest| highest.0 + 1))).unwrap()
}

/// Merges while more than `exact_below` rows are scored one by one.
fn merge_all(index: &mut DenseIndex) {
    let view = everything(index);
    index.merge_all(&view, &mut go_on).unwrap();
}

/// An index of `vectors` with ids from 0 and a segment over all of them.
fn with_graph(dir: &Path, vectors: &[Vec<f32>]) -> DenseIndex {
    let mut index = create(dir, vectors[0].len(), 100);
    index.append(&rows(0, vectors)).unwrap();
    merge_all(&mut index);
    index
}

fn graph_folders(dir: &Path) -> Vec<std::path::PathBuf> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.file_name().unwrap().to_string_lossy().contains("graph-")).collect()
}
