//! The file of vectors: what is written, what damage does.

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
    index.leave_room(Some(0));
    assert!(matches!(index.append(&[(ChunkId(2), &[0.0, 1.0])]), Err(Error::Io { .. })));
    let view = index.view(&ids([1, 2])).unwrap();
    assert_eq!((view.len(), view.missing()), (1, &ids([2])[..]));
    assert_eq!(DenseIndex::open(dir.path(), WEIGHTS).unwrap().rows(), 1);
}

#[test]
fn a_reader_keeps_what_it_took_up_between_a_failed_append_and_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let vectors = clustered(6, 12, 6);
    let mut writer = create(dir.path(), 6, 10);
    writer.append(&rows(0, &vectors[..3])).unwrap();
    let mut reader = DenseIndex::open_read_only(dir.path(), WEIGHTS).unwrap();
    // Two rows and a half.
    writer.leave_room(Some(32 * 2 + 17));
    assert!(matches!(writer.append(&rows(3, &vectors[3..7])), Err(Error::Io { .. })));
    reader.refresh().unwrap();
    let between = reader.view(&ids(0..12)).unwrap();
    writer.leave_room(None);
    writer.append(&rows(7, &vectors[7..])).unwrap();
    reader.refresh().unwrap();
    for (who, view) in [
        ("the reader's view from between", between),
        ("the reader", reader.view(&ids(0..12)).unwrap()),
        ("the writer", writer.view(&ids(0..12)).unwrap()),
        ("who opens it", DenseIndex::open(dir.path(), WEIGHTS).unwrap().view(&ids(0..12)).unwrap()),
    ] {
        let expected = if view.len() == 5 { ids(0..5) } else { ids((0..5).chain(7..12)) };
        assert_eq!(view.chunks(), expected, "{who}");
        for &chunk in view.chunks() {
            let found = view.search(&vectors[chunk.0 as usize], 1, None).unwrap();
            assert_eq!(found[0].0, chunk, "{who}");
        }
    }
    assert_eq!(reader.rows(), 10, "none was written over");
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
        DenseOptions { ef_construction: 0, ..small(1) },
        DenseOptions { ef_search: 5000, ..small(1) },
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
    assert!(matches!(reader.merge(&reader.view(&[]).unwrap()), Err(Error::ReadOnly { .. })));
    let mut views = Vec::new();
    for (at, part) in vectors.chunks(100).enumerate() {
        writer.append(&rows(100 * at as u64, part)).unwrap();
        merge_all(&mut writer);
        reader.refresh().unwrap();
        assert_eq!(reader.segments().len(), at + 1);
        views.push(reader.view(&ids(0..300)).unwrap());
    }
    for (at, view) in views.iter().enumerate() {
        let known = &vectors[..100 * (at + 1)];
        assert_eq!(view.len(), known.len());
        assert_same(&view.search(&vectors[42], 5, None).unwrap(), &naive(&model(0, known), &vectors[42], 5));
    }
}
