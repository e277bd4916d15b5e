//! Migrations that are cut short.

use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use retune::cluster::{Cluster, MigrateOptions};
use retune::{GenerationId, Query};

use crate::common::{options, tiny_model};
use crate::support::{found, index, saying};

#[test]
fn one_that_is_stopped_leaves_what_serves_and_the_next_one_cleans_up() {
    let Some(index) = index("cut") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(&folder.path().join("a"), "anchor", 1200);
    let cut = |left: usize| {
        let mut left = left;
        let stopped = engine.migrate(&index.store(), &MigrateOptions::default(), &mut |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped, Err(retune::Error::Cancelled { .. })), "{stopped:?}");
    };
    cut(1);
    let none = Cluster::open(&index.store(), &options()).unwrap_err();
    assert!(matches!(none, retune::Error::NotFound { .. }), "{none}");
    let first = index.migrate(&engine, 1);
    let cluster = index.open();
    cut(2);
    assert_eq!(found(&cluster, &Query::new("anchor 17")).len(), 10);
    assert_eq!(cluster.generation(), first.generation);
    let report = index.migrate(&engine, 1);
    assert_eq!((report.chunks, report.encoded), (1200, 1200));
    assert_eq!(index.open().generation(), report.generation);
}

#[test]
fn one_whose_process_is_killed_leaves_what_serves_and_the_next_one_cleans_up() {
    let Some(index) = index("killed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = saying(&folder.path().join("a"), "anchor", 2500);
    engine.close().unwrap();
    let engine = retune::Reader::open(folder.path().join("a"), options()).unwrap();
    index.migrate(&engine, 1);
    let cluster = index.open();
    let mut child = Command::new(env!("CARGO_BIN_EXE_retune"))
        .args(["migrate", "--store", &index.store(), "--index"])
        .arg(folder.path().join("a"))
        .env("RETUNE_MODEL", tiny_model())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let unfinished = format!("{}-g000002", index.name);
    let begun = Instant::now();
    while !index.indices().contains(&unfinished) {
        assert!(
            begun.elapsed() < Duration::from_secs(20) && child.try_wait().unwrap().is_none(),
            "not seen at work"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(index.indices().contains(&unfinished));
    assert_eq!(found(&cluster, &Query::new("anchor 17")).len(), 10);
    assert_eq!(cluster.generation(), GenerationId(1));
    // It waits until the killed one is known to be dead.
    let report = index.migrate(&engine, 1);
    assert_eq!((report.chunks, report.generation), (2500, GenerationId(3)));
    assert!(!index.indices().contains(&unfinished));
}

#[test]
fn an_index_that_has_learnt_weights_is_refused() {
    let Some(index) = index("learnt") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = crate::common::open(folder.path());
    engine.add(crate::common::documents()).unwrap();
    crate::common::judge_everything(&engine);
    engine.learn(&crate::common::quick_round(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(engine.status().unwrap().generation.id > GenerationId(1), "the round has published");
    match index.try_migrate(&engine, 1) {
        Err(error) => assert!(error.to_string().contains("rollback"), "{error}"),
        // The round may have learnt the fusion's weight alone.
        Ok(_) => assert!(engine.status().unwrap().generation.fusion != retune::Fusion::default()),
    }
}
