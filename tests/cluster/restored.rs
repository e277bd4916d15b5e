//! Indexes of this machine that are made of what is on the cluster.

use std::ops::ControlFlow;
use std::path::Path;

use retune::cluster::RestoreReport;
use retune::learn::Tier;
use retune::{Decision, Document, Engine, Error, Fusion, GenerationId, Hit, Mode, Query};

use crate::common::{documents, judged_queries, options, quick_round};
use crate::learnt::{by_vectors, judged, learn};
use crate::program::{retune, text};
use crate::support::{Index, handbook, import, index, logged, questions, saying};

fn restore(index: &Index, to: &Path) -> retune::Result<RestoreReport> {
    index.open().restore(to, &mut |_| ControlFlow::Continue(()))
}

fn restored(index: &Index, to: &Path) -> Engine {
    restore(index, to).unwrap();
    Engine::open(to, options()).unwrap()
}

/// Everything that an answer says of its documents.
fn said(engine: &Engine, query: &Query) -> Vec<String> {
    let hits = engine.search(query).unwrap().hits;
    let all = |hit: &Hit| format!("{hit:?}");
    hits.iter().map(all).collect()
}

#[test]
fn what_comes_back_is_the_index_that_was_migrated() {
    let Some(index) = index("back") else { return };
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = handbook(from.path());
    let migrated = index.migrate(&engine, 3);
    let path = to.path().join("new/index");
    let report = restore(&index, &path).unwrap();
    assert_eq!((report.generation, report.name.as_str()), (migrated.generation, index.name.as_str()));
    assert_eq!((report.chunks, report.encoded), (migrated.chunks, migrated.encoded));
    let back = Engine::open(&path, options()).unwrap();
    assert_eq!(back.status().unwrap().chunks, engine.status().unwrap().chunks);
    for question in questions().iter().step_by(20) {
        for mode in [Mode::Lexical, Mode::Dense, Mode::Hybrid] {
            let query = Query::new(question.as_str()).with_mode(mode).with_limit(50).without_logging();
            assert_eq!(said(&back, &query), said(&engine, &query), "{question} {mode:?}");
        }
    }
    // To the bit: the cluster has nothing to learn from it.
    let again = index.migrate(&back, 3);
    assert_eq!((again.generation, again.sent), (migrated.generation, 0));
    // Its files are found again under their names.
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/handbook/documents");
    let read = back.index_folder(&documents, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((read.chunks_encoded, index.migrate(&back, 3).sent), (0, 0));
}

#[test]
fn a_trained_encoder_comes_back_and_goes_on_learning() {
    let Some(index) = index("back-trained") else { return };
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(from.path());
    learn(&engine, Tier::Encoder, 1e-3);
    let migrated = index.migrate(&engine, 1);
    let cluster = index.open();
    for (query, right) in judged_queries() {
        let answer = cluster.search(&Query::new(query)).unwrap();
        cluster.judge(answer.query_id, &right, retune::Verdict::Chosen).unwrap();
    }
    cluster.close().unwrap();
    let back = restored(&index, &to.path().join("index"));
    let query = by_vectors("what is done about a kettle");
    assert_eq!(said(&back, &query), said(&engine, &query));
    assert_eq!(index.migrate(&back, 1).generation, migrated.generation);
    // What was asked there is about the passages that it has.
    assert_eq!(import(&back, &index).judgements, judged_queries().len());
    assert_eq!(logged(&back).len(), judged_queries().len());
    learn(&back, Tier::Encoder, 2e-3);
    let second = index.migrate(&back, 1);
    assert!(second.generation > migrated.generation && second.weights_bytes > 0, "{second:?}");
    // The machine that had it first is behind: it gets the new one the same way.
    let once_more = restored(&index, &to.path().join("again"));
    assert_eq!(said(&once_more, &query), said(&back, &query));
}

#[test]
fn an_encoder_of_queries_comes_back_if_that_of_the_passages_does() {
    let Some(index) = index("back-queries") else { return };
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(from.path());
    learn(&engine, Tier::QuerySide, 5e-3);
    index.migrate(&engine, 1);
    let back = restored(&index, &to.path().join("index"));
    let query = by_vectors("what is done about a kettle");
    assert_eq!(said(&back, &query), said(&engine, &query));
    assert_eq!(index.migrate(&back, 1).generation, GenerationId(1));

    let other = tempfile::tempdir().unwrap();
    let engine = judged(other.path());
    learn(&engine, Tier::Encoder, 1e-3);
    learn(&engine, Tier::QuerySide, 5e-3);
    index.migrate(&engine, 1);
    let refused = restore(&index, &to.path().join("other")).unwrap_err().to_string();
    assert!(refused.contains("has trained that of queries alone"), "{refused}");
    assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 1);
}

#[test]
fn a_fusion_weight_a_language_and_ids_come_back() {
    let Some(index) = index("back-settings") else { return };
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let fused = options().with_fusion(Fusion::Convex { dense_weight: 1.0 });
    let engine = Engine::open(from.path().join("index"), fused.with_language(retune::Language::German));
    let engine = engine.unwrap();
    engine.add(documents()).unwrap();
    engine.add(vec![Document::new("last", "Die Häfen sind geschlossen.")]).unwrap();
    engine.remove(&["last"]).unwrap();
    for (query, right) in judged_queries() {
        crate::common::judge(&engine, &query, &right);
    }
    let round = quick_round().with_tiers(&[Tier::Fusion]);
    let round = engine.learn(&round, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(round.gate.decision, Decision::Published);
    index.migrate(&engine, 1);
    let back = restored(&index, &to.path().join("index"));
    let (own, found) = (engine.status().unwrap(), back.status().unwrap());
    assert_eq!((own.generation.fusion, own.language), (found.generation.fusion, found.language));
    let added = |engine: &Engine| {
        engine.add(vec![Document::new("new", "Der neue Hafen.")]).unwrap();
        engine.search(&Query::new("Hafen").without_logging()).unwrap().hits[0].chunk
    };
    // The id of what was removed is not given again.
    assert_eq!(added(&back), added(&engine));
}

#[test]
fn it_comes_whole_or_not_at_all_and_never_over_another() {
    let Some(index) = index("back-whole") else { return };
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = saying(from.path(), "anchor", 30);
    index.migrate(&engine, 1);
    let path = to.path().join("index");
    let cut = index.open().restore(&path, &mut |_| ControlFlow::Break(()));
    assert!(matches!(cut, Err(Error::Cancelled { .. })), "{cut:?}");
    assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 0);
    // What a killed process has left is in nobody's way.
    std::fs::create_dir(to.path().join("index.unfinished")).unwrap();
    std::fs::write(to.path().join("index.unfinished/retune.json"), "half").unwrap();
    assert_eq!(restore(&index, &path).unwrap().chunks, 30);
    let refused = restore(&index, &path).unwrap_err().to_string();
    assert!(refused.contains("which exists"), "{refused}");
    // A passage that is lost is noticed.
    index.send_json("DELETE", &format!("/{}-g000001/_doc/3?refresh=true", index.name), None);
    let refused = restore(&index, &to.path().join("other")).unwrap_err().to_string();
    assert!(refused.contains("29 passages of 30"), "{refused}");
}

#[test]
fn passages_without_vectors_get_them_here() {
    let Some(index) = index("back-pending") else { return };
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = saying(from.path(), "anchor", 5);
    let new = (0..4).map(|at| Document::new(format!("new-{at}"), format!("lantern {at}"))).collect();
    let later = retune::AddOptions::default().with_words_first();
    engine.add_with(new, &later, &mut |_| ControlFlow::Continue(())).unwrap();
    index.migrate(&engine, 1);
    let path = to.path().join("index");
    let report = restore(&index, &path).unwrap();
    assert_eq!((report.chunks, report.encoded), (9, 5));
    let back = Engine::open(&path, options()).unwrap();
    assert_eq!(back.encode_pending(&mut |_, _| ControlFlow::Continue(())).unwrap(), 4);
    assert_eq!(said(&back, &by_vectors("lantern")).len(), 9);
}

#[test]
fn the_program_brings_an_index_back() {
    let Some(index) = index("back-program") else { return };
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    index.migrate(&saying(from.path(), "anchor", 6), 1);
    let folder = to.path().join("docs");
    let folder = folder.to_str().unwrap();
    let done = text(&retune(&index, &["migrate", folder, "--back"]));
    assert!(done.contains(&format!("generation 1 of {} is in {folder}", index.name)), "{done}");
    assert!(done.contains("6 passages, 6 with a vector"), "{done}");
    let found = text(&retune(&index, &["search", "--dir", folder, "number 3 of the harbour"]));
    assert!(found.contains("anchor-3"), "{found}");
}
