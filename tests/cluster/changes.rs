//! Migrations of an index of which the cluster has the most.

use std::ops::ControlFlow;

use retune::cluster::MigrateOptions;
use retune::{Document, Mode, Query};

use crate::support::{found, index, saying};

const QUERIES: [&str; 4] = ["harbour number 3", "the tide gate", "lantern", "anchor 17 of the harbour"];

#[test]
fn only_what_has_changed_is_sent() {
    let Some(index) = index("changes") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 60);
    assert_eq!(index.migrate(&engine, 2).sent, 60);
    let cluster = index.open();
    assert_eq!(found(&cluster, &Query::new("lantern").with_mode(Mode::Lexical)), [""; 0]);

    let replaced = ["anchor-3", "anchor-4"].map(|id| Document::new(id, format!("the lantern of {id}")));
    engine.add(replaced.to_vec()).unwrap();
    engine.remove(&["anchor-5", "anchor-6", "anchor-7"]).unwrap();
    // Titles change how words are scored, for which the copy is closed for a moment.
    let titled =
        (0..4).map(|at| Document::new(format!("tide-{at}"), "tide gate").with_title("The tide gate"));
    engine.add(titled.collect()).unwrap();
    let again = MigrateOptions::default();
    let changed = engine.migrate(&index.store(), &again, &mut |_| ControlFlow::Continue(())).unwrap();
    // Two gone and two new for the replaced ones, three removed, four added.
    assert_eq!((changed.generation.0, changed.chunks, changed.sent), (2, 61, 11));
    for text in QUERIES {
        // By words they are a little apart: both count passages that are gone until they are merged away.
        for (mode, apart) in [(Mode::Dense, 1e-4), (Mode::Lexical, 0.1), (Mode::Hybrid, 0.1)] {
            let query = Query::new(text).with_mode(mode).without_logging();
            let (own, hits) =
                (engine.search(&query).unwrap().hits, index.open().search(&query).unwrap().hits);
            assert_eq!(own.len(), hits.len(), "{text}");
            for hit in &hits {
                let same = own.iter().find(|own| own.document == hit.document);
                let score = same.map_or(hits.last().unwrap().score, |own| own.score);
                assert!((score - hit.score).abs() < apart * score.abs(), "{text} {mode:?}: {own:?} {hits:?}");
            }
        }
    }
    assert_eq!(
        index.get(&format!("/{}-g000002/_settings", index.name)).to_string().matches("\"2\"").count(),
        1
    );
    // The generation before is as it was, for a way back.
    let count = index.get(&format!("/{}-g000001/_count", index.name));
    assert_eq!(count["count"], 60);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let query = Query::new("lantern").with_mode(Mode::Lexical);
    assert_eq!(found(&cluster, &query).len(), 2, "an open cluster sees the change");

    let same = engine.migrate(&index.store(), &again, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((same.generation.0, same.sent), (2, 0));
    let wider = engine.migrate(&index.store(), &again.with_shards(3), &mut |_| ControlFlow::Continue(()));
    assert_eq!(wider.unwrap().sent, 61);
    engine.close().unwrap();
}

#[test]
fn a_change_that_is_cancelled_leaves_what_serves() {
    let Some(index) = index("cancelled-change") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(folder.path(), "anchor", 20);
    index.migrate(&engine, 1);
    engine.add(vec![Document::new("lantern", "a lantern")]).unwrap();
    let again = MigrateOptions::default();
    assert!(engine.migrate(&index.store(), &again, &mut |_| ControlFlow::Break(())).is_err());
    let before = index.indices();
    assert!(before.iter().all(|index| !index.ends_with("-g000002")), "{before:?}");
    let query = Query::new("lantern").with_mode(Mode::Lexical);
    assert_eq!(found(&index.open(), &query), [""; 0]);
    let done = engine.migrate(&index.store(), &again, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.chunks, done.sent), (21, 1));
    assert_eq!(found(&index.open(), &query), ["lantern"]);
    engine.close().unwrap();
}
