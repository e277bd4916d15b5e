use super::*;
use crate::lexical::{Forms, Matching, Part};

fn ids(found: Matching) -> Vec<u64> {
    found.chunks().into_iter().map(|chunk| chunk.0).collect()
}

/// An index in three commits, of which a chunk was deleted.
fn locks() -> Fixture {
    let fixture = Fixture::new();
    fixture.add(&[
        chunk(1, "Locks > Opening", "Open the gate, and the water runs."),
        chunk(2, "Locks", "Opening the gates takes time. C++ too."),
        chunk(3, "Gates", "The gate\nis opened. A happy, HAPPIER end of happiness."),
    ]);
    fixture.add(&[
        chunk(4, "Résumé", "Un café et une organisation: configure, configuration, config."),
        chunk(5, "", "水門を開ける方法"),
        chunk(6, "", "open the gate is a deleted text"),
        chunk(7, "", "The organ plays; organizations listen."),
    ]);
    fixture.change(|writer| writer.delete_chunk(ChunkId(6)));
    fixture
}

#[test]
fn a_phrase_is_its_words_as_they_stand_in_their_order() {
    let fixture = locks();
    let snapshot = fixture.snapshot();
    let same = |phrase: &str| ids(snapshot.with_phrase(phrase, Part::Whole, Forms::Same).unwrap());
    assert_eq!(same("open the gate"), [1]);
    assert_eq!(same("OPEN, the gate"), [1]);
    assert_eq!(same("the gate is"), [3], "over a line");
    assert_eq!(same("gate the"), [0; 0]);
    assert_eq!(same("gates"), [2, 3], "titles too");
    assert_eq!(same("C++"), [2]);
    assert_eq!(same("resume"), [4], "accents don't count");
    assert_eq!(same("水門"), [5]);
    assert_eq!(same("門を開"), [5]);
    assert_eq!(same("水開"), [0; 0]);
    assert_eq!(same("the"), [1, 2, 3, 7], "stop words are words of a phrase");
    assert_eq!(same("nowhere"), [0; 0]);
    assert_eq!(same("?!").len(), 6, "nothing is asked");
}

#[test]
fn no_word_begins_like_what_is_longer_than_words() {
    let fixture = locks();
    assert_eq!(ids(fixture.snapshot().with_beginning(&"gate".repeat(100)).unwrap().chunks), [0; 0]);
}

#[test]
fn a_word_in_any_form_and_words_of_the_title() {
    let fixture = locks();
    let snapshot = fixture.snapshot();
    let any = |word: &str| ids(snapshot.with_phrase(word, Part::Whole, Forms::Any).unwrap());
    assert_eq!(any("gate"), [1, 2, 3]);
    assert_eq!(any("opens"), [1, 2, 3]);
    let title = |words: &str| ids(snapshot.with_phrase(words, Part::Title, Forms::Any).unwrap());
    assert_eq!(title("lock"), [1, 2]);
    assert_eq!(title("locks opening"), [1]);
    assert_eq!(title("water"), [0; 0]);
}

#[test]
fn a_prefix_finds_words_whose_stems_are_shorter() {
    let fixture = locks();
    let snapshot = fixture.snapshot();
    let begun = |prefix: &str| {
        let found = snapshot.with_beginning(prefix).unwrap();
        (ids(found.chunks), found.terms)
    };
    assert_eq!(begun("conf").0, [4]);
    assert_eq!(begun("CONF").1, ["config", "configur"]);
    assert_eq!(begun("configura"), (vec![4], vec!["configur".to_string()]));
    assert_eq!(begun("happy").0, [3]);
    assert_eq!(begun("happine").0, [3]);
    assert_eq!(begun("organiz").0, [7], "organ is the stem of both");
    assert_eq!(begun("organ").0, [4, 7]);
    assert_eq!(begun("caf").0, [4]);
    assert_eq!(begun("xyz"), (vec![], vec![]));
}

#[test]
fn documents_are_found_by_what_their_ids_are() {
    let fixture = locks();
    let snapshot = fixture.snapshot();
    let found = snapshot.with_document(&|id| id.ends_with('1') || id.ends_with('6')).unwrap();
    assert_eq!(ids(found), [1], "6 is deleted");
    let all = snapshot.matching(&Filter::everything()).unwrap();
    let some = snapshot.with_phrase("gate", Part::Whole, Forms::Any).unwrap();
    assert_eq!(ids(all.without(&some)), [4, 5, 7]);
}
