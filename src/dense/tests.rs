//! The room as a whole, against naive models.

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
use crate::ids::{ChunkId, Digest};

const WEIGHTS: Digest = Digest([7; 32]);

fn small(exact_below: usize) -> DenseOptions {
    DenseOptions { exact_below, ..DenseOptions::default() }
}

/// `count` vectors around `count / 20` centres: as embeddings lie, not as noise does.
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

/// What the file keeps of a vector, computed in f64: of length 1, rounded to bf16, of length 1 again.
fn stored(vector: &[f32]) -> Vec<f64> {
    let unit = |v: Vec<f64>| {
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        v.into_iter().map(|x| x / length).collect::<Vec<f64>>()
    };
    let rounded = unit(vector.iter().map(|&x| f64::from(x)).collect());
    unit(rounded.into_iter().map(|x| bf16::from_f32(x as f32).to_f64()).collect())
}

/// What every chunk's row should hold.
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

/// An index of `vectors` with ids from 0 and a graph over all of them.
fn with_graph(dir: &Path, vectors: &[Vec<f32>]) -> DenseIndex {
    let mut index = create(dir, vectors[0].len(), 100);
    index.append(&rows(0, vectors)).unwrap();
    index.build_graph().unwrap();
    index
}

fn graph_folders(dir: &Path) -> Vec<std::path::PathBuf> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.file_name().unwrap().to_string_lossy().contains("graph-")).collect()
}

mod file {
    use super::*;

    #[test]
    fn keeps_everything_across_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(1, 50, 20);
        let mut index = create(&dir.path().join("dense"), 20, 10);
        index.append(&rows(3, &vectors[..30])).unwrap();
        index.append(&rows(33, &vectors[30..])).unwrap();
        index.sync().unwrap();
        drop(index);
        for index in [DenseIndex::open, DenseIndex::open_read_only] {
            let index = index(&dir.path().join("dense"), WEIGHTS).unwrap();
            assert_eq!((index.dimensions(), index.rows(), index.options()), (20, 50, &small(10)));
            let view = index.view(&ids(0..60)).unwrap();
            assert_eq!((view.len(), view.missing().len()), (50, 10));
            assert_eq!(view.missing()[2..4], ids([2, 53]));
            let expected = naive(&model(3, &vectors), &vectors[7], 10);
            assert_eq!(expected[0].0, ChunkId(10));
            assert_same(&view.search(&vectors[7], 10, None).unwrap(), &expected);
            for (chunk, vector) in model(3, &vectors) {
                let found = view.vector(chunk).unwrap();
                let error = |(f, s): (&f32, &f64)| (f64::from(*f) - s).abs();
                assert!(found.iter().zip(&vector).map(error).fold(0.0, f64::max) < 1e-6);
            }
        }
    }

    #[test]
    fn a_later_vector_of_a_chunk_replaces_the_earlier() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = create(dir.path(), 2, 10);
        let (east, north) = ([1.0, 0.0], [0.0, 1.0]);
        index.append(&[(ChunkId(5), &east), (ChunkId(2), &east), (ChunkId(5), &north)]).unwrap();
        let before = index.view(&ids([2, 5])).unwrap();
        index.append(&[(ChunkId(2), &north), (ChunkId(1), &east)]).unwrap();
        let check = |index: &DenseIndex| {
            let view = index.view(&ids([1, 2, 5])).unwrap();
            assert_eq!(view.vector(ChunkId(2)).unwrap(), north);
            assert_eq!(
                view.search(&north, 3, None).unwrap(),
                [(ChunkId(2), 1.0), (ChunkId(5), 1.0), (ChunkId(1), 0.0)]
            );
        };
        check(&index);
        check(&DenseIndex::open(dir.path(), WEIGHTS).unwrap());
        assert_eq!(before.vector(ChunkId(2)).unwrap(), east, "an older view does not change");
        assert!(!before.contains(ChunkId(1)));
    }

    #[test]
    fn what_cannot_be_compared_is_refused_and_nothing_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = create(dir.path(), 3, 10);
        let good = [1.0, 2.0, 3.0];
        index.append(&[(ChunkId(1), &good)]).unwrap();
        let before = fs::read(dir.path().join("vectors.bin")).unwrap();
        let view = index.view(&ids([1])).unwrap();
        let bad: [&[f32]; 6] = [
            &[],
            &[1.0, 2.0],
            &[1.0, 2.0, 3.0, 4.0],
            &[0.0, -0.0, 0.0],
            &[1.0, f32::NAN, 0.0],
            &[f32::INFINITY, 0.0, 0.0],
        ];
        for bad in bad {
            let append = index.append(&[(ChunkId(2), &good), (ChunkId(3), bad)]);
            assert!(matches!(append, Err(Error::Invalid { .. })), "{bad:?}");
            assert!(matches!(view.search(bad, 1, None), Err(Error::Invalid { .. })), "{bad:?}");
            assert!(matches!(view.score(bad, &[]), Err(Error::Invalid { .. })), "{bad:?}");
        }
        assert_eq!(fs::read(dir.path().join("vectors.bin")).unwrap(), before);
        assert_eq!(index.view(&ids([1, 2, 3])).unwrap().missing(), ids([2, 3]));
        index.append(&[]).unwrap();
        assert_eq!(fs::read(dir.path().join("vectors.bin")).unwrap(), before);
    }

    #[test]
    fn lists_out_of_order_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let index = create(dir.path(), 2, 10);
        for list in [ids([2, 1]), ids([1, 1])] {
            assert!(matches!(index.view(&list), Err(Error::Invalid { .. })));
            assert!(index.view(&[]).unwrap().search(&[1.0, 0.0], 1, Some(&list)).is_err());
        }
    }

    #[test]
    fn a_failed_write_leaves_the_index_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = create(dir.path(), 2, 10);
        index.append(&[(ChunkId(1), &[1.0, 0.0])]).unwrap();
        index.break_writes();
        assert!(matches!(index.append(&[(ChunkId(2), &[0.0, 1.0])]), Err(Error::Io { .. })));
        let view = index.view(&ids([1, 2])).unwrap();
        assert_eq!((view.len(), view.missing()), (1, &ids([2])[..]));
        assert_eq!(DenseIndex::open(dir.path(), WEIGHTS).unwrap().rows(), 1);
    }

    #[test]
    fn other_weights_a_second_creation_and_no_index_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        assert!(matches!(DenseIndex::open(at, WEIGHTS), Err(Error::NotFound { .. })));
        create(at, 2, 10);
        for open in [DenseIndex::open, DenseIndex::open_read_only] {
            let message = open(at, Digest([8; 32])).unwrap_err().to_string();
            assert!(message.contains(&WEIGHTS.to_string()) && message.contains("0808"), "{message}");
        }
        assert!(matches!(DenseIndex::create(at, 2, WEIGHTS, small(1)), Err(Error::Invalid { .. })));
        for dimensions in [0, 1 << 17] {
            assert!(DenseIndex::create(&at.join("other"), dimensions, WEIGHTS, small(1)).is_err());
        }
        for bad in [
            DenseOptions { connectivity: 1, ..small(1) },
            DenseOptions { expansion_build: 0, ..small(1) },
            DenseOptions { expansion_search: 5000, ..small(1) },
        ] {
            assert!(matches!(bad.validate(), Err(Error::Invalid { .. })), "{bad:?}");
            assert!(DenseIndex::create(&at.join("other"), 2, WEIGHTS, bad).is_err());
        }
        assert!(!at.join("other").exists());
    }

    #[test]
    fn a_torn_tail_is_cut_by_the_writer_and_looked_past_by_readers() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vectors.bin");
        let vectors = clustered(2, 4, 5);
        let mut index = create(dir.path(), 5, 10);
        index.append(&rows(0, &vectors[..3])).unwrap();
        let whole = fs::read(&path).unwrap();
        index.append(&rows(3, &vectors[3..])).unwrap();
        drop(index);
        let longer = fs::read(&path).unwrap();
        for len in whole.len()..longer.len() {
            fs::write(&path, &longer[..len]).unwrap();
            let reader = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
            assert_eq!((reader.rows(), fs::metadata(&path).unwrap().len()), (3, len as u64));
            let mut writer = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole, "{len}");
            writer.append(&rows(3, &vectors[3..])).unwrap();
            assert_eq!(fs::read(&path).unwrap(), longer);
            assert_eq!(reader.view(&ids(0..4)).unwrap().missing(), ids([3]));
        }
        for len in 0..128 {
            fs::write(&path, &longer[..len]).unwrap();
            assert!(matches!(DenseIndex::open(dir.path(), WEIGHTS), Err(Error::Damaged { .. })), "{len}");
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vectors.bin");
        let vectors = clustered(3, 3, 5);
        let mut index = create(dir.path(), 5, 10);
        index.append(&rows(0, &vectors)).unwrap();
        drop(index);
        let good = fs::read(&path).unwrap();
        let row_len = (good.len() - 128) / 3;
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bad).unwrap();
            let opened = DenseIndex::open_read_only(dir.path(), WEIGHTS);
            let Some(row) = (bit / 8).checked_sub(128).map(|at| at / row_len) else {
                assert!(opened.is_err(), "bit {bit}");
                continue;
            };
            let index = opened.unwrap();
            assert_eq!(index.damaged_rows(), [row as u32], "bit {bit}");
            let view = index.view(&ids(0..3)).unwrap();
            assert_eq!(view.missing(), ids([row as u64]));
            assert_eq!(view.search(&vectors[row], 3, None).unwrap().len(), 2);
            assert_eq!(view.score(&vectors[0], &ids([row as u64])).unwrap(), [None]);
        }
    }

    #[test]
    fn a_damaged_row_is_healed_by_encoding_its_chunk_again() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(4, 10, 6);
        let mut index = create(dir.path(), 6, 10);
        index.append(&rows(0, &vectors)).unwrap();
        drop(index);
        let path = dir.path().join("vectors.bin");
        let mut bytes = fs::read(&path).unwrap();
        bytes[128 + 32 * 4 + 20] ^= 4;
        fs::write(&path, bytes).unwrap();
        let mut index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
        let missing = index.view(&ids(0..10)).unwrap().missing().to_vec();
        assert_eq!(missing, ids([4]));
        index.append(&[(ChunkId(4), &vectors[4])]).unwrap();
        for index in [index, DenseIndex::open(dir.path(), WEIGHTS).unwrap()] {
            let view = index.view(&ids(0..10)).unwrap();
            assert!(view.missing().is_empty());
            assert_same(
                &view.search(&vectors[4], 10, None).unwrap(),
                &naive(&model(0, &vectors), &vectors[4], 10),
            );
            assert_eq!(index.damaged_rows(), [4]);
        }
    }

    #[test]
    fn a_reader_takes_up_what_the_writer_adds() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(5, 300, 8);
        let mut writer = create(dir.path(), 8, 50);
        let mut reader = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
        assert!(matches!(reader.append(&rows(0, &vectors)), Err(Error::ReadOnly { .. })));
        assert!(matches!(reader.build_graph(), Err(Error::ReadOnly { .. })));
        let mut views = Vec::new();
        for (at, part) in vectors.chunks(100).enumerate() {
            writer.append(&rows(100 * at as u64, part)).unwrap();
            writer.build_graph().unwrap();
            reader.refresh().unwrap();
            assert!(reader.has_graph());
            views.push(reader.view(&ids(0..300)).unwrap());
        }
        for (at, view) in views.iter().enumerate() {
            let known = &vectors[..100 * (at + 1)];
            assert_eq!(view.len(), known.len());
            assert_same(
                &view.search(&vectors[42], 5, None).unwrap(),
                &naive(&model(0, known), &vectors[42], 5),
            );
        }
    }
}

mod searching {
    use super::*;

    #[test]
    fn ties_are_broken_by_id_and_k_is_bounded_by_what_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = create(dir.path(), 3, 10);
        let (a, b) = ([1.0, 1.0, 0.0], [0.0, 0.0, 1.0]);
        index.append(&[9, 4, 7, 1].map(|id| (ChunkId(id), if id == 4 { &b[..] } else { &a[..] }))).unwrap();
        let view = index.view(&ids([1, 4, 7, 9])).unwrap();
        let order = |k| view.search(&a, k, None).unwrap().into_iter().map(|hit| hit.0.0).collect::<Vec<_>>();
        assert_eq!(order(0), [0u64; 0]);
        assert_eq!(order(2), [1, 7]);
        assert_eq!(order(4), [1, 7, 9, 4]);
        assert_eq!(order(usize::MAX), [1, 7, 9, 4]);
        assert_eq!(view.search(&a, 5, Some(&ids([2, 4, 9, 12]))).unwrap().len(), 2);
        assert!(view.search(&a, 5, Some(&[])).unwrap().is_empty());
        assert!(index.view(&[]).unwrap().search(&a, 5, None).unwrap().is_empty());
        let scores = view.score(&[2.0, 2.0, 0.0], &ids([9, 3, 4])).unwrap();
        assert_eq!(scores, [Some(1.0), None, Some(0.0)]);
    }

    #[test]
    fn many_rows_are_shared_out_among_threads_with_the_same_result() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(7, 9000, 8);
        let mut index = create(dir.path(), 8, 10_000);
        index.append(&rows(0, &vectors)).unwrap();
        let view = index.view(&ids(0..9000)).unwrap();
        let model = model(0, &vectors);
        for k in [1, 10, 5000] {
            assert_same(&view.search(&vectors[8999], k, None).unwrap(), &naive(&model, &vectors[8999], k));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_history_gives_what_a_map_gives(
            dimensions in 1usize..20,
            exact_below in prop_oneof![Just(0), Just(15), Just(1000)],
            steps in prop::collection::vec(
                (prop::collection::vec((0u64..60, 1u64..1000), 0..25), any::<bool>(), any::<bool>()), 1..5),
            dead in prop::collection::btree_set(0u64..60, 0..20),
            allowed in prop::option::of(prop::collection::btree_set(0u64..70, 0..60)),
            k in 0usize..30,
            seed in any::<u64>(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut index = create(dir.path(), dimensions, exact_below);
            let mut model = BTreeMap::new();
            let vector = |seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                // Coarse values: equal vectors and equal scores occur.
                (0..dimensions).map(|_| rng.random_range(-2i8..=2)).map(|x| f32::from(x) + 0.25).collect::<Vec<f32>>()
            };
            for (batch, graph, reopen) in steps {
                let batch: Vec<_> = batch.into_iter().map(|(id, seed)| (ChunkId(id), vector(seed))).collect();
                index.append(&batch.iter().map(|(id, v)| (*id, v.as_slice())).collect::<Vec<_>>()).unwrap();
                model.extend(batch.iter().map(|(id, v)| (*id, stored(v))));
                if graph {
                    index.build_graph().unwrap();
                }
                if reopen {
                    index.sync().unwrap();
                    index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
                }
            }
            let live = ids((0..60).filter(|id| !dead.contains(id)));
            let view = index.view(&live).unwrap();
            prop_assert!(view.missing().iter().all(|id| !model.contains_key(id)));
            model.retain(|id, _| !dead.contains(&id.0));
            prop_assert_eq!(view.chunks(), model.keys().copied().collect::<Vec<_>>());
            let allowed = allowed.map(ids);
            if let Some(allowed) = &allowed {
                model.retain(|id, _| allowed.contains(id));
            }
            let query = vector(seed);
            assert_same(&view.search(&query, k, allowed.as_deref()).unwrap(), &naive(&model, &query, k));
        }
    }
}

mod graphs {
    use super::*;

    fn recall(view: &DenseView, model: &Model, queries: &[Vec<f32>], allowed: Option<&[ChunkId]>) -> f64 {
        let (mut found, mut all) = (0, 0);
        for query in queries {
            let expected = naive(model, query, 10);
            let hits = view.search(query, 10, allowed).unwrap();
            assert_eq!(hits.len(), expected.len());
            assert!(hits.iter().all(|hit| model.contains_key(&hit.0)));
            let cut = expected.last().map_or(0.0, |hit| hit.1) - 1e-6;
            found += hits.iter().filter(|hit| f64::from(hit.1) >= cut).count();
            all += expected.len();
        }
        found as f64 / all as f64
    }

    /// Every fifth vector is a copy of its neighbour: real folders hold the same licence text a hundred times.
    fn with_copies(seed: u64, count: usize) -> Vec<Vec<f32>> {
        let mut vectors = clustered(seed, count, 32);
        for i in (4..count).step_by(5) {
            vectors[i] = vectors[if i % 3 == 0 { 4 } else { i - 1 }].clone();
        }
        vectors
    }

    #[test]
    fn finds_what_an_exact_search_finds_under_deletes_filters_and_growth() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = with_copies(8, 9000);
        let mut index = with_graph(dir.path(), &vectors[..8400]);
        let queries = clustered(8, 9000, 32).into_iter().step_by(301).collect::<Vec<_>>();
        let all = model(0, &vectors[..8400]);
        let view = index.view(&ids(0..8400)).unwrap();
        assert!(view.uses_graph(&queries[0], 10, None));
        assert!(recall(&view, &all, &queries, None) >= 0.98);

        index.append(&rows(8400, &vectors[8400..])).unwrap();
        let alive = |id: &u64| id % 8 != 1;
        let view = index.view(&ids((0..9000).filter(alive))).unwrap();
        let mut living = model(0, &vectors);
        living.retain(|id, _| alive(&id.0));
        assert!(view.uses_graph(&queries[0], 10, None));
        assert!(recall(&view, &living, &queries, None) >= 0.98);
        for id in (8400..9000).filter(alive).step_by(29) {
            let best = view.search(&vectors[id as usize], 1, None).unwrap()[0];
            assert!(best.1 > 0.99999, "{id}: a row behind the graph is found");
        }
        for (share, allowed, by_graph) in [
            ("three in four", ids((0..9900).filter(|id| id % 4 != 3)), true),
            ("one in five", ids((0..9900).step_by(5)), false),
            ("one in 3000", ids((0..9900).step_by(3000)), false),
        ] {
            let mut among = living.clone();
            among.retain(|id, _| allowed.binary_search(id).is_ok());
            assert_eq!(view.uses_graph(&queries[0], 10, Some(&allowed)), by_graph, "{share}");
            assert!(recall(&view, &among, &queries, Some(&allowed)) >= 0.98, "{share}");
        }
    }

    #[test]
    fn a_filter_that_shuns_the_query_still_gets_its_hits() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(9, 6000, 8);
        let view = with_graph(dir.path(), &vectors).view(&ids(0..6000)).unwrap();
        let (near, away) = (&vectors[11], vectors[11].iter().map(|x| -x).collect::<Vec<f32>>());
        // All but the thousand nearest: of what the graph proposes for the query nothing is allowed.
        let mut far: Vec<ChunkId> =
            view.search(near, 6000, None).unwrap()[1000..].iter().map(|hit| hit.0).collect();
        far.sort();
        let mut among = model(0, &vectors);
        among.retain(|id, _| far.binary_search(id).is_ok());
        assert!(view.uses_graph(&away, 10, Some(&far)) && !view.uses_graph(near, 10, Some(&far)));
        assert_same(&view.search(near, 10, Some(&far)).unwrap(), &naive(&among, near, 10));
    }

    #[test]
    fn copies_do_not_tear_the_graph_apart_and_are_all_found() {
        let dir = tempfile::tempdir().unwrap();
        // One text four thousand times among a thousand others; half of it comes after the first build.
        let mut vectors = clustered(16, 5000, 8);
        for i in (0..5000).filter(|i| i % 5 != 0) {
            vectors[i] = vectors[1].clone();
        }
        let mut index = with_graph(dir.path(), &vectors[..2500]);
        index.append(&rows(2500, &vectors[2500..])).unwrap();
        index.build_graph().unwrap();
        let sidecar = index.graph().unwrap().sidecar();
        assert_eq!((sidecar.nodes, sidecar.copies.len()), (1001, 3999));
        assert!(sidecar.left_out.len() < 20, "{} rows are out of reach", sidecar.left_out.len());
        let view = index.view(&ids(1..5000)).unwrap();
        for id in (5..5000).step_by(5) {
            assert_eq!(view.search(&vectors[id], 1, None).unwrap()[0].0, ChunkId(id as u64));
        }
        let first =
            view.search(&vectors[1], 5, None).unwrap().into_iter().map(|hit| hit.0).collect::<Vec<_>>();
        assert_eq!(first, ids([1, 2, 3, 4, 6]));
        assert!(view.uses_graph(&vectors[1], 5, None));
    }

    #[test]
    fn a_row_that_was_outdated_when_the_graph_was_built_is_found_when_its_successor_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(17, 3000, 8);
        let mut index = create(dir.path(), 8, 100);
        index.append(&rows(0, &vectors)).unwrap();
        index.append(&[(ChunkId(7), &vectors[7])]).unwrap();
        index.build_graph().unwrap();
        assert_eq!(index.graph().unwrap().sidecar().left_out, [7]);
        drop(index);
        let path = dir.path().join("vectors.bin");
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
        let index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
        assert!(index.has_graph());
        let view = index.view(&ids(0..3000)).unwrap();
        assert!(view.uses_graph(&vectors[7], 1, None));
        assert_eq!(view.search(&vectors[7], 1, None).unwrap()[0].0, ChunkId(7));
    }

    #[test]
    fn is_wanted_when_too_many_rows_would_be_scored_one_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(10, 300, 8);
        let mut index = create(dir.path(), 8, 100);
        let mut wanted = Vec::new();
        for (at, part) in vectors.chunks(50).enumerate() {
            index.append(&rows(50 * at as u64, part)).unwrap();
            wanted.push(index.wants_graph());
            if index.wants_graph() {
                index.build_graph().unwrap();
                assert!(!index.wants_graph());
            }
        }
        assert_eq!(wanted, [false, false, true, false, false, true]);
        assert_eq!(graph_folders(dir.path()).len(), 1, "older graphs are removed");
    }

    #[test]
    fn is_added_to_while_it_is_fresh_and_built_anew_when_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(11, 1000, 16);
        let mut index = with_graph(dir.path(), &vectors[..800]);
        let added = |index: &mut DenseIndex| {
            let mut most = 0;
            let built = index.graph_builder().unwrap().build(&mut |_, of| {
                most = of;
                ControlFlow::Continue(())
            });
            index.install(built.unwrap()).unwrap();
            most
        };
        index.append(&rows(800, &vectors[800..])).unwrap();
        assert_eq!(added(&mut index), 200);
        assert_eq!(index.graph().unwrap().covered(), 1000);
        assert!(
            recall(&index.view(&ids(0..1000)).unwrap(), &model(0, &vectors), &vectors[..50], None) >= 0.98
        );
        index.append(&rows(0, &vectors[..400])).unwrap();
        assert_eq!(added(&mut index), 1000);
        assert_eq!(index.graph().unwrap().covered(), 1000);
    }

    #[test]
    fn one_that_cannot_be_built_leaves_searches_exact_and_waits_for_more_rows() {
        let dir = tempfile::tempdir().unwrap();
        let (at, away) = (dir.path().join("dense"), dir.path().join("away"));
        let vectors = clustered(14, 500, 8);
        let mut index = create(&at, 8, 100);
        let keep = |index: &mut DenseIndex| index.keep_graph(&mut |_, _| ControlFlow::Continue(()));
        index.append(&rows(0, &vectors[..200])).unwrap();
        fs::rename(&at, &away).unwrap();
        keep(&mut index).unwrap();
        fs::rename(&away, &at).unwrap();
        let view = index.view(&ids(0..200)).unwrap();
        assert!(!view.uses_graph(&vectors[7], 1, None));
        assert_eq!(view.search(&vectors[7], 1, None).unwrap()[0].0, ChunkId(7));
        index.append(&rows(200, &vectors[200..300])).unwrap();
        keep(&mut index).unwrap();
        assert!(!index.has_graph(), "not again after so few");
        index.append(&rows(300, &vectors[300..])).unwrap();
        let cancelled = index.keep_graph(&mut |_, _| ControlFlow::Break(()));
        assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
        keep(&mut index).unwrap();
        assert_eq!(index.graph().unwrap().rows(), 500);
    }

    #[test]
    fn a_build_runs_while_the_index_grows_and_can_be_cancelled() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(12, 700, 8);
        let mut index = create(dir.path(), 8, 100);
        index.append(&rows(0, &vectors[..600])).unwrap();
        let cancelled = index.graph_builder().unwrap().build(&mut |done, _| {
            if done == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
        assert!(graph_folders(dir.path()).is_empty());
        let builder = index.graph_builder().unwrap();
        let build = std::thread::spawn(move || builder.build(&mut |_, _| ControlFlow::Continue(())));
        index.append(&rows(600, &vectors[600..])).unwrap();
        index.install(build.join().unwrap().unwrap()).unwrap();
        assert_eq!(index.graph().unwrap().rows(), 600);
        let index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
        assert_eq!(index.graph().unwrap().rows(), 600);
        assert!(
            recall(&index.view(&ids(0..700)).unwrap(), &model(0, &vectors), &vectors[..40], None) >= 0.98
        );
    }

    #[test]
    fn a_damaged_or_foreign_graph_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(13, 400, 8);
        drop(with_graph(dir.path(), &vectors));
        let folder = graph_folders(dir.path()).remove(0);
        let check = |what: &str, usable: bool| {
            let index = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
            assert_eq!(index.has_graph(), usable, "{what}");
            let view = index.view(&ids(0..400)).unwrap();
            assert_same(
                &view.search(&vectors[3], 5, None).unwrap(),
                &naive(&model(0, &vectors), &vectors[3], 5),
            );
        };
        check("untouched", true);
        for name in ["graph.usearch", "graph.json"] {
            let path = folder.join(name);
            let good = fs::read(&path).unwrap();
            for at in (0..good.len()).step_by(good.len() / 30).chain([good.len() - 1]) {
                let mut bad = good.clone();
                bad[at] ^= 0x10;
                fs::write(&path, &bad).unwrap();
                check(&format!("{name} with byte {at} changed"), false);
                fs::write(&path, &good[..at]).unwrap();
                check(&format!("{name} cut to {at}"), false);
            }
            fs::remove_file(&path).unwrap();
            check(&format!("no {name}"), false);
            fs::write(&path, &good).unwrap();
        }
        check("restored", true);

        let other = tempfile::tempdir().unwrap();
        let mut shuffled = vectors.clone();
        shuffled.swap(1, 2);
        drop(with_graph(other.path(), &shuffled));
        fs::copy(other.path().join("vectors.bin"), dir.path().join("vectors.bin")).unwrap();
        let mut index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
        assert!(!index.has_graph(), "a graph of other rows");
        assert!(!folder.exists(), "the writer removes what cannot be used");
        index.build_graph().unwrap();
        assert!(index.has_graph());
    }

    #[test]
    fn left_overs_of_a_killed_build_are_removed_by_the_writer() {
        let dir = tempfile::tempdir().unwrap();
        drop(with_graph(dir.path(), &clustered(14, 300, 8)));
        let left = dir.path().join(".tmp-graph-00ff");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("graph.usearch"), b"half").unwrap();
        assert!(DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap().has_graph() && left.exists());
        assert!(DenseIndex::open(dir.path(), WEIGHTS).unwrap().has_graph() && !left.exists());
    }

    #[test]
    fn more_searches_at_once_than_the_graph_takes_are_all_answered() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(15, 4000, 8);
        let index = with_graph(dir.path(), &vectors);
        let view = index.view(&ids(0..4000)).unwrap();
        drop(index);
        std::thread::scope(|scope| {
            for query in vectors.iter().take(100) {
                let view = &view;
                scope.spawn(move || {
                    for _ in 0..5 {
                        assert!(view.search(query, 3, None).unwrap()[0].1 > 0.99999);
                    }
                });
            }
        });
    }
}
