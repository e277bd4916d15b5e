//! Segments: built, extended, ignored.

use super::*;

fn recall(view: &DenseView, model: &Model, queries: &[Vec<f32>], allowed: Option<&Vec<ChunkId>>) -> f64 {
    let (mut found, mut all) = (0, 0);
    for query in queries {
        let expected = naive(model, query, 10);
        let hits = view.search(query, 10, as_set(allowed)).unwrap();
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

fn uses_graph(view: &DenseView, query: &[f32], k: usize, allowed: Option<&dyn ChunkSet>) -> bool {
    view.proposed(query, k, allowed).unwrap().is_some()
}

#[test]
fn finds_what_an_exact_search_finds_under_deletes_filters_and_growth() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = with_copies(8, 9000);
    let mut index = with_graph(dir.path(), &vectors[..8400]);
    let queries = clustered(8, 9000, 32).into_iter().step_by(301).collect::<Vec<_>>();
    let all = model(0, &vectors[..8400]);
    let view = index.view(&ids(0..8400)).unwrap();
    assert!(uses_graph(&view, &queries[0], 10, None));
    assert!(recall(&view, &all, &queries, None) >= 0.98);

    index.append(&rows(8400, &vectors[8400..])).unwrap();
    let alive = |id: &u64| id % 8 != 1;
    let view = index.view(&ids((0..9000).filter(alive))).unwrap();
    let mut living = model(0, &vectors);
    living.retain(|id, _| alive(&id.0));
    assert!(uses_graph(&view, &queries[0], 10, None));
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
        assert_eq!(uses_graph(&view, &queries[0], 10, Some(&allowed)), by_graph, "{share}");
        assert!(recall(&view, &among, &queries, Some(&allowed)) >= 0.98, "{share}");
    }
}

#[test]
fn an_element_that_is_too_wide_for_a_code_costs_no_recall() {
    let dir = tempfile::tempdir().unwrap();
    let mut vectors = clustered(19, 3000, 256);
    // One element has about half of every vector's length, as with some encoders; a code clips it at 0.16.
    vectors.iter_mut().for_each(|vector| vector[7] += 9.0);
    let view = with_graph(dir.path(), &vectors).view(&ids(0..3000)).unwrap();
    let all = model(0, &vectors);
    let widest = all.values().map(|vector| vector[7]).fold(f64::MAX, f64::min);
    assert!(widest > 0.16, "{widest}");
    let queries: Vec<Vec<f32>> = vectors.iter().step_by(101).cloned().collect();
    assert!(uses_graph(&view, &queries[0], 10, None));
    assert!(recall(&view, &all, &queries, None) >= 0.98);
}

#[test]
fn rows_that_cannot_be_are_no_graph_whatever_the_checksum_says() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_graph(dir.path(), &with_copies(21, 500)));
    let folder = graph_folders(dir.path()).remove(0);
    let (file, json) = (folder.join("graph.hnsw"), folder.join("graph.json"));
    let good = fs::read(&file).unwrap();
    let read =
        || -> serde_json::Value { crate::storage::read_envelope(&json, "dense-graph", 5).unwrap().unwrap() };
    let sidecar = read();
    let usable = |what: &str, bytes: &[u8], change: &dyn Fn(&mut serde_json::Value)| {
        let mut sidecar = sidecar.clone();
        sidecar["file_crc"] = crc32fast::hash(bytes).into();
        change(&mut sidecar);
        fs::write(&file, bytes).unwrap();
        crate::storage::write_envelope(&json, "dense-graph", 5, &sidecar).unwrap();
        let index = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
        assert_eq!(index.segments().len(), usize::from(what == "nothing"), "{what}");
    };
    usable("nothing", &good, &|_| ());
    // The last node's row: one that does not exist, and that of the node before it.
    let last = good.len() - 4;
    usable("a row beyond", &[&good[..last], &[255; 4]].concat(), &|_| ());
    usable("a row twice", &[&good[..last], &good[last - 4..last]].concat(), &|_| ());
    usable("a copy beyond", &good, &|sidecar| sidecar["copies"][0][1] = u32::MAX.into());
    usable("a copy of none", &good, &|sidecar| sidecar["copies"][0][0] = u32::MAX.into());
    usable("a copy twice", &good, &|sidecar| sidecar["copies"][1] = sidecar["copies"][0].clone());
    usable("too many rows", &good, &|sidecar| sidecar["rows"] = u64::MAX.into());
    let mut index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    merge_all(&mut index);
    assert!(!index.segments().is_empty());
}

#[test]
fn a_graph_of_a_version_that_is_not_known_is_ignored_and_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = with_graph(dir.path(), &clustered(20, 400, 8));
    let path = graph_folders(dir.path())[0].join("graph.json");
    let sidecar = serde_json::to_value(index.segments()[0].sidecar()).unwrap();
    crate::storage::write_envelope(&path, "dense-graph", 3, &sidecar).unwrap();
    drop(index);
    index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    assert!(index.segments().is_empty());
    merge_all(&mut index);
    assert!(!index.segments().is_empty());
}

#[test]
fn a_graph_of_the_version_before_is_the_first_segment() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(20, 900, 8);
    let mut index = with_graph(dir.path(), &vectors[..400]);
    let path = graph_folders(dir.path())[0].join("graph.json");
    let mut sidecar = serde_json::to_value(index.segments()[0].sidecar()).unwrap();
    assert_eq!((&sidecar["rows"], &sidecar["basis"]["expansion_build"]), (&400.into(), &128.into()));
    // Version 4 had no first row, and listed rows that are not nodes.
    sidecar.as_object_mut().unwrap().remove("first").unwrap();
    crate::storage::write_envelope(&path, "dense-graph", 4, &sidecar).unwrap();
    drop(index);
    index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    assert_eq!(index.segments()[0].rows(), 0..400);
    index.append(&rows(400, &vectors[400..])).unwrap();
    merge_all(&mut index);
    assert_eq!(index.segments().iter().map(|segment| segment.rows()).collect::<Vec<_>>(), [0..400, 400..900]);
    assert!(recall(&everything(&index), &model(0, &vectors), &vectors[..60], None) >= 0.98);
}

#[test]
fn a_filter_that_shuns_the_query_still_gets_its_hits() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(9, 6000, 8);
    let view = with_graph(dir.path(), &vectors).view(&ids(0..6000)).unwrap();
    let (near, away) = (&vectors[11], vectors[11].iter().map(|x| -x).collect::<Vec<f32>>());
    // All except the thousand nearest: none of the graph's proposals for the query is allowed.
    let mut far: Vec<ChunkId> =
        view.search(near, 6000, None).unwrap()[1000..].iter().map(|hit| hit.0).collect();
    far.sort();
    let mut among = model(0, &vectors);
    among.retain(|id, _| far.binary_search(id).is_ok());
    assert!(uses_graph(&view, &away, 10, Some(&far)) && !uses_graph(&view, near, 10, Some(&far)));
    assert_same(&view.search(near, 10, Some(&far)).unwrap(), &naive(&among, near, 10));
}

#[test]
fn rows_that_the_graph_does_not_cover_do_not_hide_that_it_found_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(9, 6000, 8);
    let (old, new) = vectors.split_at(5900);
    let mut index = with_graph(dir.path(), old);
    index.append(&rows(5900, new)).unwrap();
    let view = index.view(&ids(0..6000)).unwrap();
    let near = &vectors[11];
    let mut far: Vec<ChunkId> =
        view.search(near, 6000, None).unwrap()[1000..].iter().map(|hit| hit.0).collect();
    far.sort();
    assert!(far.iter().filter(|id| id.0 >= 5900).count() > 10);
    let mut among = model(0, &vectors);
    among.retain(|id, _| far.binary_search(id).is_ok());
    assert_same(&view.search(near, 10, Some(&far)).unwrap(), &naive(&among, near, 10));
}

#[test]
fn copies_do_not_tear_the_graph_apart_and_are_all_found() {
    let dir = tempfile::tempdir().unwrap();
    // One text four thousand times among a thousand others; most of it comes after the first build.
    let mut vectors = clustered(16, 5000, 8);
    for i in (0..5000).filter(|i| i % 5 != 0) {
        vectors[i] = vectors[1].clone();
    }
    let mut index = with_graph(dir.path(), &vectors[..900]);
    index.append(&rows(900, &vectors[900..])).unwrap();
    merge_all(&mut index);
    let sidecar = index.segments()[0].sidecar();
    assert_eq!((sidecar.levels[0], sidecar.copies.len()), (1001, 3999));
    assert!(sidecar.left_out.len() < 20, "{} rows are out of reach", sidecar.left_out.len());
    let view = index.view(&ids(1..5000)).unwrap();
    for id in (5..5000).step_by(5) {
        assert_eq!(view.search(&vectors[id], 1, None).unwrap()[0].0, ChunkId(id as u64));
    }
    let first = view.search(&vectors[1], 5, None).unwrap().into_iter().map(|hit| hit.0).collect::<Vec<_>>();
    assert_eq!(first, ids([1, 2, 3, 4, 6]));
    assert!(uses_graph(&view, &vectors[1], 5, None));
}

#[test]
fn of_many_equal_vectors_the_lowest_ids_come_first_however_late_they_were_added() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(23, 2000, 8);
    let mut index = create(dir.path(), 8, 100);
    index.append(&rows(0, &vectors)).unwrap();
    let equal: Vec<(ChunkId, &[f32])> = (2000..2600).rev().map(|id| (ChunkId(id), &vectors[1][..])).collect();
    index.append(&equal).unwrap();
    merge_all(&mut index);
    let view = index.view(&ids(0..2600)).unwrap();
    assert!(uses_graph(&view, &vectors[1], 5, None));
    let first: Vec<ChunkId> =
        view.search(&vectors[1], 5, None).unwrap().into_iter().map(|hit| hit.0).collect();
    assert_eq!(first, ids([1, 2000, 2001, 2002, 2003]));
}

#[test]
fn a_row_that_was_outdated_when_the_graph_was_built_is_found_when_its_successor_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(17, 3000, 8);
    let mut index = create(dir.path(), 8, 100);
    index.append(&rows(0, &vectors)).unwrap();
    index.append(&[(ChunkId(7), &vectors[7])]).unwrap();
    merge_all(&mut index);
    assert!(!index.segments()[0].finds(7) && index.segments()[0].finds(8));
    drop(index);
    let path = dir.path().join("vectors.bin");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    assert!(!index.segments().is_empty());
    let view = index.view(&ids(0..3000)).unwrap();
    assert!(uses_graph(&view, &vectors[7], 1, None));
    assert_eq!(view.search(&vectors[7], 1, None).unwrap()[0].0, ChunkId(7));
}

#[test]
fn is_built_when_too_many_rows_would_be_scored_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(10, 300, 8);
    let mut index = create(dir.path(), 8, 100);
    let mut segments = Vec::new();
    for (at, part) in vectors.chunks(50).enumerate() {
        index.append(&rows(50 * at as u64, part)).unwrap();
        merge_all(&mut index);
        segments.push(index.segments().len());
    }
    assert_eq!(segments, [0, 0, 1, 1, 1, 2]);
}

#[test]
fn is_not_built_where_vectors_are_too_short_for_codes() {
    for (dimensions, segments) in [(7, 0), (8, 1)] {
        let dir = tempfile::tempdir().unwrap();
        let index = with_graph(dir.path(), &clustered(24, 300, dimensions));
        assert_eq!(index.segments().len(), segments, "{dimensions}");
    }
}

#[test]
fn finds_vectors_of_an_odd_number_of_elements() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(25, 3000, 17);
    let view = with_graph(dir.path(), &vectors).view(&ids(0..3000)).unwrap();
    let queries: Vec<Vec<f32>> = vectors.iter().step_by(101).cloned().collect();
    assert!(uses_graph(&view, &queries[0], 10, None));
    assert!(recall(&view, &model(0, &vectors), &queries, None) >= 0.98);
}

#[test]
fn a_graph_is_added_to_while_it_is_fresh_and_built_anew_when_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(11, 1000, 16);
    let mut index = with_graph(dir.path(), &vectors[..200]);
    let merged = |index: &mut DenseIndex| {
        let (mut added, view) = (Vec::new(), everything(index));
        let mut tell = |done, of| {
            if done == 0 && added.last() != Some(&of) {
                added.push(of);
            }
            ControlFlow::Continue(())
        };
        index.merge_all(&view, &mut tell).unwrap();
        added
    };
    index.append(&rows(200, &vectors[200..])).unwrap();
    assert_eq!(merged(&mut index), [800]);
    assert_eq!((index.segments().len(), index.segments()[0].found()), (1, 1000));
    assert!(recall(&everything(&index), &model(0, &vectors), &vectors[..50], None) >= 0.98);
    index.append(&rows(0, &vectors[..600])).unwrap();
    assert_eq!(merged(&mut index), [600, 400], "the new rows, and those of the old ones that are alive");
    assert_eq!(index.segments().iter().map(|segment| segment.found()).collect::<Vec<_>>(), [400, 600]);
    assert!(recall(&everything(&index), &model(0, &vectors), &vectors[..50], None) >= 0.98);
}

#[test]
fn one_that_cannot_be_built_leaves_searches_exact_and_waits_for_more_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (at, away) = (dir.path().join("dense"), dir.path().join("away"));
    let vectors = clustered(14, 500, 8);
    let mut index = create(&at, 8, 100);
    index.append(&rows(0, &vectors[..200])).unwrap();
    fs::rename(&at, &away).unwrap();
    merge_all(&mut index);
    fs::rename(&away, &at).unwrap();
    let view = index.view(&ids(0..200)).unwrap();
    assert!(!uses_graph(&view, &vectors[7], 1, None));
    assert_eq!(view.search(&vectors[7], 1, None).unwrap()[0].0, ChunkId(7));
    index.append(&rows(200, &vectors[200..300])).unwrap();
    merge_all(&mut index);
    assert!(index.segments().is_empty(), "not again after so few");
    index.append(&rows(300, &vectors[300..])).unwrap();
    let view = everything(&index);
    let cancelled = index.merge_all(&view, &mut |_, _| ControlFlow::Break(()));
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
    merge_all(&mut index);
    assert_eq!(index.segments()[0].rows(), 0..500);
}

#[test]
fn a_build_runs_while_the_index_grows_and_can_be_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(12, 700, 8);
    let mut index = create(dir.path(), 8, 100);
    index.append(&rows(0, &vectors[..600])).unwrap();
    let cancelled = index.merge(&everything(&index)).unwrap().run(&mut |done, _| {
        if done == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
    assert!(graph_folders(dir.path()).is_empty());
    let merge = index.merge(&everything(&index)).unwrap();
    let merged = std::thread::spawn(move || merge.run(&mut go_on));
    index.append(&rows(600, &vectors[600..])).unwrap();
    index.install(merged.join().unwrap().unwrap().unwrap()).unwrap();
    assert_eq!(index.segments()[0].rows(), 0..600);
    let index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    assert_eq!(index.segments()[0].rows(), 0..600);
    assert!(recall(&index.view(&ids(0..700)).unwrap(), &model(0, &vectors), &vectors[..40], None) >= 0.98);
}

#[test]
fn a_damaged_or_foreign_graph_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(13, 400, 8);
    drop(with_graph(dir.path(), &vectors));
    let folder = graph_folders(dir.path()).remove(0);
    let check = |what: &str, usable: bool| {
        let index = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
        assert_eq!(index.segments().len(), usize::from(usable), "{what}");
        let view = index.view(&ids(0..400)).unwrap();
        assert_same(&view.search(&vectors[3], 5, None).unwrap(), &naive(&model(0, &vectors), &vectors[3], 5));
    };
    check("untouched", true);
    for name in ["graph.hnsw", "graph.json"] {
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
    assert!(index.segments().is_empty(), "a graph of other rows");
    assert!(!folder.exists(), "the writer removes what cannot be used");
    merge_all(&mut index);
    assert!(!index.segments().is_empty());
}

#[test]
fn left_overs_of_a_killed_build_are_removed_by_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_graph(dir.path(), &clustered(14, 300, 8)));
    let left = dir.path().join(".tmp-graph-00ff");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("graph.hnsw"), b"half").unwrap();
    let reader = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
    assert!(reader.segments().len() == 1 && left.exists());
    let writer = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    assert!(writer.segments().len() == 1 && !left.exists());
}

#[test]
fn many_searches_at_once_are_all_answered() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(15, 4000, 8);
    let index = with_graph(dir.path(), &vectors);
    let view = index.view(&ids(0..4000)).unwrap();
    drop(index);
    crossbeam_utils::thread::scope(|scope| {
        for query in vectors.iter().take(100) {
            let view = &view;
            scope.spawn(move |_| {
                for _ in 0..5 {
                    assert!(view.search(query, 3, None).unwrap()[0].1 > 0.99999);
                }
            });
        }
    })
    .unwrap();
}

#[test]
fn a_copy_answers_alike_with_its_graph_and_goes_its_own_way() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    let vectors = clustered(18, 3000, 8);
    let mut index = with_graph(&from, &vectors);
    // Only a part of the row being appended is there.
    let path = from.join("vectors.bin");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], &[1; 9]].concat()).unwrap();
    let mut copy = DenseIndex::copy(&from, &to, WEIGHTS, &small(100)).unwrap();
    assert!(!copy.segments().is_empty());
    assert_eq!(fs::read(to.join("vectors.bin")).unwrap(), whole);
    let live = ids(0..3000);
    let best = |index: &DenseIndex| index.view(&live).unwrap().search(&vectors[5], 20, None).unwrap();
    assert_eq!(best(&copy), best(&index));
    copy.append(&[(ChunkId(5), &vectors[6])]).unwrap();
    assert_ne!(best(&copy), best(&index));
    index.append(&[(ChunkId(5), &vectors[6])]).unwrap();
    assert_eq!(best(&copy), best(&index));
    // A graph that was removed while it was copied costs time, not answers.
    let part = dir.path().join("part");
    fs::remove_file(graph_folders(&from)[0].join("graph.hnsw")).unwrap();
    let copy = DenseIndex::copy(&from, &part, WEIGHTS, &small(100)).unwrap();
    assert!(copy.segments().is_empty() && graph_folders(&part).is_empty());
    assert_eq!(copy.view(&live).unwrap().len(), 3000);
}
