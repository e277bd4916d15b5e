//! Documents that change on the cluster itself while a round runs.

use std::ops::ControlFlow;

use retune::cluster::{Cluster, ClusterProgress};
use retune::learn::Tier;
use retune::{Decision, Document, Engine, Error, Mode, Query};
use serde_json::json;

use crate::common::{judge_everything, options};
use crate::learnt::{by_vectors, judged, learn as learn_tier, open};
use crate::program::{retune, text};
use crate::support::{Index, found, index};
use crate::workers::{
    ASKED, Killed, Worker, assert_over, corpus, corpus_with, learn, of_kind, round, served, wait_for_workers,
    while_searched,
};

fn lantern() -> Document {
    Document::new("lantern", "The lantern of the outer mole is lit at the harbour when the kettle sings.")
}

fn closed() -> Document {
    Document::new("berth-8", "Berth 8 is closed for the winter.")
}

/// Four generations: neither what served when the round began nor what came after it is there in the end.
fn change(cluster: &Cluster) {
    cluster.add(vec![lantern()]).unwrap();
    cluster.remove(&["berth-7"]).unwrap();
    cluster.add(vec![closed()]).unwrap();
    // Its text stays, and with it the vector.
    let berth = cluster.get("berth-9").unwrap().unwrap();
    let text: String = berth.passages.iter().map(|passage| passage.text.as_str()).collect();
    cluster.add(vec![Document::new("berth-9", text).with_field("kind", "deep")]).unwrap();
}

fn by_words(cluster: &Cluster, query: &str) -> Vec<String> {
    found(cluster, &Query::new(query).with_mode(Mode::Lexical).without_logging())
}

/// What was changed there is there, with vectors of the encoder that this machine has.
fn assert_changed(index: &Index, engine: &Engine, documents: usize) {
    let cluster = index.open();
    assert_eq!(by_words(&cluster, "lantern"), ["lantern"]);
    assert_eq!(by_words(&cluster, "winter"), ["berth-8"]);
    let served = served(index);
    assert!(served.len() == documents && !served.contains("berth-7"), "{}", served.len());
    let status = cluster.status().unwrap();
    assert_eq!((status.documents as usize, status.coverage.encoded), (documents, documents));
    let berth = cluster.get("berth-9").unwrap().unwrap();
    assert_eq!(berth.fields["kind"], "deep".into());
    engine.add(vec![lantern(), closed()]).unwrap();
    let all = by_vectors(ASKED).with_limit(3000);
    let own = engine.search(&all).unwrap().hits;
    let theirs = cluster.search(&by_vectors(ASKED).with_limit(20)).unwrap().hits;
    assert!(!theirs.is_empty());
    for hit in &theirs {
        let own = own.iter().find(|own| own.document == hit.document).unwrap();
        assert!((own.score - hit.score).abs() < 1e-4, "{own:?} {hit:?}");
    }
    assert!(theirs.iter().any(|hit| hit.document == "lantern"), "{theirs:?}");
}

#[test]
fn documents_change_while_workers_encode_and_what_serves_then_has_them() {
    let Some(index) = index("meanwhile-workers") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 1000);
    index.migrate(&engine, 2);
    let workers = ["a", "b"].map(|name| Worker::start(&index, folder.path(), name));
    wait_for_workers(&index, 2);
    let editor = index.open();
    let mut changed = false;
    let done = while_searched(&index, || {
        learn(&engine, &index, &mut |at| {
            if !changed && at.done > 0 {
                changed = true;
                change(&editor);
            }
            ControlFlow::Continue(())
        })
        .unwrap()
    });
    assert!(changed && done.migrated.behind);
    assert_eq!(done.round.gate.decision, Decision::Published);
    assert_eq!((done.migrated.chunks, done.migrated.encoded), (1008, 1008));
    // One added, one removed, one replaced by another passage, one with another field.
    assert_eq!(done.migrated.sent, 5);
    assert_changed(&index, &engine, 1008);
    assert_over(&index);
    let made = index.indices().into_iter().filter(|name| name.contains("-g00")).count();
    assert_eq!(made, 3, "what serves, what did before, and what did before that: {:?}", index.indices());
    drop(workers);

    // This machine is behind. What is brought back goes on.
    let refused =
        [learn(&engine, &index, &mut |_| panic!()).unwrap_err(), index.try_migrate(&engine, 2).unwrap_err()];
    for refused in refused {
        assert!(
            matches!(&refused, Error::Cluster { found, .. } if found.contains("changed there")),
            "{refused}"
        );
    }
    let back = folder.path().join("back");
    index.open().restore(&back, &mut |_| ControlFlow::Continue(())).unwrap();
    let back = Engine::open(&back, options()).unwrap();
    assert_eq!(index.migrate(&back, 2).sent, 0);
    back.close().unwrap();
    engine.close().unwrap();
}

#[test]
fn documents_change_while_this_machine_encodes_alone_and_no_other_round_begins() {
    let Some(index) = index("meanwhile-alone") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 100);
    index.migrate(&engine, 1);
    let (editor, other) = (index.open(), folder.path().join("other"));
    editor.restore(&other, &mut |_| ControlFlow::Continue(())).unwrap();
    let other = Engine::open(&other, options()).unwrap();
    let mut changed = false;
    let done = engine.learn_from_cluster(&index.store(), &round(), &mut |at| {
        if !changed && matches!(at, ClusterProgress::Learning(_)) {
            changed = true;
            let second = learn(&other, &index, &mut |_| panic!()).unwrap_err().to_string();
            assert!(second.contains("begin a round of learning"), "{second}");
            assert_eq!(index.migrate(&engine, 1).sent, 0, "a migration may come in between");
            change(&editor);
        }
        ControlFlow::Continue(())
    });
    let done = done.unwrap();
    assert!(changed && done.migrated.behind);
    assert_eq!((done.round.gate.decision, done.migrated.sent), (Decision::Published, 108 + 5));
    assert_changed(&index, &engine, 108);
    other.close().unwrap();
    engine.close().unwrap();
}

#[test]
fn what_has_changed_during_a_round_that_is_rejected_serves_as_it_is() {
    let Some(index) = index("meanwhile-rejected") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus_with(folder.path(), 1500, 1.0);
    index.migrate(&engine, 1);
    let worker = Worker::start(&index, folder.path(), "a");
    wait_for_workers(&index, 1);
    let (editor, mut changed) = (index.open(), false);
    let done = learn(&engine, &index, &mut |_| {
        if !changed {
            changed = true;
            change(&editor);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(changed && done.migrated.behind);
    assert_eq!((done.round.gate.decision, done.migrated.sent), (Decision::Rejected, 0));
    assert_eq!((done.migrated.generation, editor.generation().0), (editor.generation(), 6));
    assert!(worker.end() > 0);
    assert_changed(&index, &engine, 1508);
    assert_over(&index);
    let made = index.indices().into_iter().filter(|name| name.contains("-g00")).count();
    assert_eq!(made, 2, "what serves and what did before: {:?}", index.indices());
    engine.close().unwrap();
}

#[test]
fn what_a_round_has_learnt_goes_to_documents_that_changed_before_it_was_migrated() {
    let Some(index) = index("meanwhile-later") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 50);
    index.migrate(&engine, 1);
    let cluster = index.open();
    change(&cluster);
    let refused = index.try_migrate(&engine, 1).unwrap_err();
    assert!(matches!(&refused, Error::Cluster { found, .. } if found.contains("changed there")), "{refused}");
    // As after a round whose migration has failed.
    let learnt = engine.learn(&round(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(learnt.gate.decision, Decision::Published);
    let another = learn(&engine, &index, &mut |_| panic!()).unwrap_err().to_string();
    assert!(another.contains("publish that with `retune migrate"), "{another}");
    let said = text(&retune(&index, &["migrate", "--index", engine.path().to_str().unwrap()]));
    for part in
        ["58 passages, 58 with a vector", "changed on the cluster itself stay", "NEW_DIR --store URL --back"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(index.try_migrate(&engine, 1).is_err(), "nothing was learnt since");
    assert_changed(&index, &engine, 58);
    engine.close().unwrap();
}

#[test]
fn an_encoder_of_queries_alone_does_not_take_the_one_of_documents_away() {
    let Some(index) = index("meanwhile-queries") else { return };
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(folder.path());
    learn_tier(&engine, Tier::Encoder, 1e-3);
    index.migrate(&engine, 1);
    let cluster = open(&index, cache.path()).unwrap();
    cluster.add(vec![lantern()]).unwrap();
    learn_tier(&engine, Tier::QuerySide, 5e-3);
    let refused = index.try_migrate(&engine, 1).unwrap_err();
    let is_so =
        |error: &Error| matches!(error, Error::Cluster { found, .. } if found.contains("queries alone"));
    assert!(is_so(&refused), "{refused}");
    // Documents change on, and the index can be brought back.
    cluster.add(vec![closed()]).unwrap();
    let back = folder.path().join("back");
    cluster.restore(&back, &mut |_| ControlFlow::Continue(())).unwrap();
    let back = Engine::open(&back, options()).unwrap();
    assert_eq!(index.migrate(&back, 1).sent, 0);
    back.close().unwrap();
}

#[test]
fn what_another_machine_has_learnt_meanwhile_is_not_replaced() {
    let Some(index) = index("meanwhile-other") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = corpus(folder.path(), 50);
    index.migrate(&engine, 1);
    let other = folder.path().join("other");
    index.open().restore(&other, &mut |_| ControlFlow::Continue(())).unwrap();
    let other = Engine::open(&other, options()).unwrap();
    judge_everything(&other);
    let mut learnt = None;
    let done = engine.learn_from_cluster(&index.store(), &round(), &mut |_| {
        learnt.get_or_insert_with(|| {
            learn_tier(&other, Tier::Encoder, 2e-3);
            index.migrate(&other, 1).generation
        });
        ControlFlow::Continue(())
    });
    let refused = done.unwrap_err();
    let is_so =
        |error: &Error| matches!(error, Error::Cluster { found, .. } if found.contains("another machine"));
    assert!(is_so(&refused), "{refused}");
    assert_eq!(Some(index.open().generation()), learnt);
    other.close().unwrap();
    engine.close().unwrap();
}

#[test]
fn what_a_killed_learner_leaves_hinders_no_change_and_is_dropped_after_an_hour() {
    let Some(index) = index("meanwhile-killed") else { return };
    let folder = tempfile::tempdir().unwrap();
    drop(Killed::of(&index, folder.path()));
    let cluster = index.open();
    assert_eq!((cluster.generation().0, of_kind(&index, "job").len()), (1, 1));
    change(&cluster);
    assert_eq!(cluster.generation().0, 6, "the job has number 2");
    assert_eq!(of_kind(&index, "job").len(), 1, "its holder might be alive");
    let back = folder.path().join("back");
    cluster.restore(&back, &mut |_| ControlFlow::Continue(())).unwrap();
    let back = Engine::open(&back, options()).unwrap();
    assert_eq!(index.migrate(&back, 1).sent, 0);
    assert_eq!(of_kind(&index, "job").len(), 1, "its holder might still be alive");
    // An hour later.
    let (path, beat) =
        (format!("/{}-state/_doc/learner", index.name), json!({ "holder": "somebody", "beat": 1 }));
    index.send_json("PUT", &path, Some(&beat));
    assert_eq!(index.migrate(&back, 1).sent, 0);
    assert_over(&index);
    let made = index.indices().into_iter().filter(|name| name.contains("-g00")).count();
    assert_eq!(made, 2, "what serves and what did before: {:?}", index.indices());
    assert_changed(&index, &back, 3008);
    back.close().unwrap();
}
