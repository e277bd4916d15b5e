//! Searches against a naive model.

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
    assert!(view.search(&a, 5, Some(&ids([]))).unwrap().is_empty());
    assert!(index.view(&[]).unwrap().search(&a, 5, None).unwrap().is_empty());
    let scores = view.score(&[2.0, 2.0, 0.0], &ids([9, 3, 4, 0, 12])).unwrap();
    assert_eq!(scores, [Some(1.0), None, Some(0.0), None, None]);
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
                merge_all(&mut index);
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
            model.retain(|id, _| ChunkSet::contains(allowed, *id));
        }
        let query = vector(seed);
        assert_same(&view.search(&query, k, as_set(allowed.as_ref())).unwrap(), &naive(&model, &query, k));
    }
}
