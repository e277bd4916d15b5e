//! The graph by itself: grown, searched, and read from invalid bytes.

use super::*;
use crate::dense::code::{CodeQuery, code, code_len};
use crate::dense::grow::{Growing, Parameters};
use crate::dense::hnsw::{Hnsw, Shape};

const DIMENSIONS: usize = 24;
const PARAMETERS: Parameters = Parameters { dimensions: DIMENSIONS, connectivity: 8, ef_construction: 64 };

fn codes(seed: u64, count: usize) -> Vec<Vec<u8>> {
    clustered(seed, count, DIMENSIONS).iter().map(|vector| code(&unit(vector))).collect()
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

/// A graph of these codes from the `from`-th on, added to `base`; row `7 i` is the i-th.
fn grown(base: Option<&Hnsw<Vec<u8>>>, codes: &[Vec<u8>], from: usize) -> Hnsw<Vec<u8>> {
    let rows: Vec<u32> = (from..codes.len()).map(|at| 7 * at as u32).collect();
    let mut growing = Growing::new(base, &rows, PARAMETERS, |row| codes[row as usize / 7].clone()).unwrap();
    growing.grow(|_| Ok(())).unwrap();
    growing.into_graph()
}

fn query_for(code: &[u8]) -> CodeQuery {
    CodeQuery::coded(code, DIMENSIONS)
}

fn product(a: &[u8], b: &[u8]) -> i32 {
    let (a, b) = (query_for(a), query_for(b));
    a.elements.iter().zip(&b.elements).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

/// The recall of a graph search for the ten nearest codes.
fn recall(graph: &Hnsw<Vec<u8>>, codes: &[Vec<u8>], ef: usize) -> f64 {
    let (mut found, mut all) = (0, 0);
    for query in codes.iter().step_by(37) {
        let mut scores: Vec<i32> = codes.iter().map(|code| product(code, query)).collect();
        let near = graph.search(&query_for(query), ef);
        assert_eq!(near.len(), ef);
        let near: Vec<i32> = near[..10].iter().map(|&(_, row)| scores[row as usize / 7]).collect();
        scores.sort_unstable_by(|a, b| b.cmp(a));
        found += near.iter().filter(|&&score| score >= scores[9]).count();
        all += 10;
    }
    found as f64 / all as f64
}

#[test]
fn a_walk_that_keeps_everything_in_mind_ranks_all_nodes_by_their_codes() {
    let codes = codes(21, 700);
    let graph = grown(None, &codes, 0);
    let reached: BTreeSet<u32> = {
        let reached = graph.reached();
        graph.rows().enumerate().filter(|(node, _)| reached.contains(*node)).map(|(_, row)| row).collect()
    };
    assert!(reached.len() >= 690, "{}", reached.len());
    for query in &codes[..20] {
        let found = graph.search(&query_for(query), 700);
        assert_eq!(found.iter().map(|&(_, row)| row).collect::<BTreeSet<u32>>(), reached);
        assert_eq!(found.len(), reached.len());
        assert!(found.iter().all(|&(score, row)| score == product(&codes[row as usize / 7], query)));
        assert!(found.is_sorted_by_key(|&(score, _)| -score));
    }
}

#[test]
fn a_walk_finds_what_is_near_also_in_what_was_added_later() {
    let codes = codes(22, 4000);
    let whole = grown(None, &codes, 0);
    assert!(recall(&whole, &codes, 40) >= 0.99, "{}", recall(&whole, &codes, 40));
    // Ordered by cluster: new nodes are near to nothing that is there.
    let clusters = codes.len() / 20;
    let ordered: Vec<Vec<u8>> =
        (0..codes.len()).map(|at| codes[at / 20 + at % 20 * clusters].clone()).collect();
    let mut graph = grown(None, &ordered[..100], 0);
    let few = graph.shape().levels.len();
    for until in [101, 137, 1000, 1700, 4000] {
        graph = grown(Some(&graph), &ordered[..until], graph.shape().nodes());
    }
    assert_eq!(graph.shape().levels, whole.shape().levels);
    assert!(graph.shape().levels.len() > few, "what was added is above what there was");
    assert!(recall(&graph, &ordered, 40) >= 0.99, "{}", recall(&graph, &ordered, 40));
}

#[test]
fn a_graph_is_the_same_with_any_number_of_threads() {
    let codes = codes(25, 1500);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| grown(Some(&grown(None, &codes[..500], 0)), &codes, 500)).bytes
    };
    let one = with(1);
    assert!(one == with(2) && one == with(5));
}

#[test]
fn links_are_within_bounds_and_lead_to_others_on_their_level() {
    let codes = codes(26, 2500);
    let mut added = grown(None, &codes[..100], 0);
    for until in [137, 2500] {
        added = grown(Some(&added), &codes[..until], added.shape().nodes());
    }
    for graph in [grown(None, &codes, 0), added] {
        let shape = graph.shape();
        assert!(shape.levels.len() > 2 && shape.nodes() == 2500);
        let rows: BTreeSet<u32> = graph.rows().collect();
        assert_eq!(rows, (0..2500).map(|at| 7 * at).collect());
        for (node, row) in (0..).zip(graph.rows()) {
            assert_eq!(graph.code(node), codes[row as usize / 7]);
        }
        for (level, &nodes) in shape.levels.iter().enumerate() {
            for node in 0..nodes as u32 {
                assert!(shape.level(node) >= level);
                let links: Vec<u32> = graph.links(node, level).collect();
                let distinct: BTreeSet<u32> = links.iter().copied().collect();
                assert!(links.len() <= shape.most_links(level) && links.len() == distinct.len());
                assert!(distinct.iter().all(|&link| link != node && (link as usize) < nodes));
            }
        }
        // Searches start there in a file too, and a graph without additions stays the same.
        let opened = Hnsw::new(graph.bytes.clone(), shape.clone()).unwrap();
        assert_eq!(opened.entry, graph.entry);
        assert!(grown(Some(&opened), &codes, codes.len()).bytes == graph.bytes);
    }
}

#[test]
fn growing_can_be_ended() {
    let codes = codes(27, 2000);
    let rows: Vec<u32> = (0..2000).map(|at| 7 * at).collect();
    let mut growing =
        Growing::new::<Vec<u8>>(None, &rows, PARAMETERS, |row| codes[row as usize / 7].clone()).unwrap();
    let mut told = Vec::new();
    let ended = growing.grow(|done| {
        told.push(done);
        if done < 700 { Ok(()) } else { Err(Error::Cancelled { doing: "testing" }) }
    });
    assert!(matches!(ended, Err(Error::Cancelled { .. })));
    assert!(told.is_sorted() && told.last().is_some_and(|last| (700..2000).contains(last)), "{told:?}");
}

#[test]
fn what_is_empty_has_nothing_near_and_what_has_one_node_has_that() {
    let code = vec![1; code_len(DIMENSIONS)];
    let near = query_for(&code);
    let empty = grown(None, &[], 0);
    assert!(empty.bytes.is_empty() && empty.search(&near, 5).is_empty() && empty.reached().len() == 0);
    let one = grown(Some(&empty), std::slice::from_ref(&code), 0);
    let found: Vec<u32> = one.search(&near, 5).into_iter().map(|(_, row)| row).collect();
    assert_eq!((found, one.reached().len()), (vec![0], 1));
    assert!(one.search(&near, 0).is_empty());
}

#[test]
fn bytes_of_another_shape_are_no_graph_and_a_wrong_number_leads_nowhere() {
    let codes = codes(23, 60);
    let graph = grown(None, &codes, 0);
    let (good, shape) = (graph.bytes.clone(), graph.shape().clone());
    let opened = |bytes: Vec<u8>, shape: Shape| Hnsw::new(bytes, shape);
    for len in 0..good.len() {
        assert!(opened(good[..len].to_vec(), shape.clone()).is_none(), "cut to {len}");
    }
    assert!(opened([&good[..], &[0]].concat(), shape.clone()).is_none());
    let of = |levels: &[usize]| Shape { levels: levels.to_vec(), ..shape.clone() };
    for levels in
        [&[][..], &[60, 0], &[59, 60], &[60, 61], &[usize::MAX], &[u32::MAX as usize], &[usize::MAX / 8, 5]]
    {
        assert!(opened(good.clone(), of(levels)).is_none(), "{levels:?}");
    }
    for sizes in [(usize::MAX, 8), (DIMENSIONS, usize::MAX)] {
        let shape = Shape { dimensions: sizes.0, connectivity: sizes.1, ..shape.clone() };
        assert!(opened(good.clone(), shape).is_none(), "{sizes:?}");
    }
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        let bad = opened(bad, shape.clone()).unwrap();
        assert!(bad.search(&query_for(&codes[0]), 10).len() <= 10);
        bad.reached();
        if at % 11 == 0 {
            let code = |row: u32| codes[row as usize / 7 % 60].clone();
            Growing::new(Some(&bad), &[500, 507], PARAMETERS, code).unwrap().grow(|_| Ok(())).unwrap();
        }
    }
}
