//! Documents that change on the cluster itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use retune::cluster::{Cluster, MigrateOptions};
use retune::learn::Tier;
use retune::{CorpusOptions, Document, Engine, Error, Filter, Language, Mode, Query};

use crate::common::{options, quick_round};
use crate::learnt::{by_vectors, judged, learn, open};
use crate::support::{Index, found, index, saying};

fn lanterns() -> Query {
    Query::new("lantern").with_mode(Mode::Lexical).without_logging()
}

fn sorted(cluster: &Cluster, query: &Query) -> BTreeSet<String> {
    found(cluster, query).into_iter().collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| id.to_string()).collect()
}

fn scores(engine: &Engine, query: &Query) -> BTreeMap<String, String> {
    let hits = engine.search(query).unwrap().hits;
    hits.into_iter().map(|hit| (hit.document, format!("{:.5}", hit.score))).collect()
}

#[test]
fn documents_change_without_an_index_of_a_machine() {
    let Some(index) = index("edit") else { return };
    let (folder, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = saying(folder.path(), "anchor", 60);
    index.migrate(&engine, 2);
    engine.close().unwrap();
    drop(folder);

    let (cluster, other) = (index.open(), index.open());
    let changed = || {
        vec![
            Document::new("anchor-3", "the lantern of anchor three").with_title("The lantern by the weir"),
            // Another field, and the same text: its passage keeps id and vector.
            Document::new("anchor-8", "anchor number 8 of the harbour").with_field("kind", "light"),
            Document::new("laterne", "Die Laternen am Wehr, a lantern").with_language(Language::German),
        ]
    };
    let report = cluster.add(changed()).unwrap();
    assert_eq!((report.generation.0, report.documents, report.unchanged), (2, 3, 0));
    assert_eq!((report.chunks_encoded, report.sent), (2, 4), "two new, one replaced, one gone");
    assert_eq!(sorted(&cluster, &lanterns()), set(&["anchor-3", "laterne"]));
    let light = Query::new("anchor").with_filter(Filter::equals("kind", "light")).without_logging();
    assert_eq!(found(&cluster, &light), ["anchor-8"]);
    assert_eq!(found(&cluster, &Query::new("Laterne").with_mode(Mode::Lexical)), ["laterne"]);

    let again = cluster.add(changed()).unwrap();
    assert_eq!((again.generation.0, again.documents, again.unchanged, again.sent), (2, 0, 3, 0));
    let removed = other.remove(&["anchor-5", "anchor-6", "nobody"]).unwrap();
    assert_eq!((removed.generation.0, removed.documents, removed.unchanged, removed.sent), (3, 2, 1, 2));
    assert_eq!(other.get("anchor-5").unwrap(), None);
    let begun = Instant::now();
    while cluster.get("anchor-5").unwrap().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(4), "another process sees the change");
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = cluster.status().unwrap();
    assert_eq!((status.documents, status.coverage.chunks, status.coverage.encoded), (59, 59, 59));

    // As if they had been added to an index of a machine.
    let path = to.path().join("back");
    cluster.restore(&path, &mut |_| ControlFlow::Continue(())).unwrap();
    let back = Engine::open(&path, options()).unwrap();
    let fresh = saying(&to.path().join("fresh"), "anchor", 60);
    fresh.add(changed()).unwrap();
    fresh.remove(&["anchor-5", "anchor-6"]).unwrap();
    assert_eq!(back.list(&Default::default()).unwrap(), fresh.list(&Default::default()).unwrap());
    for text in ["harbour number 3", "lantern", "anchor 17 of the harbour", "Wehr"] {
        let query = Query::new(text).with_mode(Mode::Dense).with_limit(60).without_logging();
        assert_eq!(scores(&back, &query), scores(&fresh, &query), "{text}");
    }
    back.close().unwrap();
    fresh.close().unwrap();
}

#[test]
fn of_a_long_document_only_the_changed_passages_are_encoded() {
    let Some(index) = index("edit-passages") else { return };
    let folder = tempfile::tempdir().unwrap();
    let small = options().with_corpus(CorpusOptions::default().with_max_tokens(24));
    let engine = Engine::open(folder.path(), small).unwrap();
    let text = |second: &str| {
        let first = "Herons nest on the island above the weir, and nobody lands there before July.";
        let third = "The winches are greased in March, and the chains are counted in the autumn.";
        Document::new("manual", format!("{first}\n\n{second}\n\n{third}"))
    };
    engine
        .add(vec![text("The bell is rung twice when the lower gate has been closed for the night.")])
        .unwrap();
    let before = index.migrate(&engine, 1).chunks;
    let cluster = index.open();
    let report = cluster
        .add(vec![text("The bell is rung three times when the upper gate has been opened at dawn.")])
        .unwrap();
    assert!(
        before >= 3 && report.chunks_encoded >= 1 && report.chunks_encoded < before as usize,
        "{report:?}"
    );
    let manual = cluster.get("manual").unwrap().unwrap();
    let text: String = manual.passages.iter().map(|passage| passage.text.as_str()).collect();
    assert!(text.contains("three times") && !text.contains("rung twice"), "{text}");
    engine.close().unwrap();
}

#[test]
fn changes_by_several_processes_wait_for_one_another() {
    let Some(index) = index("edit-together") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 10);
    index.migrate(&engine, 1);
    let clusters = [index.open(), index.open()];
    let add = |name: &str, cluster: &Cluster| -> Vec<u64> {
        let one = |at| {
            let lantern = Document::new(format!("{name}-{at}"), format!("the {name} lantern {at}"));
            cluster.add(vec![lantern]).unwrap().generation.0
        };
        (0..3).map(one).collect()
    };
    let [one, two] = &clusters;
    let mut generations = crossbeam_utils::thread::scope(|scope| {
        let red = scope.spawn(|_| add("red", one));
        let green = add("green", two);
        [red.join().unwrap(), green].concat()
    })
    .unwrap();
    generations.sort_unstable();
    assert_eq!(generations, [2, 3, 4, 5, 6, 7]);
    let all = ["red-0", "red-1", "red-2", "green-0", "green-1", "green-2"];
    assert_eq!(sorted(&index.open(), &lanterns()), set(&all));
    engine.close().unwrap();
}

#[test]
fn a_change_waits_for_a_migration() {
    let Some(index) = index("edit-waits") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 10);
    index.migrate(&engine, 1);
    let cluster = index.open();
    engine.add(vec![Document::new("first", "the first lantern")]).unwrap();
    let (begin, begun) = crossbeam_channel::bounded(1);
    let changed = crossbeam_utils::thread::scope(|scope| {
        let change = scope.spawn(|_| {
            begun.recv().unwrap();
            cluster.add(vec![Document::new("second", "the second lantern")]).unwrap()
        });
        let migrated = engine.migrate(&index.store(), &MigrateOptions::default(), &mut |_| {
            let _ = begin.try_send(());
            std::thread::sleep(Duration::from_millis(300));
            ControlFlow::Continue(())
        });
        drop(begin);
        assert_eq!(migrated.unwrap().generation.0, 2);
        change.join().unwrap()
    })
    .unwrap();
    assert_eq!(changed.generation.0, 3);
    assert_eq!(sorted(&cluster, &lanterns()), set(&["first", "second"]));
    engine.close().unwrap();
}

#[test]
fn the_machine_that_is_behind_replaces_nothing_until_its_index_was_brought_back() {
    let Some(index) = index("edit-behind") else { return };
    let (folder, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = saying(folder.path(), "anchor", 30);
    index.migrate(&engine, 1);
    let cluster = index.open();
    let lantern = |id: &str, text: &str| vec![Document::new(id, text)];
    cluster.add(lantern("anchor-4", "the lantern of anchor four")).unwrap();
    cluster.remove(&["anchor-5"]).unwrap();

    let learn = |engine: &Engine| {
        engine.learn_from_cluster(&index.store(), &quick_round(), &mut |_| ControlFlow::Continue(()))
    };
    let refused = [index.try_migrate(&engine, 1).unwrap_err(), learn(&engine).unwrap_err()];
    for refused in refused {
        assert!(
            matches!(&refused, Error::Cluster { found, .. } if found.contains("changed there")),
            "{refused}"
        );
    }
    assert_eq!(sorted(&index.open(), &lanterns()), set(&["anchor-4"]), "the change stays");
    let old = engine.get("anchor-4").unwrap().unwrap();
    assert_eq!(old.passages[0].text, "anchor number 4 of the harbour", "and so does what was here");
    engine.close().unwrap();

    let restored = |name: &str| {
        let path = to.path().join(name);
        cluster.restore(&path, &mut |_| ControlFlow::Continue(())).unwrap();
        Engine::open(&path, options()).unwrap()
    };
    let back = restored("back");
    let round = learn(&back).unwrap();
    assert_eq!((round.migrated.generation.0, round.migrated.sent), (3, 0), "nothing differs");
    back.add(lantern("later", "a later lantern")).unwrap();
    assert_eq!(index.migrate(&back, 1).sent, 1);
    assert_eq!(sorted(&index.open(), &lanterns()), set(&["anchor-4", "later"]));
    // What it has sent is no reason to let it migrate over the next change.
    cluster.add(lantern("later", "a lantern, later still")).unwrap();
    assert!(index.try_migrate(&back, 1).is_err());
    back.close().unwrap();
    let again = restored("again");
    assert_eq!(index.migrate(&again, 1).sent, 0);
    again.close().unwrap();

    // Two manifests stay, and a number that was taken for each.
    index.send_json("POST", &format!("/{}-state/_refresh", index.name), None);
    let states = format!("/{}-state/_search?size=100&q=generation:*", index.name);
    assert_eq!(index.get(&states)["hits"]["total"]["value"], 4);
}

#[test]
fn what_can_not_be_added_changes_nothing() {
    let Some(index) = index("edit-refused") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 5);
    index.migrate(&engine, 1);
    let cluster = index.open();
    let (good, empty) = (Document::new("good", "a lantern"), Document::new("", "a lantern"));
    assert!(matches!(cluster.add(vec![good.clone(), empty]), Err(Error::Invalid { .. })));
    assert!(matches!(cluster.add(vec![good.clone(), good]), Err(Error::Invalid { .. })));
    assert_eq!((cluster.generation().0, found(&cluster, &lanterns())), (1, Vec::new()));
    assert_eq!(cluster.add(Vec::new()).unwrap().generation.0, 1);
    engine.close().unwrap();
}

#[test]
fn an_index_may_begin_with_nothing() {
    let Some(index) = index("edit-empty") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), options()).unwrap();
    index.migrate(&engine, 2);
    engine.close().unwrap();
    let cluster = index.open();
    let titled = Document::new("first", "the first lantern").with_title("Lanterns of the harbour");
    let report = cluster.add(vec![titled, Document::new("second", "a bell")]).unwrap();
    assert_eq!((report.documents, report.sent), (2, 2));
    assert_eq!(found(&cluster, &lanterns()), ["first"]);
    assert_eq!(found(&cluster, &Query::new("bell").with_mode(Mode::Dense).with_limit(1)).len(), 1);
    cluster.remove(&["first", "second"]).unwrap();
    assert_eq!((cluster.coverage().chunks, found(&cluster, &lanterns())), (0, Vec::new()));
}

#[test]
fn documents_change_on_after_a_way_back() {
    let Some(index) = index("edit-back") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 10);
    index.migrate(&engine, 1);
    engine.close().unwrap();
    let cluster = index.open();
    let add = |id: &str| cluster.add(vec![Document::new(id, format!("the lantern {id}"))]).unwrap();
    add("two");
    add("three");
    // A migration of what is there drops the first generation all the same.
    let path = folder.path().join("back");
    cluster.restore(&path, &mut |_| ControlFlow::Continue(())).unwrap();
    let back = Engine::open(&path, options()).unwrap();
    assert_eq!(index.migrate(&back, 1).sent, 0);
    back.close().unwrap();
    let [one, two, three] = [1, 2, 3].map(|id| format!("{}-g{id:06}", index.name));
    assert!(!index.indices().contains(&one));
    assert_eq!(index.swap(&three, &two), 200);
    let report = index.open().add(vec![Document::new("four", "the lantern four")]).unwrap();
    assert_eq!(report.generation.0, 4);
    assert_eq!(sorted(&index.open(), &lanterns()), set(&["two", "four"]));
}

/// How near a document is to a query that is added here and there.
fn nearness_of_a_new_document(index: &Index, engine: &Engine) -> (f32, f32) {
    let cache = tempfile::tempdir().unwrap();
    index.migrate(engine, 1);
    let cluster = open(index, cache.path()).unwrap();
    let lantern = || vec![Document::new("lantern", "A lantern hangs over the weir from dusk to dawn.")];
    let report = cluster.add(lantern()).unwrap();
    assert_eq!((report.chunks_encoded, report.sent), (1, 1));
    engine.add(lantern()).unwrap();
    let query = by_vectors("what is done about a kettle");
    let of = |hits: Vec<retune::Hit>| hits.into_iter().find(|hit| hit.document == "lantern").unwrap().score;
    (of(cluster.search(&query).unwrap().hits), of(engine.search(&query).unwrap().hits))
}

#[test]
fn a_trained_encoder_makes_the_vectors_of_what_is_added() {
    let Some(index) = index("edit-trained") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    learn(&engine, Tier::Encoder, 1e-3);
    let (there, here) = nearness_of_a_new_document(&index, &engine);
    assert!((there - here).abs() < 1e-4, "{there} {here}");
}

#[test]
fn where_queries_have_an_encoder_of_their_own_the_first_one_makes_the_vectors() {
    let Some(index) = index("edit-queries") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    learn(&engine, Tier::QuerySide, 5e-3);
    let (there, here) = nearness_of_a_new_document(&index, &engine);
    assert!((there - here).abs() < 1e-4, "{there} {here}");
}

#[test]
fn without_the_encoder_of_the_passages_nothing_is_added() {
    let Some(index) = index("edit-neither") else { return };
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(folder.path());
    learn(&engine, Tier::Encoder, 1e-3);
    learn(&engine, Tier::QuerySide, 5e-3);
    index.migrate(&engine, 1);
    let cluster = open(&index, cache.path()).unwrap();
    let refused = cluster.add(vec![Document::new("lantern", "a lantern")]).unwrap_err().to_string();
    assert!(refused.contains("an encoder that is not there"), "{refused}");
    // What is removed needs none.
    assert_eq!(cluster.remove(&["kettle"]).unwrap().documents, 1);
}
