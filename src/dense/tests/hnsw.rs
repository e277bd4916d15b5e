//! The library's file, as it is read here.

use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::*;
use crate::dense::code::code;
use crate::dense::hnsw::Hnsw;

const DIMENSIONS: usize = 24;

/// A graph of these codes; row `7 i` is the i-th.
fn library(codes: &[Vec<i8>]) -> Index {
    let index = Index::new(&IndexOptions {
        dimensions: DIMENSIONS,
        metric: MetricKind::IP,
        quantization: ScalarKind::I8,
        connectivity: 8,
        expansion_add: 64,
        ..IndexOptions::default()
    })
    .unwrap();
    index.reserve(codes.len()).unwrap();
    (0..).zip(codes).for_each(|(at, code)| index.add(7 * at, code).unwrap());
    index
}

fn saved(index: &Index) -> Vec<u8> {
    let mut bytes = vec![0; index.serialized_length()];
    index.save_to_buffer(&mut bytes).unwrap();
    bytes
}

fn opened(bytes: &[u8]) -> Option<Hnsw> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Hnsw::open(file.path()).unwrap().ok()
}

fn codes(seed: u64, count: usize) -> Vec<Vec<i8>> {
    clustered(seed, count, DIMENSIONS).iter().map(|vector| code(&unit(vector))).collect()
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

#[test]
fn a_walk_that_keeps_everything_in_mind_ranks_all_nodes_by_their_codes() {
    let codes = codes(21, 700);
    let read = opened(&saved(&library(&codes))).unwrap();
    assert_eq!((read.len(), read.dimensions()), (700, DIMENSIONS));
    let reached = read.reached(7 * 700);
    for query in &codes[..20] {
        let score = |at: usize| -> i32 {
            codes[at].iter().zip(query).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
        };
        let found = read.nearest(query, 700);
        assert_eq!(found.len(), reached.iter().filter(|reached| **reached).count());
        let scores: Vec<i32> = found.iter().map(|&row| score(row as usize / 7)).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b));
        assert!(found.iter().all(|&row| row % 7 == 0 && reached[row as usize]));
    }
}

#[test]
fn a_walk_finds_what_the_library_finds() {
    let codes = codes(22, 3000);
    let index = library(&codes);
    let read = opened(&saved(&index)).unwrap();
    let (mut same, mut all) = (0, 0);
    for query in codes.iter().step_by(37) {
        let ours = read.nearest(query, 40);
        let theirs = index.search(query, 40).unwrap().keys;
        assert_eq!(ours.len(), 40);
        same +=
            theirs[..10].iter().filter(|key| ours[..12].iter().any(|&row| u64::from(row) == **key)).count();
        all += 10;
    }
    assert!(same * 100 >= all * 98, "{same} of {all}");
}

#[test]
fn what_is_empty_has_nothing_near_and_what_has_one_node_has_that() {
    let code = vec![1; DIMENSIONS];
    let empty = opened(&saved(&library(&[]))).unwrap();
    assert!(empty.nearest(&code, 5).is_empty() && empty.reached(3) == [false; 3]);
    let one = opened(&saved(&library(std::slice::from_ref(&code)))).unwrap();
    assert_eq!((one.nearest(&code, 5), one.reached(2)), (vec![0], vec![true, false]));
    assert!(one.nearest(&code, 0).is_empty());
}

#[test]
fn another_shape_is_no_graph_and_a_wrong_number_leads_nowhere() {
    let codes = codes(23, 60);
    let good = saved(&library(&codes));
    for len in 0..good.len() {
        assert!(opened(&good[..len]).is_none(), "cut to {len}");
    }
    assert!(opened(&[&good[..], &[0]].concat()).is_none());
    // Behind the codes, whose bytes may be anything.
    let mut usable = 0;
    for at in (0..8).chain(8 + codes.len() * DIMENSIONS..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        if let Some(read) = opened(&bad) {
            usable += 1;
            assert!(read.nearest(&codes[0], 10).len() <= 10);
            read.reached(7 * 60);
        }
    }
    assert!(usable > 0);
}
