use super::*;
use crate::error::Error;

#[test]
fn a_record_comes_back_as_it_went_in() {
    let fixture = Fixture::new();
    let record = ChunkRecord {
        document: "docs/ünïcode \u{0}\n.md".into(),
        ordinal: 7,
        start: u64::MAX - 1,
        end: u64::MAX,
        place: Place { sheet: Some("Budget".into()), row: Some(7), ..Place::default() },
        body: "x\u{0}y 😀 检索\r\n".repeat(2000),
        metadata: serde_json::from_value(json!({"a": {"b": [1, 2.5, null, "x"]}, "": true, "z.z": 1e300}))
            .unwrap(),
        ..chunk(u64::MAX, "Title", "")
    };
    let plain = chunk(0, "", "");
    let placed = ChunkRecord { place: Place { line: Some(3), ..Place::default() }, ..chunk(2, "", "x") };
    fixture.add(&[record.clone(), plain.clone(), placed.clone()]);
    let snapshot = fixture.snapshot();
    assert_eq!(snapshot.get(ChunkId(u64::MAX)).unwrap(), Some(record.clone()));
    assert_eq!(snapshot.get(ChunkId(0)).unwrap(), Some(plain));
    assert_eq!(snapshot.get(ChunkId(2)).unwrap(), Some(placed));
    assert_eq!(snapshot.field_names().unwrap().into_iter().collect::<Vec<_>>(), ["", "a.b", "z.z"]);
    assert_eq!(snapshot.get(ChunkId(1)).unwrap(), None);
    assert_eq!(snapshot.chunks_of(&record.document).unwrap(), [record]);
    assert_eq!(snapshot.chunk_count(), 3);
}

#[test]
fn an_empty_index_answers_everything() {
    let snapshot = Fixture::new().snapshot();
    assert_eq!(snapshot.search("word", 10, None).unwrap(), []);
    assert_eq!(snapshot.score("word", &[ChunkId(1)]).unwrap(), [0.0]);
    assert_eq!(snapshot.live_chunks(), []);
    assert_eq!(snapshot.matching(&Filter::All(vec![])).unwrap().chunks(), []);
    assert!(snapshot.documents().unwrap().is_empty());
    assert_eq!(snapshot.payload(), "");
    snapshot.all_chunks(&mut |_| panic!("there is none")).unwrap();
}

#[test]
fn a_delete_removes_what_came_before_it_and_nothing_after() {
    let fixture = Fixture::new();
    fixture.add(&[
        of_document(1, "a", 0),
        of_document(2, "a", 1),
        of_document(3, "b", 0),
        of_document(4, "c", 0),
    ]);
    fixture.change(|writer| {
        writer.add(&of_document(5, "a", 0)).unwrap(); // deleted by the next line, with 1 and 2
        writer.delete_document("a");
        writer.add(&of_document(6, "a", 0)).unwrap(); // stays
        writer.delete_chunk(ChunkId(3));
        writer.add(&ChunkRecord { ordinal: 9, ..of_document(3, "b", 0) }).unwrap(); // replaces 3
        writer.delete_chunk(ChunkId(77));
        writer.delete_document("no such document");
    });
    let snapshot = fixture.snapshot();
    assert_eq!(numbers(&snapshot.live_chunks()), [3, 4, 6]);
    assert_eq!(snapshot.get(ChunkId(3)).unwrap().unwrap().ordinal, 9);
    assert_eq!(snapshot.get(ChunkId(1)).unwrap(), None);
    assert_eq!(ids(&snapshot.search("part", 10, None).unwrap()), [3, 4, 6]);
    assert_eq!(snapshot.score("part", &[ChunkId(1), ChunkId(2), ChunkId(5)]).unwrap(), [0.0; 3]);
    let of_a: Vec<u64> = snapshot.chunks_of("a").unwrap().iter().map(|r| r.chunk.0).collect();
    assert_eq!(of_a, [6]);
}

#[test]
fn chunks_of_a_document_come_in_its_order() {
    let fixture = Fixture::new();
    fixture.add(&[of_document(1, "a", 2), of_document(2, "ab", 0), of_document(3, "a", 0)]);
    fixture.add(&[of_document(4, "a", 1)]);
    let ordinals: Vec<u32> = fixture.snapshot().chunks_of("a").unwrap().iter().map(|r| r.ordinal).collect();
    assert_eq!(ordinals, [0, 1, 2]);
}

#[test]
fn all_chunks_are_visited_in_ascending_order_over_segments_until_an_error() {
    let fixture = Fixture::new();
    for commit in 0..5_u64 {
        let records: Vec<_> = (0..40).rev().map(|i| of_document(i * 5 + commit, "a", i as u32)).collect();
        fixture.add(&records);
    }
    fixture.change(|writer| (0..200).step_by(3).for_each(|id| writer.delete_chunk(ChunkId(id))));
    let snapshot = fixture.snapshot();
    let expected: Vec<u64> = (0..200).filter(|id| id % 3 != 0).collect();
    let mut seen = Vec::new();
    snapshot
        .all_chunks(&mut |record| {
            assert_eq!(record.body, format!("part {}", record.chunk.0 / 5));
            seen.push(record.chunk.0);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, expected);
    assert_eq!(numbers(&snapshot.live_chunks()), expected);
    let mut visits = 0;
    let stopped = snapshot.all_chunks(&mut |_| {
        visits += 1;
        Err(Error::Cancelled { doing: "reindexing" })
    });
    assert!(matches!(stopped, Err(Error::Cancelled { .. })));
    assert_eq!(visits, 1);
}

#[test]
fn documents_are_listed_with_the_digest_of_the_chunk_added_last() {
    let fixture = Fixture::new();
    let digest = |text: &str| Digest::of(text.as_bytes());
    let record = |id, document: &str, text: &str| ChunkRecord {
        document_digest: digest(text),
        ..of_document(id, document, 0)
    };
    fixture.add(&[record(1, "a", "old"), record(2, "b", "b"), record(5, "c", "new"), record(6, "gone", "x")]);
    fixture.add(&[record(3, "a", "new"), record(4, "c", "old")]);
    fixture.change(|writer| writer.delete_document("gone"));
    let documents: Vec<_> = fixture.snapshot().documents().unwrap().into_iter().collect();
    let expected = [("a", "new"), ("b", "b"), ("c", "new")];
    assert_eq!(documents, expected.map(|(name, text)| (name.to_owned(), digest(text))));
}

#[test]
fn a_document_id_too_long_to_be_found_again_is_refused() {
    let fixture = Fixture::new();
    let mut writer = fixture.index.writer().unwrap();
    let mut record = of_document(1, &"x".repeat(32 << 10), 0);
    writer.add(&record).unwrap();
    record.document.push('x');
    assert!(matches!(writer.add(&record), Err(Error::Invalid { .. })));
    record.document.pop();
    writer.commit("").unwrap();
    assert_eq!(fixture.snapshot().chunks_of(&record.document).unwrap().len(), 1);
    writer.delete_document(&record.document);
    writer.commit("").unwrap();
    assert_eq!(fixture.snapshot().chunk_count(), 0);
}
