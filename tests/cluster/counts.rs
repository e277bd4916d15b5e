//! Totals and counts of values are those of an index of this machine.

use retune::{Document, Engine, FieldValue, Mode, Query};

use crate::answers::{compare_with, in_all_modes};
use crate::common::options;
use crate::support::{handbook, index, questions, saying};

#[test]
fn documents_of_many_passages_are_counted_once() {
    let Some(index) = index("totals") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = handbook(folder.path());
    let status = engine.status().unwrap();
    assert!(status.chunks > status.documents, "{status:?}");
    for shards in [1, 5] {
        index.migrate(&engine, shards);
        let cluster = index.open();
        let counted =
            |text: &str| Query::parse(text).with_total().with_facets(["extension", "path", "no field"]);
        for question in questions().iter().step_by(17) {
            for query in in_all_modes(counted(question)) {
                compare_with(&engine, &cluster, &query);
            }
        }
        for text in [
            "the",
            "the -gate",
            "the ext:md",
            "gate path:*.md",
            "\"the gate\"",
            "ga* -pump*",
            "nothing-like-it",
            "?!",
        ] {
            for query in in_all_modes(counted(text)) {
                compare_with(&engine, &cluster, &query.clone().with_limit(3).with_offset(3));
                compare_with(&engine, &cluster, &query.clone().with_per_folder(1));
                let least = engine.search(&query).unwrap().hits.get(4).map_or(0.5, |hit| hit.score - 1e-3);
                compare_with(&engine, &cluster, &query.with_min_score(least));
            }
        }
    }
}

fn fields(at: usize) -> Vec<(&'static str, FieldValue)> {
    let long = format!("{} {}", "long ".repeat(80), at % 4);
    let tags: Vec<String> = (0..at % 5).map(|tag| format!("tag {tag}")).collect();
    vec![
        ("whole", FieldValue::from(at as i64 % 3)),
        ("half", (at as f64 / 2.0).into()),
        ("even", (at.is_multiple_of(2)).into()),
        ("date", FieldValue::Date(format!("2024-0{}-15", 1 + at % 9).parse().unwrap())),
        ("long", if at.is_multiple_of(3) { "short".into() } else { long.into() }),
        ("tags", FieldValue::List(tags.into_iter().map(FieldValue::from).collect())),
        ("odd", "a.*[b]\\ \n\"c\"".into()),
    ]
}

#[test]
fn values_of_all_kinds_are_counted() {
    let Some(index) = index("values") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), options()).unwrap();
    let documents = (0..60).map(|at| {
        let text = format!("the harbour of {} boats. ", at % 7).repeat(1 + 60 * (at % 3));
        let document = Document::new(format!("notes/{at}"), text);
        let fields = fields(at).into_iter().filter(|_| at % 11 > 0);
        fields.fold(document, |document, (name, value)| document.with_field(name, value))
    });
    engine.add(documents.collect()).unwrap();
    for shards in [1, 5] {
        index.migrate(&engine, shards);
        let cluster = index.open();
        for text in ["harbour", "boats 3", "harbour -6", "harbour 2 after:2024-04", "lantern"] {
            let names = fields(0).into_iter().map(|(name, _)| name).chain(["date.x", ""]);
            for query in in_all_modes(Query::parse(text).with_facets(names)) {
                compare_with(&engine, &cluster, &query);
            }
        }
    }
}

#[test]
fn numbers_that_are_not_told_apart_are_refused() {
    let Some(index) = index("rounded") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 3);
    engine.add(vec![Document::new("large", "an anchor").with_field("size", (1_i64 << 53) + 1)]).unwrap();
    index.migrate(&engine, 1);
    let refused = index.open().search(&Query::new("anchor").with_facets(["size"])).unwrap_err().to_string();
    assert!(refused.contains("\"size\"") && refused.contains("2^53"), "{refused}");
    assert_eq!(index.open().search(&Query::new("anchor").with_facets(["sizes"])).unwrap().total, Some(4));
}

/// More pairs of a document and a value than are listed.
#[test]
fn very_many_are_counted_by_sketches() {
    let Some(index) = index("sketches") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), options()).unwrap();
    let documents = (0..100).map(|at| {
        let tags =
            (0..400).filter(|tag| (at + tag) % 101 > 5).map(|tag| FieldValue::from(format!("{tag:03}")));
        Document::new(format!("anchor-{at}"), format!("anchor number {at}"))
            .with_field("tags", FieldValue::List(tags.collect()))
            .with_field("lang", ["en", "de"][at % 2])
    });
    engine.add(documents.collect()).unwrap();
    index.migrate(&engine, 3);
    let query = Query::new("anchor").with_facets(["tags", "lang"]).with_mode(Mode::Lexical);
    compare_with(&engine, &index.open(), &query.without_logging());
}

#[test]
fn a_count_of_scores_that_can_not_be_complete_is_refused() {
    let Some(index) = index("cut-count") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 5200);
    index.migrate(&engine, 2);
    let cluster = index.open();
    let query = Query::new("anchor").with_mode(Mode::Lexical).with_total().without_logging();
    compare_with(&engine, &cluster, &query);
    let refused = cluster.search(&query.clone().with_min_score(0.0)).unwrap_err().to_string();
    assert!(refused.contains("more than 5000 passages"), "{refused}");
    let few = Query::new("anchor 17").with_min_score(engine.search(&query).unwrap().hits[0].score + 0.1);
    compare_with(&engine, &cluster, &few.with_mode(Mode::Lexical).with_total().without_logging());
}
