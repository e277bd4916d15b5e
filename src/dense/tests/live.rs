//! The live part: rows that are found before they are sealed.

use super::*;

/// An index whose rows after the segments are in the live part.
fn with_live_rows(dir: &Path, vectors: &[Vec<f32>]) -> DenseIndex {
    let mut index = create(dir, vectors[0].len(), 100);
    index.append(&rows(0, vectors)).unwrap();
    index.live_rows().unwrap().add(&mut go_on).unwrap();
    index
}

#[test]
fn finds_what_an_exact_search_finds_and_leaves_the_last_rows_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(41, 4500, 24);
    let view = everything(&with_live_rows(dir.path(), &vectors));
    let model = model(0, &vectors);
    let mut found = 0;
    for query in vectors.iter().step_by(45) {
        let proposed = view.proposed(query, 10, None).unwrap().expect("a search of the live part");
        assert!(proposed.len() < 2000, "{}", proposed.len());
        let best = naive(&model, query, 10);
        let hits = view.search(query, 10, None).unwrap();
        found += hits.iter().filter(|hit| f64::from(hit.1) >= best[9].1 - 1e-6).count();
    }
    assert!(found >= 980, "{found} of 1000");
    // The few rows that were not added yet are scored one by one.
    for (id, vector) in (4097..).zip(&vectors[4097..]) {
        assert_eq!(view.search(vector, 1, None).unwrap()[0].0, ChunkId(id));
    }
}

#[test]
fn a_view_does_not_see_rows_that_came_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(42, 8000, 16);
    let mut index = with_live_rows(dir.path(), &vectors[..4200]);
    let (before, removed) =
        (everything(&index), index.view(&ids((0..4200).filter(|id| id % 4 != 1))).unwrap());
    index.append(&rows(4200, &vectors[4200..])).unwrap();
    index.live_rows().unwrap().add(&mut go_on).unwrap();
    let after = everything(&index);
    for query in (0..8000).step_by(61) {
        assert!(before.search(&vectors[query], 10, None).unwrap().iter().all(|hit| hit.0.0 < 4200));
        assert!(removed.search(&vectors[query], 10, None).unwrap().iter().all(|hit| hit.0.0 % 4 != 1));
        assert!(after.search(&vectors[query], 1, None).unwrap()[0].1 > 0.9999);
    }
    assert!(after.proposed(&vectors[0], 10, None).unwrap().is_some());
}

#[test]
fn copies_are_all_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut vectors = clustered(43, 5000, 8);
    for i in (0..5000).filter(|i| i % 5 != 0) {
        vectors[i] = vectors[1].clone();
    }
    let view = everything(&with_live_rows(dir.path(), &vectors));
    let first = view.search(&vectors[1], 5, None).unwrap().into_iter().map(|hit| hit.0).collect::<Vec<_>>();
    assert_eq!(first, ids([1, 2, 3, 4, 6]));
    for id in (5..5000).step_by(5) {
        assert_eq!(view.search(&vectors[id], 1, None).unwrap()[0].0, ChunkId(id as u64));
    }
}

#[test]
fn gives_way_to_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(44, 6000, 8);
    let mut index = with_live_rows(dir.path(), &vectors[..4000]);
    let before = everything(&index);
    merge_all(&mut index);
    assert!(index.live_rows().is_none());
    index.append(&rows(4000, &vectors[4000..])).unwrap();
    index.live_rows().unwrap().add(&mut go_on).unwrap();
    // The live part now starts after the segment: it is of no use to the older view.
    for view in [before, everything(&index)] {
        for id in (0..view.len()).step_by(97) {
            assert_eq!(view.search(&vectors[id], 1, None).unwrap()[0].0, ChunkId(id as u64));
        }
    }
}

#[test]
fn adding_can_be_cancelled_and_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(45, 6000, 8);
    let mut index = create(dir.path(), 8, 100);
    index.append(&rows(0, &vectors)).unwrap();
    let live = index.live_rows().unwrap();
    let cancelled = live.add(&mut |done, _| {
        if done < 4500 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
    let view = everything(&index);
    let exact = |view: &DenseView| view.proposed(&vectors[0], 1, None).unwrap().unwrap().len();
    let some = exact(&view);
    live.add(&mut go_on).unwrap();
    assert!(exact(&view) < some, "the same view has fewer rows to score");
    assert_eq!(view.search(&vectors[5999], 1, None).unwrap()[0].0, ChunkId(5999));
}

#[test]
fn is_searched_while_it_grows() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(46, 12_000, 16);
    let mut index = create(dir.path(), 16, 100);
    index.append(&rows(0, &vectors)).unwrap();
    let (view, live) = (everything(&index), index.live_rows().unwrap());
    let done = std::sync::atomic::AtomicBool::new(false);
    crossbeam_utils::thread::scope(|scope| {
        for thread in 0..3 {
            let (view, vectors, done) = (&view, &vectors, &done);
            scope.spawn(move |_| {
                let mut searches = 0;
                while !done.load(std::sync::atomic::Ordering::Acquire) || searches < 200 {
                    let id = (searches * 379 + thread * 97) % vectors.len();
                    assert!(view.search(&vectors[id], 3, None).unwrap()[0].1 > 0.9999, "{id}");
                    searches += 1;
                }
            });
        }
        live.add(&mut go_on).unwrap();
        done.store(true, std::sync::atomic::Ordering::Release);
    })
    .unwrap();
    assert!(view.proposed(&vectors[0], 1, None).unwrap().is_some());
}

#[test]
fn a_reader_and_a_small_index_have_none() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(47, 3000, 8);
    let mut index = create(dir.path(), 8, 100);
    index.append(&rows(0, &vectors[..1000])).unwrap();
    assert!(index.live_rows().is_none());
    index.append(&rows(1000, &vectors[1000..])).unwrap();
    assert!(index.live_rows().is_some());
    assert!(DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap().live_rows().is_none());
}
