use super::*;
use crate::lexical::FieldValue;

fn part(id: u64, document: &str, ordinal: u32, metadata: Json) -> ChunkRecord {
    ChunkRecord { document: document.into(), ordinal, ..with_metadata(id, metadata) }
}

/// Documents of several chunks, over several segments, some of them deleted and some replaced.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let both = json!({"tags": ["x", "y", "x"], "n": 1});
    fixture.add(&[
        part(1, "b", 0, both.clone()),
        part(2, "b", 1, both.clone()),
        part(3, "a", 0, json!({"tags": "x", "n": 1.0})),
        part(4, "gone", 0, json!({"tags": ["x", "z"]})),
    ]);
    // A document's chunks may lie in two segments.
    fixture.add(&[
        part(5, "b", 2, both),
        part(6, "c", 0, json!({"tags": "old", "n": true})),
        part(7, "c", 1, json!({"tags": "old"})),
        part(8, "d", 0, json!({})),
    ]);
    fixture.change(|writer| {
        writer.delete_document("gone");
        writer.delete_document("c");
        writer.add(&part(9, "c", 0, json!({"tags": "y", "n": 2.5}))).unwrap();
    });
    fixture
}

fn counts(snapshot: &LexicalSnapshot, field: &str, filter: &Filter) -> Vec<(String, usize)> {
    let documents = snapshot.one_per_document(&snapshot.matching(filter).unwrap()).unwrap();
    let facet = snapshot.facet(field, &documents).unwrap();
    facet.into_iter().map(|count| (count.value.to_string(), count.documents)).collect()
}

#[test]
fn documents_are_counted_not_chunks() {
    let fixture = fixture();
    let snapshot = fixture.snapshot();
    let count = |filter: &Filter| {
        let chunks = snapshot.matching(filter).unwrap();
        (chunks.len(), snapshot.one_per_document(&chunks).unwrap().len())
    };
    assert_eq!(count(&Filter::everything()), (6, 4));
    assert_eq!(count(&Filter::equals("tags", "x")), (4, 2));
    assert_eq!(count(&Filter::equals("tags", "y")), (4, 2));
    assert_eq!(count(&Filter::equals("tags", "old")), (0, 0));
    assert_eq!(count(&!Filter::exists("tags")), (1, 1));
}

#[test]
fn values_are_counted_over_documents() {
    let fixture = fixture();
    let snapshot = fixture.snapshot();
    let pairs = |found: &[(&str, usize)]| -> Vec<(String, usize)> {
        found.iter().map(|&(value, documents)| (value.to_string(), documents)).collect()
    };
    let all = Filter::everything();
    assert_eq!(counts(&snapshot, "tags", &all), pairs(&[("x", 2), ("y", 2)]));
    assert_eq!(counts(&snapshot, "n", &all), pairs(&[("1", 2), ("2.5", 1)]));
    assert_eq!(counts(&snapshot, "tags", &Filter::equals("tags", "x")), pairs(&[("x", 2), ("y", 1)]));
    assert_eq!(counts(&snapshot, "no such field", &all), []);
}

#[test]
fn values_that_their_terms_do_not_say_are_counted_by_what_is_stored() {
    const LARGE: i64 = (1 << 53) + 1;
    let fixture = Fixture::new();
    let long = "long ".repeat(100);
    fixture.add(&[
        with_metadata(1, json!({"k": [LARGE, LARGE - 1]})),
        with_metadata(2, json!({"k": [long, LARGE]})),
        with_metadata(3, json!({"k": [long, long], "d": "2024-01-31T00:00:00Z", "retune.dates": ["d"]})),
    ]);
    let snapshot = fixture.snapshot();
    let all = snapshot.matching(&Filter::everything()).unwrap();
    let facet = snapshot.facet("k", &all).unwrap();
    let mut found: Vec<_> = facet.into_iter().map(|count| (count.documents, count.value)).collect();
    found.sort_by_key(|(documents, value)| (*documents, value.to_string()));
    let expected: [(usize, FieldValue); 3] = [(1, (LARGE - 1).into()), (2, LARGE.into()), (2, long.into())];
    assert_eq!(found, expected);
    let date = snapshot.facet("d", &all).unwrap();
    assert!(
        matches!(date[0].value, FieldValue::Date(_)) && date[0].value.to_string() == "2024-01-31T00:00:00Z"
    );
}

#[test]
fn documents_come_by_pages_in_the_order_of_their_ids() {
    let fixture = fixture();
    let snapshot = fixture.snapshot();
    let all = snapshot.one_per_document(&snapshot.matching(&Filter::everything()).unwrap()).unwrap();
    let page = |after: Option<&str>, limit| snapshot.next_documents(&all, after, limit).unwrap();
    assert_eq!(page(None, 10), ["a", "b", "c", "d"]);
    assert_eq!(page(None, 2), ["a", "b"]);
    assert_eq!(page(Some("b"), 2), ["c", "d"]);
    assert_eq!(page(Some("bb"), 1), ["c"], "the id need not exist");
    assert_eq!(page(Some("gone"), 1), Vec::<String>::new());
    assert_eq!(page(Some(""), 1), ["a"]);
    let some = snapshot.one_per_document(&snapshot.matching(&Filter::equals("tags", "y")).unwrap()).unwrap();
    assert_eq!(snapshot.next_documents(&some, None, 5).unwrap(), ["b", "c"]);
    let empty = Fixture::new().snapshot();
    let none = empty.one_per_document(&empty.matching(&Filter::everything()).unwrap()).unwrap();
    assert_eq!(empty.next_documents(&none, Some("a"), 5).unwrap(), Vec::<String>::new());
}
