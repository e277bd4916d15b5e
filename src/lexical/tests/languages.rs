//! Chunks of several languages in one index.

use super::*;
use crate::lexical::LANGUAGE;
use crate::lexical::containing::{Forms, Part};

fn in_language(id: u64, language: Language, title: &str, body: &str) -> ChunkRecord {
    let mut record = chunk(id, title, body);
    record.metadata.insert(LANGUAGE.into(), language.name().into());
    record
}

/// English and German texts in an English index.
fn mixed() -> Fixture {
    let fixture = Fixture::new();
    let mut records: Vec<ChunkRecord> =
        (0..40).map(|id| in_language(100 + id, Language::German, "", "Die Post und die Bahn.")).collect();
    records.extend([
        chunk(1, "Walking", "He walks to the lighthouses every day."),
        chunk(2, "", "The die is cast, and nobody may die."),
        in_language(3, Language::German, "Häuser", "Die alten Häuser brannten im Sommer."),
        in_language(4, Language::German, "", "Ein Haus, walking distance zur Bahn."),
        in_language(5, Language::English, "", "The old houses burnt in summer."),
    ]);
    fixture.add(&records);
    fixture
}

fn found(snapshot: &LexicalSnapshot, query: &str) -> Vec<u64> {
    ids(&snapshot.search(query, 10, None).unwrap())
}

#[test]
fn each_text_is_found_in_the_forms_of_its_language() {
    let fixture = mixed();
    let snapshot = fixture.snapshot();
    assert_eq!(found(&snapshot, "Haus"), [3, 4], "Häuser is a form of it");
    assert_eq!(found(&snapshot, "house"), [5]);
    assert_eq!(found(&snapshot, "walk"), [1], "in a German text walking is no form of it");
    assert_eq!(found(&snapshot, "walking"), [1, 4]);
    let chunk = |id| snapshot.get(ChunkId(id)).unwrap().unwrap();
    assert_eq!(chunk(3).title, "Häuser");
    let highlighted = |query: &str, id| {
        let record = chunk(id);
        let ranges = snapshot.prepare(query).unwrap().highlight(&record);
        ranges.into_iter().map(|range| record.body[range].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(highlighted("das alte Haus", 3), ["alten", "Häuser"]);
    assert_eq!(highlighted("the walk", 1), ["walks"]);
}

#[test]
fn what_is_common_in_one_language_is_no_rare_word_of_another() {
    let fixture = mixed();
    let snapshot = fixture.snapshot();
    assert_eq!(found(&snapshot, "die Häuser")[0], 3);
    let score = |query, id| snapshot.score(query, &[ChunkId(id)]).unwrap()[0];
    assert!(score("die Häuser", 2) < score("die Häuser", 3) / 2.0, "the article is in nearly all chunks");
    assert!(score("die", 2) > 0.0);
    assert!(
        snapshot.prepare("die Häuser").unwrap().ceiling() < 2.0 * snapshot.prepare("Post").unwrap().ceiling()
    );
}

#[test]
fn operators_ask_in_every_language() {
    let fixture = mixed();
    let snapshot = fixture.snapshot();
    let with = |words, part, forms| numbers(&snapshot.with_phrase(words, part, forms).unwrap().chunks());
    assert_eq!(with("haus", Part::Whole, Forms::Any), [3, 4]);
    assert_eq!(with("haus", Part::Title, Forms::Any), [3]);
    assert_eq!(with("alten Häuser", Part::Whole, Forms::Same), [3]);
    assert_eq!(with("alte Haus", Part::Whole, Forms::Same), [0; 0]);
    let beginning = snapshot.with_beginning("brannten").unwrap();
    assert_eq!(numbers(&beginning.chunks.chunks()), [3], "its stem is shorter");
    let hits = snapshot.prepare_with_terms("x", &beginning.terms).unwrap().search(10, None).unwrap();
    assert!(ids(&hits).contains(&3));
    assert_eq!(numbers(&snapshot.with_beginning("lighth").unwrap().chunks.chunks()), [1]);
    let counted = snapshot.frequencies("Häuser houses").unwrap();
    assert_eq!(counted.into_iter().map(|(_, chunks)| chunks).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn an_index_of_one_language_stays_as_it_was() {
    let fixture = Fixture::new();
    let marker = || std::fs::read_to_string(fixture.path().join("retune-lexical.json")).unwrap();
    fixture.add(&[chunk(1, "Walking", "He walks to the lighthouses."), chunk(2, "", "Other houses.")]);
    assert!(marker().starts_with("retune lexical 3 "));
    // Its own language by name is no other one.
    fixture.change(|writer| {
        writer.delete_chunk(ChunkId(2));
        writer.add(&in_language(2, Language::English, "", "Other houses.")).unwrap();
    });
    assert!(marker().starts_with("retune lexical 3 "));
    fixture.add(&[in_language(3, Language::German, "", "Ein Haus.")]);
    assert!(marker().starts_with("retune lexical 4 "), "{}", marker());
    let opened = LexicalIndex::open(&fixture.path()).unwrap().snapshot().unwrap();
    assert_eq!(found(&opened, "Häuser"), [3]);
}
