//! Segments over time: merged, cancelled, reclaimed, seen by readers.

use super::*;

/// The rows of each segment: the first, and the one after the last.
fn ranges(index: &DenseIndex) -> Vec<(usize, usize)> {
    index.segments().iter().map(|segment| (segment.rows().start, segment.rows().end)).collect()
}

/// Does the merges that are due in the background.
fn merge_in_background(index: &mut DenseIndex, live: &[ChunkId]) {
    while let Some(merged) = index.merge(&index.view(live).unwrap()).unwrap().run(&mut go_on).unwrap() {
        index.install(merged).unwrap();
    }
}

#[test]
fn grown_bit_by_bit_it_has_few_segments_and_finds_what_an_exact_search_finds() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(31, 9000, 16);
    let mut index = create(dir.path(), 16, 25);
    for (at, part) in vectors.chunks(130).enumerate() {
        index.append(&rows(130 * at as u64, part)).unwrap();
        merge_in_background(&mut index, &ids(0..130 * (at as u64 + 1)));
        let folders = graph_folders(dir.path()).len();
        assert!(folders == index.segments().len() && folders <= 12, "{folders} of {at}");
    }
    assert!(index.segments().len() > 1);
    let ranges = ranges(&index);
    assert!(ranges[0].0 == 0 && ranges.windows(2).all(|two| two[0].1 == two[1].0), "{ranges:?}");
    let (view, model) = (everything(&index), model(0, &vectors));
    let mut found = 0;
    for query in vectors.iter().step_by(90) {
        assert!(view.proposed(query, 10, None).unwrap().is_some());
        let best = naive(&model, query, 10);
        let hits = view.search(query, 10, None).unwrap();
        found += hits.iter().filter(|hit| f64::from(hit.1) >= best[9].1 - 1e-6).count();
    }
    assert!(found >= 980, "{found} of 1000");
}

#[test]
fn a_merge_that_is_cancelled_changes_nothing_and_is_taken_up_again_after_opening() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(32, 3000, 8);
    let mut index = with_graph(dir.path(), &vectors[..900]);
    index.append(&rows(900, &vectors[900..])).unwrap();
    let view = everything(&index);
    let mut told = 0;
    let cancelled = index.merge(&view).unwrap().run(&mut |done, _| {
        told = done;
        if done == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })) && told > 0);
    assert_eq!((ranges(&index), graph_folders(dir.path()).len()), (vec![(0, 900)], 1));
    drop(index);
    let mut index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    assert!(index.wants_upkeep(&everything(&index)));
    merge_in_background(&mut index, &ids(0..3000));
    assert_eq!(ranges(&index), [(0, 3000)]);
    assert!(!index.wants_upkeep(&everything(&index)));
}

#[test]
fn dead_rows_leave_the_segments() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(33, 4000, 8);
    let mut index = with_graph(dir.path(), &vectors[..2000]);
    index.append(&rows(2000, &vectors[2000..])).unwrap();
    merge_all(&mut index);
    assert_eq!(ranges(&index), [(0, 2000), (2000, 4000)]);
    // Two of three rows of the first are removed, and few of the second.
    let live =
        ids((0..4000).filter(|id| (*id < 2000 && id % 3 == 0) || id % 3 != 0 && *id >= 2000 || *id > 3500));
    let view = index.view(&live).unwrap();
    assert!(index.wants_upkeep(&view));
    merge_in_background(&mut index, &live);
    assert_eq!(ranges(&index), [(0, 2000), (2000, 4000)]);
    assert_eq!(index.segments()[0].found(), 667);
    assert_eq!(index.segments()[1].found(), 2000, "too few are dead");
    // All rows of the first, so it is removed.
    let live = ids(2000..4000);
    merge_in_background(&mut index, &live);
    let found: usize = index.segments().iter().map(|segment| segment.found()).sum();
    assert!(found <= 2010, "{found}");
    let view = index.view(&live).unwrap();
    let mut model = model(0, &vectors);
    model.retain(|id, _| id.0 >= 2000);
    for query in vectors.iter().step_by(500) {
        assert_same(&view.search(query, 3, None).unwrap(), &naive(&model, query, 3));
    }
}

#[test]
fn a_reader_sees_segments_come_and_go_and_its_views_stay() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(34, 7000, 8);
    let mut writer = with_graph(dir.path(), &vectors[..2000]);
    let mut reader = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
    let before = reader.view(&ids(0..2000)).unwrap();
    writer.append(&rows(2000, &vectors[2000..])).unwrap();
    merge_all(&mut writer);
    assert_eq!((ranges(&writer), ranges(&reader)), (vec![(0, 7000)], vec![(0, 2000)]));
    assert!(
        before.proposed(&vectors[3], 1, None).unwrap().is_some(),
        "its graph is gone from the folder alone"
    );
    assert_eq!(before.search(&vectors[3], 1, None).unwrap()[0].0, ChunkId(3));
    reader.refresh().unwrap();
    assert_eq!(ranges(&reader), [(0, 7000)]);
}

#[test]
fn of_segments_that_overlap_the_newer_counts() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(35, 3000, 8);
    let mut index = with_graph(dir.path(), &vectors[..500]);
    let old = graph_folders(dir.path()).remove(0);
    let kept = dir.path().join("kept");
    fs::rename(&old, &kept).unwrap();
    let mut index_again = {
        drop(index);
        index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
        index.append(&rows(500, &vectors[500..])).unwrap();
        merge_all(&mut index);
        index
    };
    assert_eq!(ranges(&index_again), [(0, 3000)]);
    // As if the process had ended after the merge and before removing what it replaced.
    let merged = graph_folders(dir.path()).remove(0);
    fs::rename(&merged, dir.path().join("graph-000002")).unwrap();
    fs::rename(&kept, dir.path().join("graph-000001")).unwrap();
    let reader = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
    assert_eq!((ranges(&reader), graph_folders(dir.path()).len()), (vec![(0, 3000)], 2));
    drop(index_again);
    index_again = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    assert_eq!((ranges(&index_again), graph_folders(dir.path()).len()), (vec![(0, 3000)], 1));
}

#[test]
fn a_damaged_segment_leaves_a_gap_that_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(36, 3000, 8);
    let mut index = create(dir.path(), 8, 100);
    for (at, part) in vectors.chunks(1000).enumerate() {
        index.append(&rows(1000 * at as u64, part)).unwrap();
        merge_all(&mut index);
    }
    assert_eq!(ranges(&index), [(0, 1000), (1000, 2000), (2000, 3000)]);
    drop(index);
    fs::write(dir.path().join("graph-000002/graph.hnsw"), b"nothing").unwrap();
    let mut index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
    assert_eq!(ranges(&index), [(0, 1000), (2000, 3000)]);
    assert_eq!(everything(&index).search(&vectors[1500], 1, None).unwrap()[0].0, ChunkId(1500));
    merge_all(&mut index);
    assert_eq!(ranges(&index), [(0, 1000), (1000, 2000), (2000, 3000)]);
}

#[test]
fn the_merge_of_another_index_is_not_installed() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let vectors = clustered(37, 1000, 8);
    let mut index = create(one.path(), 8, 100);
    index.append(&rows(0, &vectors)).unwrap();
    let merged = index.merge(&everything(&index)).unwrap().run(&mut go_on).unwrap().unwrap();
    let mut index = create(other.path(), 8, 100);
    index.append(&rows(0, &vectors)).unwrap();
    index.install(merged).unwrap();
    assert!(index.segments().is_empty());
}

/// A step in the life of an index.
#[derive(Debug, Clone)]
enum Step {
    Append(usize),
    Remove(Vec<prop::sample::Index>),
    Merge,
    MergeAll,
    Live,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1usize..1500).prop_map(Step::Append),
        2 => prop::collection::vec(any::<prop::sample::Index>(), 1..800).prop_map(Step::Remove),
        2 => Just(Step::Merge),
        1 => Just(Step::MergeAll),
        2 => Just(Step::Live),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_a_search_finds_the_living_and_no_other(
        steps in prop::collection::vec(step(), 1..14),
        allowed in prop::option::of(2u64..5),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let vectors = clustered(38, 16_000, 12);
        let mut index = create(dir.path(), 12, 60);
        let (mut live, mut end) = (BTreeSet::new(), 0);
        let of = |live: &BTreeSet<u64>| live.iter().copied().map(ChunkId).collect::<Vec<_>>();
        for step in steps {
            match step {
                Step::Append(count) => {
                    let count = count.min(vectors.len() - end);
                    index.append(&rows(end as u64, &vectors[end..end + count])).unwrap();
                    live.extend(end as u64..(end + count) as u64);
                    end += count;
                }
                Step::Remove(removed) => removed.iter().filter(|_| end > 0).for_each(|at| {
                    live.remove(&(at.index(end) as u64));
                }),
                Step::Merge => merge_in_background(&mut index, &of(&live)),
                Step::MergeAll => index.merge_all(&index.view(&of(&live)).unwrap(), &mut go_on).unwrap(),
                Step::Live => if let Some(rows) = index.live_rows() {
                    rows.add(&mut go_on).unwrap();
                },
                Step::Reopen => {
                    index.sync().unwrap();
                    index = DenseIndex::open(dir.path(), WEIGHTS).unwrap();
                }
            }
        }
        let view = index.view(&of(&live)).unwrap();
        let allowed = allowed.map(|share| ids((0..end as u64).filter(|id| id % share != 0)));
        let mut model = model(0, &vectors[..end]);
        let is_allowed = |id| allowed.as_ref().is_none_or(|allowed| ChunkSet::contains(allowed, id));
        model.retain(|id, _| live.contains(&id.0) && is_allowed(*id));
        let (mut found, mut all) = (0, 0);
        for query in vectors.iter().step_by(800) {
            let best = naive(&model, query, 10);
            let hits = view.search(query, 10, as_set(allowed.as_ref())).unwrap();
            prop_assert_eq!(hits.len(), best.len());
            prop_assert!(hits.iter().all(|hit| model.contains_key(&hit.0)));
            let cut = best.last().map_or(0.0, |hit| hit.1) - 1e-6;
            found += hits.iter().filter(|hit| f64::from(hit.1) >= cut).count();
            all += best.len();
        }
        prop_assert!(found as f64 >= 0.97 * all as f64, "{} of {}", found, all);
    }
}
